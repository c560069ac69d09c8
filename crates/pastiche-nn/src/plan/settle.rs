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
/// a residual `residual += max(values * scale + shift, floor)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settle {
    pub(super) values: Planes,
    pub(super) affine: BufferId,
    pub(super) floor: f32,
    pub(super) residual: Option<BufferId>,
}

/// Vectors that a task settles.
const VECTORS: usize = 4096;

/// Settles a buffer of the arena whose memory starts at `memory`, on the caller's rayon pool.
pub(super) fn run(level: Level, settle: &Settle, arena: &Arena, memory: &mut [f32]) {
    let lanes = level.lanes();
    let plane = settle.values.height * settle.values.width;
    let per_block = plane.div_ceil(VECTORS);
    let shared = Shared(memory.as_mut_ptr());
    (0..settle.values.blocks * per_block).into_par_iter().for_each(|task| {
        let (block, first) = (task / per_block, task % per_block * VECTORS);
        let offset = (block * plane + first) * lanes;
        let residual = settle.residual.map_or(std::ptr::null_mut(), |id| shared.at(arena.place(id) + offset));
        let part = Part {
            values: shared.at(arena.place(settle.values.buffer) + offset),
            residual,
            affine: shared.at(arena.place(settle.affine) + 2 * block * lanes),
            floor: settle.floor,
            vectors: VECTORS.min(plane - first),
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

/// Neighbouring vectors of one channel block.
struct Part {
    values: *mut f32,
    residual: *mut f32,
    affine: *const f32,
    floor: f32,
    vectors: usize,
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
        for at in (0..part.vectors).map(|vector| vector * S::LANES) {
            let value = simd.load(part.values.add(at));
            let value = simd.max(simd.mul_add(value, scale, shift), floor);
            if part.residual.is_null() {
                simd.store(part.values.add(at), value);
            } else {
                let sum = simd.add(simd.load(part.residual.add(at)), value);
                simd.store(part.residual.add(at), sum);
            }
        }
    }
}
