//! The edges of planes: where a padded picture is read, and how the gradient of the padding finds its way back.

use rayon::prelude::*;

use super::Planes;
use crate::{PadMode, kernels::pad};

/// Where `len` positions along a side of `side` pixels, padded by `margin` on both ends, are read; negative for a zero,
/// as all behind the padding.
pub(super) fn axis(mode: PadMode, margin: usize, side: usize, len: usize) -> Vec<i32> {
    let sources = pad::sources(mode, margin, side, margin).into_iter();
    let mut axis: Vec<i32> = sources.map(|source| source.map_or(-1, |at| at as i32)).collect();
    axis.resize(len.max(axis.len()), -1);
    axis
}

impl Planes {
    /// Adds the outermost pixels, which are the gradient of a margin of one that was mirrored, to those that they
    /// mirror. They themselves stay as they are.
    pub(crate) fn fold_ring(&mut self) {
        let (height, width, lanes, block_len) =
            (self.size.height, self.size.width, self.lanes, self.block_len());
        let row_len = width * lanes;
        self.values.as_mut_slice().par_chunks_exact_mut(block_len).for_each(|block| {
            let mut add = |to: usize, from: usize, len: usize| {
                for at in 0..len {
                    block[to + at] += block[from + at];
                }
            };
            add(2 * row_len, 0, row_len);
            add((height - 3) * row_len, (height - 1) * row_len, row_len);
            for row in (row_len..(height - 1) * row_len).step_by(row_len) {
                add(row + 2 * lanes, row, lanes);
                add(row + (width - 3) * lanes, row + (width - 1) * lanes, lanes);
            }
        });
    }
}
