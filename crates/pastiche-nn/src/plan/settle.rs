//! What must be in memory as it is: a value that a residual sum needs again later.
#![allow(unsafe_code)] // tasks write disjoint parts of one buffer, through a pointer

use rayon::prelude::*;

use super::{
    arena::{Arena, BufferId},
    step::Planes,
};
use crate::{
    Level,
    simd::{Simd, by_level},
};

/// Does to a buffer what its readers owe it: `values = max(values * scale + shift, floor)`, in place, or where there is
/// a residual, which may be larger, `middle of residual += max(values * scale + shift, floor)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settle {
    pub(super) values: Planes,
    pub(super) affine: BufferId,
    pub(super) floor: f32,
    pub(super) residual: Option<Planes>,
}

/// Vectors that a task settles, about.
const VECTORS: usize = 4096;

/// Settles a buffer of the arena whose memory starts at `memory`, on the caller's rayon pool.
pub(super) fn run(level: Level, settle: &Settle, arena: &Arena, memory: &mut [f32]) {
    let lanes = level.lanes();
    let Settle { values, affine, floor, residual } = *settle;
    let to = residual.unwrap_or(values);
    let (top, left) = ((to.height - values.height) / 2, (to.width - values.width) / 2);
    let rows = (VECTORS / values.width).clamp(1, values.height);
    let bands = values.height.div_ceil(rows);
    let shared = Shared(memory.as_mut_ptr());
    let at = |planes: &Planes, block: usize, y: usize, x: usize| {
        shared.at(arena.place(planes.buffer) + ((block * planes.height + y) * planes.width + x) * lanes)
    };
    (0..values.blocks * bands).into_par_iter().for_each(|task| {
        let (block, first) = (task / bands, task % bands * rows);
        let part = Part {
            values: at(&values, block, first, 0),
            to: at(&to, block, top + first, left),
            to_row: to.width * lanes,
            adds: residual.is_some(),
            affine: shared.at(arena.place(affine) + 2 * block * lanes),
            floor,
            rows: rows.min(values.height - first),
            width: values.width,
        };
        run_part(level, &part);
    });
}

/// The start of the arena's memory, for tasks that each use a part of their own.
struct Shared(*mut f32);

// SAFETY: see `run`: no two tasks touch the same vectors.
unsafe impl Sync for Shared {}

impl Shared {
    fn at(&self, place: usize) -> *mut f32 {
        self.0.wrapping_add(place)
    }
}

/// Neighbouring rows of one channel block.
struct Part {
    values: *const f32,
    /// Where they go, or what they are added to: rows `to_row` floats apart.
    to: *mut f32,
    to_row: usize,
    adds: bool,
    affine: *const f32,
    floor: f32,
    rows: usize,
    width: usize,
}

by_level! {
    fn run_part(part: &Part) = settle_part
}

#[inline(always)]
fn settle_part<S: Simd>(simd: S, part: &Part) {
    // SAFETY: `run` cuts buffers of the arena into parts that lie inside them, and gives each task another; the affine
    // numbers are two vectors.
    unsafe {
        let (scale, shift) = (simd.load(part.affine), simd.load(part.affine.add(S::LANES)));
        let floor = simd.splat(part.floor);
        for y in 0..part.rows {
            let (from, to) = (part.values.add(y * part.width * S::LANES), part.to.add(y * part.to_row));
            for at in (0..part.width).map(|x| x * S::LANES) {
                let mut value = simd.max(simd.mul_add(simd.load(from.add(at)), scale, shift), floor);
                if part.adds {
                    value = simd.add(simd.load(to.add(at)), value);
                }
                simd.store(to.add(at), value);
            }
        }
    }
}
