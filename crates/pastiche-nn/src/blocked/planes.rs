//! Channel-blocked planes, and the way from and to planar tensors.
#![allow(unsafe_code)] // vectors are read and written through pointers, after their bounds were checked

use rayon::prelude::*;

use super::memory;
use crate::{
    plan::lines::Lines,
    simd::{Level, Simd, by_level},
};

/// Sizes of a batch of planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Size {
    pub(crate) fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of a planar tensor of this size.
    pub(crate) fn len(&self) -> usize {
        self.batch * self.channels * self.plane()
    }
}

/// Numbers in the order (batch, channel block, height, width, lane): a block is as many channels as a vector has lanes,
/// the last filled up with zeros.
#[derive(Debug)]
pub(crate) struct Planes {
    pub(super) size: Size,
    pub(super) lanes: usize,
    pub(super) values: Lines,
}

impl Planes {
    /// Planes of any values, for somebody who writes all of them.
    pub(super) fn unset(size: Size, lanes: usize) -> Self {
        let len = size.batch * size.channels.div_ceil(lanes) * size.plane() * lanes;
        Self { size, lanes, values: memory::take(len) }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn blocks(&self) -> usize {
        self.size.channels.div_ceil(self.lanes)
    }

    /// Numbers of one block of one picture.
    pub(super) fn block_len(&self) -> usize {
        self.size.plane() * self.lanes
    }

    /// From a planar tensor (N, C, H, W). With `mask`, of the same shape, only where that is larger than zero; zeros
    /// elsewhere.
    pub(crate) fn from_planar(level: Level, size: Size, planar: &[f32], mask: Option<&[f32]>) -> Self {
        assert_eq!(planar.len(), size.len());
        assert!(mask.is_none_or(|mask| mask.len() == size.len()));
        let mut planes = Self::unset(size, level.lanes());
        let (blocks, lanes, plane) = (planes.blocks(), planes.lanes, size.plane());
        let row_len = size.width * lanes;
        planes.values.as_mut_slice().par_chunks_exact_mut(row_len).enumerate().for_each(|(row, output)| {
            let (block, y) = (row / size.height, row % size.height);
            let (image, block) = (block / blocks, block % blocks);
            let first = image * size.channels + block * lanes;
            let channels = lanes.min(size.channels - block * lanes);
            let at = first * plane + y * size.width;
            let part = |values| &<[f32]>::split_at(values, at).1[..(channels - 1) * plane + size.width];
            row_to_block(level, part(planar), mask.map(part), plane, channels, output);
        });
        planes
    }

    /// To a planar tensor (N, C, H, W), leaving out `ring` pixels on each side.
    pub(crate) fn to_planar(&self, level: Level, ring: usize, planar: &mut [f32]) {
        assert_eq!(level.lanes(), self.lanes);
        let Size { channels, height, width, .. } = self.size;
        let (blocks, lanes) = (self.blocks(), self.lanes);
        let (inner_height, inner_width) = (height - 2 * ring, width - 2 * ring);
        let plane = inner_height * inner_width;
        assert_eq!(planar.len(), self.size.batch * channels * plane);
        let values = self.values.as_slice();
        let images = planar.par_chunks_exact_mut(channels * plane).enumerate();
        let tasks = images.flat_map(|(image, planar)| {
            let in_image = planar.par_chunks_mut(lanes * plane).enumerate();
            in_image.map(move |(block, planar)| (image * blocks + block, planar))
        });
        tasks.for_each(|(block, planar)| {
            let block = &values[block * self.block_len()..][..self.block_len()];
            for y in 0..inner_height {
                let row = &block[((y + ring) * width + ring) * lanes..][..inner_width * lanes];
                block_to_row(level, row, plane, &mut planar[y * inner_width..]);
            }
        });
    }
}

impl Drop for Planes {
    fn drop(&mut self) {
        memory::give_back(std::mem::replace(&mut self.values, Lines::zeros(0)));
    }
}

by_level! {
    /// One row of `channels` planes, `plane` numbers apart, to one row of a block.
    fn row_to_block(
        planar: &[f32], mask: Option<&[f32]>, plane: usize, channels: usize, output: &mut [f32],
    ) = to_block
}

by_level! {
    /// The inverse of [`row_to_block`], for as many planes as `planar` has room for.
    fn block_to_row(block: &[f32], plane: usize, planar: &mut [f32]) = to_row
}

#[inline(always)]
fn to_block<S: Simd>(
    simd: S,
    planar: &[f32],
    mask: Option<&[f32]>,
    plane: usize,
    channels: usize,
    output: &mut [f32],
) {
    let width = output.len() / S::LANES;
    assert!(channels <= S::LANES && planar.len() == (channels - 1) * plane + width);
    assert!(mask.is_none_or(|mask| mask.len() == planar.len()));
    let mut x = 0;
    if channels == S::LANES {
        let mut kept = [0.0f32; MAX_SQUARE];
        while x + S::LANES <= width {
            // SAFETY: whole squares of numbers lie inside the row and the output; the mask is as long as the values.
            unsafe {
                let to = output.as_mut_ptr().add(x * S::LANES);
                let from = planar.as_ptr().add(x);
                if let Some(mask) = mask {
                    for channel in 0..S::LANES {
                        let at = channel * plane;
                        let by = simd.load(mask.as_ptr().add(x + at));
                        let value = simd.where_positive(simd.load(from.add(at)), by);
                        simd.store(kept.as_mut_ptr().add(channel * S::LANES), value);
                    }
                    simd.transpose(kept.as_ptr(), S::LANES, to, S::LANES);
                } else {
                    simd.transpose(from, plane, to, S::LANES);
                }
            }
            x += S::LANES;
        }
    }
    for x in x..width {
        for channel in 0..channels {
            let at = channel * plane + x;
            let kept = mask.is_none_or(|mask| mask[at] > 0.0);
            output[x * S::LANES + channel] = if kept { planar[at] } else { 0.0 };
        }
        output[x * S::LANES + channels..(x + 1) * S::LANES].fill(0.0);
    }
}

/// Numbers of the largest square of lanes x lanes.
const MAX_SQUARE: usize = 16 * 16;

#[inline(always)]
fn to_row<S: Simd>(simd: S, block: &[f32], plane: usize, planar: &mut [f32]) {
    let width = block.len() / S::LANES;
    let channels = (planar.len() - width) / plane + 1;
    let mut x = 0;
    if channels >= S::LANES {
        while x + S::LANES <= width {
            // SAFETY: whole squares of numbers lie inside the block and the rows.
            unsafe {
                let from = block.as_ptr().add(x * S::LANES);
                simd.transpose(from, S::LANES, planar.as_mut_ptr().add(x), plane);
            }
            x += S::LANES;
        }
    }
    for x in x..width {
        for channel in 0..channels.min(S::LANES) {
            planar[channel * plane + x] = block[x * S::LANES + channel];
        }
    }
}
