//! Floats that start on a cache line, or on a page where they are many.
#![allow(unsafe_code)] // a view of whole lines, or of a memory map, as floats

use memmap2::MmapMut;

/// Floats of a line of 64 bytes.
const FLOATS: usize = 16;
/// Floats from which on a buffer is a memory map of its own, in huge pages where the system has them: a plan walks over
/// more pages than the processor remembers the places of.
const MANY: usize = 1 << 20;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; FLOATS]);

/// A buffer of floats whose first starts a cache line, so that no vector in it lies across two.
#[derive(Debug)]
pub(crate) struct Lines {
    memory: Memory,
    len: usize,
}

#[derive(Debug)]
enum Memory {
    Lines(Vec<Line>),
    Pages(MmapMut),
}

impl Lines {
    pub(crate) fn zeros(len: usize) -> Self {
        let pages = if len < MANY { None } else { pages(len) };
        let lines = || Memory::Lines(vec![Line([0.0; FLOATS]); len.div_ceil(FLOATS)]);
        Self { memory: pages.map_or_else(lines, Memory::Pages), len }
    }

    pub(crate) fn of(values: &[f32]) -> Self {
        let mut lines = Self::zeros(values.len());
        lines.as_mut_slice().copy_from_slice(values);
        lines
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        match &self.memory {
            Memory::Lines(lines) => lines.as_ptr().cast(),
            Memory::Pages(pages) => pages.as_ptr().cast(),
        }
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: as in `as_mut_slice`, borrowed shared.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        let start: *mut f32 = match &mut self.memory {
            Memory::Lines(lines) => lines.as_mut_ptr().cast(),
            Memory::Pages(pages) => pages.as_mut_ptr().cast(),
        };
        // SAFETY: either kind of memory holds at least `len` floats without gaps (`repr(C)`, 16 floats are 64 bytes),
        // aligned, initialised with zeros, and is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(start, self.len) }
    }
}

/// Zeroed pages for `len` floats, where the system gives them.
fn pages(len: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(len * size_of::<f32>()).ok()?;
    #[cfg(target_os = "linux")]
    // Where the system refuses, only speed is lost.
    map.advise(memmap2::Advice::HugePage).ok();
    Some(map)
}
