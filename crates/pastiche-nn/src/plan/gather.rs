//! Reading a window of a step's input into scratch memory, and on the way normalising, padding and adding residuals.
#![allow(unsafe_code)] // pointers into blocks, whose bounds the callers know

use super::number::Number;
use crate::simd::Simd;

/// One channel block of a source, at run time.
#[derive(Clone, Copy)]
pub(super) struct BlockSource {
    /// The block's first vector.
    pub(super) values: *const f32,
    /// Pixels of a row in memory.
    pub(super) width: usize,
    /// Floats from here to the next block.
    pub(super) plane: usize,
    /// One vector each.
    pub(super) scale: *const f32,
    pub(super) shift: *const f32,
    pub(super) floor: f32,
    /// Vectors that are added, laid out as the values; null where there are none.
    pub(super) residual: *const f32,
}

/// Writes, for every row and column of a window, `max(value * scale + shift, floor) + residual` to `output`, rows
/// `row_stride` numbers apart; zeros where a row or column is negative.
///
/// # Safety
/// The rows and columns lie inside the source, and the output can be written.
#[inline(always)]
pub(super) unsafe fn block<S: Simd, N: Number>(
    simd: S,
    source: &BlockSource,
    rows: &[i32],
    columns: &[i32],
    output: *mut N::Stored,
    row_stride: usize,
) {
    let zeros = columns.iter().any(|column| *column < 0);
    for (y, &row) in rows.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            let to = output.add(y * row_stride);
            if row < 0 {
                to.write_bytes(0, columns.len() * S::LANES);
                continue;
            }
            let start = row as usize * source.width * S::LANES;
            match (source.residual.is_null(), zeros) {
                (true, false) => one_row::<S, N, false, false>(simd, source, start, columns, to),
                (true, true) => one_row::<S, N, false, true>(simd, source, start, columns, to),
                (false, false) => one_row::<S, N, true, false>(simd, source, start, columns, to),
                (false, true) => one_row::<S, N, true, true>(simd, source, start, columns, to),
            }
        }
    }
}

/// One row, which begins `start` floats into the source.
///
/// # Safety
/// As [`block`]; without `ZEROS` no column is negative, and with `RESIDUAL` there is one.
#[inline(always)]
unsafe fn one_row<S: Simd, N: Number, const RESIDUAL: bool, const ZEROS: bool>(
    simd: S,
    source: &BlockSource,
    start: usize,
    columns: &[i32],
    mut output: *mut N::Stored,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let (scale, shift) = (simd.load(source.scale), simd.load(source.shift));
        let floor = simd.splat(source.floor);
        for &column in columns {
            let mut value = simd.splat(0.0);
            if !ZEROS || column >= 0 {
                let at = start + column as usize * S::LANES;
                simd.prefetch(source.values.wrapping_add(at + source.plane));
                value = simd.max(simd.mul_add(simd.load(source.values.add(at)), scale, shift), floor);
                if RESIDUAL {
                    simd.prefetch(source.residual.wrapping_add(at + source.plane));
                    value = simd.add(value, simd.load(source.residual.add(at)));
                }
            }
            N::store(simd, output, value);
            output = output.add(S::LANES);
        }
    }
}

/// A picture of three channels on 0-255.
#[derive(Debug, Clone, Copy)]
pub enum Picture<'a> {
    /// RGB8, interleaved: (H, W, 3).
    Rgb8(&'a [u8]),
    /// Planes: (3, H, W).
    Planes(&'a [f32]),
}

impl Picture<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Rgb8(pixels) => pixels.len(),
            Self::Planes(planes) => planes.len(),
        }
    }

    /// Writes the window of `rows` and `columns` to `output`, interleaved; zeros where a row or column is negative.
    #[inline(always)]
    pub(super) fn gather<N: Number>(
        &self,
        width: usize,
        rows: &[i32],
        columns: &[i32],
        output: &mut [N::Stored],
    ) {
        let plane = self.len() / 3;
        for (&row, to) in rows.iter().zip(output.chunks_exact_mut(3 * columns.len())) {
            if row < 0 {
                to.fill(N::Stored::default());
                continue;
            }
            let start = row as usize * width;
            let mut done = 0;
            for run in columns.chunk_by(|a, b| *a >= 0 && *b == *a + 1) {
                let to = &mut to[3 * done..3 * (done + run.len())];
                done += run.len();
                if run[0] < 0 {
                    to.fill(N::Stored::default());
                } else {
                    self.copy::<N>(start + run[0] as usize, plane, to);
                }
            }
        }
    }

    /// Copies neighbouring pixels, from pixel `at` on.
    #[inline(always)]
    fn copy<N: Number>(&self, at: usize, plane: usize, to: &mut [N::Stored]) {
        let pixels = to.len() / 3;
        match self {
            Self::Rgb8(bytes) => {
                for (to, from) in to.iter_mut().zip(&bytes[3 * at..3 * (at + pixels)]) {
                    *to = N::stored(f32::from(*from));
                }
            }
            Self::Planes(planes) => {
                for channel in 0..3 {
                    let from = &planes[channel * plane + at..][..pixels];
                    for (pixel, from) in to.chunks_exact_mut(3).zip(from) {
                        pixel[channel] = N::stored(*from);
                    }
                }
            }
        }
    }
}
