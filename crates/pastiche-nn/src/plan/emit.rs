//! The end of a network: adding up the columns' shares and writing the painting.
#![allow(unsafe_code)] // tasks write disjoint rectangles of one painting, through a pointer

use rayon::prelude::*;

use super::{
    arena::Arena,
    step::{Finish, Rect, ScaledTanh},
};

/// Floats that are read, but not used, past the end of the sums.
pub(super) const SLACK: usize = 4;

/// Where the painting goes: number `c` of pixel (y, x) at `(y * width + x) * pixel_stride + c * channel_stride`.
#[derive(Clone, Copy)]
pub(super) struct Painting {
    pub(super) output: *mut f32,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) pixel_stride: usize,
    pub(super) channel_stride: usize,
}

/// How shares become pixels.
pub(super) struct Shares<'a> {
    pub(super) kernel_width: usize,
    pub(super) channels: usize,
    pub(super) tanh: Option<ScaledTanh>,
    pub(super) bias: &'a [f32; 4],
}

/// Writes the part of `rect` that lies inside the painting. `sums` are rows of `row` pixels of `slots` floats: number
/// `column * channels + channel` of pixel x is that column's share in pixel x - column.
///
/// # Safety
/// The sums can be read, and [`SLACK`] floats behind them; the painting can be written.
#[inline(always)]
pub(super) unsafe fn rows(
    painting: &Painting,
    shares: &Shares<'_>,
    rect: Rect,
    sums: *const f32,
    row: usize,
    slots: usize,
) {
    let height = rect.height.min(painting.height.saturating_sub(rect.top));
    let width = rect.width.min(painting.width.saturating_sub(rect.left));
    let step = slots + shares.channels;
    for y in 0..height {
        for x in 0..width {
            let mut pixel = *shares.bias;
            let mut at = (y * row + x) * slots;
            for _ in 0..shares.kernel_width {
                // SAFETY: the caller's promise; at most 3 floats past the share of the last column.
                let share = unsafe { sums.add(at).cast::<[f32; 4]>().read_unaligned() };
                for (value, share) in pixel.iter_mut().zip(&share) {
                    *value += share;
                }
                at += step;
            }
            if let Some(tanh) = shares.tanh {
                for value in &mut pixel {
                    *value = tanh.of(*value);
                }
            }
            let at = ((rect.top + y) * painting.width + rect.left + x) * painting.pixel_stride;
            for (channel, value) in pixel.iter().enumerate().take(shares.channels) {
                // SAFETY: the pixel lies inside the painting, and no other task writes it.
                unsafe { *painting.output.add(at + channel * painting.channel_stride) = *value };
            }
        }
    }
}

/// Normalises the sums that waited for it, and writes the painting: `width` pixels a row, planar or interleaved.
pub(super) fn finish(
    finish: &Finish,
    arena: &Arena,
    memory: &[f32],
    lanes: usize,
    output: &mut [f32],
    (width, interleaved): (usize, bool),
) {
    let affine = &memory[arena.place(finish.affine)..][..2 * lanes];
    let raw = &memory[arena.place(finish.raw.buffer)..][..arena.len_of(finish.raw.buffer)];
    let number = |y: usize, x: usize, channel: usize| {
        let value = raw[(y * finish.raw.width + x) * lanes + channel];
        let value = value * affine[channel] + affine[lanes + channel];
        finish.tanh.map_or(value, |tanh| tanh.of(value))
    };
    if interleaved {
        output.par_chunks_exact_mut(3 * width).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value = number(y, x, channel);
                }
            }
        });
    } else {
        let height = output.len() / (3 * width);
        output.par_chunks_exact_mut(width).enumerate().for_each(|(row, values)| {
            for (x, value) in values.iter_mut().enumerate() {
                *value = number(row % height, x, row / height);
            }
        });
    }
}
