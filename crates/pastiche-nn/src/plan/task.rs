//! One task of a step: a rectangle of its output, from gathering the input to the moments of what was written.
#![allow(unsafe_code)] // tasks write disjoint rectangles of one buffer, through pointers

use super::{
    arena::{Arena, BufferId},
    emit::{self, Painting},
    gather::{self, BlockSource, Picture},
    moments,
    multiply::{Operands, Walk, multiply},
    number::{Bf16, F32, Number},
    pack::{Group, PackedConv},
    step::{Method, Planes, Rect, Source, Step, Target},
    transform,
};
use crate::{
    Products,
    simd::{Simd, by_level},
};

/// What all tasks of a run share.
pub(super) struct Context<'a> {
    pub(super) arena: &'a Arena,
    /// The arena's memory: `arena.len()` floats.
    pub(super) memory: *mut f32,
    pub(super) picture: Picture<'a>,
    pub(super) picture_width: usize,
    pub(super) painting: Painting,
}

// SAFETY: tasks read only what earlier steps wrote, and each writes a rectangle of its own (of the arena's buffers and
// of the painting), so no two threads touch the same number.
unsafe impl Sync for Context<'_> {}

by_level! {
    /// Runs one task.
    pub(super) fn run(context: &Context<'_>, step: &Step, packed: &PackedConv, task: usize, scratch: &mut [f32]) = run_task
}

#[inline(always)]
fn run_task<S: Simd>(
    simd: S,
    context: &Context<'_>,
    step: &Step,
    packed: &PackedConv,
    task: usize,
    scratch: &mut [f32],
) {
    assert!(scratch.len() >= scratch_len(step, packed, S::LANES));
    // SAFETY: the plan was compiled for this many lanes; its buffers, axes and packed weights have the sizes that the
    // step tells, which `compile` and `pack` see to, and the scratch memory was just checked.
    unsafe {
        match step.method {
            Method::Direct(Products::F32) => {
                direct::<S, F32>(simd, context, step, packed, task, scratch.as_mut_ptr());
            }
            Method::Direct(Products::Bf16) => {
                direct::<S, Bf16>(simd, context, step, packed, task, scratch.as_mut_ptr());
            }
            Method::Winograd => winograd(simd, context, step, packed, task, scratch.as_mut_ptr()),
        }
        if let (Some(norm), Some((planes, scale))) = (&step.norm, step.target.planes()) {
            let at = task * 2 * planes.blocks * S::LANES;
            let to = context.at(norm.moments).add(at);
            leave_moments(simd, context, &planes, scaled(step.pixels_of(task), scale), to);
        }
    }
}

/// Floats behind a window of numbers, the last of which may be read together with what follows.
const WINDOW_SLACK: usize = 1;

/// Floats that a task needs for itself.
pub(super) fn scratch_len(step: &Step, packed: &PackedConv, lanes: usize) -> usize {
    let window = step.window;
    let (height, width) = (step.grid.task_height, step.grid.task_width);
    match step.method {
        Method::Direct(_) => {
            let rows = (height - 1) * window.stride + window.kernel_height;
            let extra = match step.target {
                Target::Painting { kernel_width, .. } => kernel_width - 1,
                Target::Blocks { .. } => 0,
            };
            let columns = (width - 1) * window.stride + window.kernel_width + extra;
            let sums = match step.target {
                Target::Painting { .. } => height * columns * packed.slots() + emit::SLACK,
                Target::Blocks { .. } => 0,
            };
            window.blocks * rows * columns * window.pixel + WINDOW_SLACK + sums
        }
        Method::Winograd => {
            let tiles = height * width;
            let strip = (transform::OUT * height + 2) * (transform::OUT * width + 2) * lanes;
            let products = transform::product_stride(window.blocks * tiles * lanes);
            let sums = transform::product_stride(super::multiply::MAX_VECTORS * tiles * lanes);
            strip + transform::PRODUCTS * (products + sums)
        }
    }
}

fn scaled(rect: Rect, scale: usize) -> Rect {
    let Rect { top, left, height, width } = rect;
    Rect { top: top * scale, left: left * scale, height: height * scale, width: width * scale }
}

impl Context<'_> {
    /// # Safety
    /// The memory is as long as the arena.
    #[inline(always)]
    unsafe fn at(&self, buffer: BufferId) -> *mut f32 {
        // SAFETY: every place lies inside the arena.
        unsafe { self.memory.add(self.arena.place(buffer)) }
    }
}

/// Reads channel block `block` of the step's window at `rect` (in the input's padded coordinates) to `output`.
///
/// # Safety
/// As [`run_task`]; `output` has room for the window.
#[inline(always)]
unsafe fn gather_block<S: Simd, N: Number>(
    simd: S,
    context: &Context<'_>,
    step: &Step,
    block: usize,
    rect: Rect,
    output: *mut N::Stored,
) {
    let Source::Blocks { values, affine, floor, residual } = &step.source else { return };
    let plane = values.height * values.width * S::LANES;
    let rows = &step.rows.0[rect.top..rect.top + rect.height];
    let columns = &step.columns.0[rect.left..rect.left + rect.width];
    // SAFETY: the caller's promise; the affine numbers are two vectors a block.
    unsafe {
        let scale = context.at(*affine).add(2 * block * S::LANES);
        let source = BlockSource {
            values: context.at(values.buffer).add(block * plane),
            width: values.width,
            plane,
            scale,
            shift: scale.add(S::LANES),
            floor: *floor,
            residual: residual.map_or(std::ptr::null(), |buffer| context.at(buffer).add(block * plane)),
        };
        gather::block::<S, N>(simd, &source, rows, columns, output, rect.width * S::LANES);
    }
}

/// Offset of output vector `vector` of a pixel in the target.
#[inline(always)]
fn target_offset(
    planes: &Planes,
    scale: usize,
    vector: usize,
    (y, x): (usize, usize),
    lanes: usize,
) -> usize {
    let (phase, block) = (vector / planes.blocks, vector % planes.blocks);
    let (row, column) = (scale * y + phase / scale, scale * x + phase % scale);
    ((block * planes.height + row) * planes.width + column) * lanes
}

/// # Safety
/// As [`run_task`].
#[inline(always)]
unsafe fn direct<S: Simd, N: Number>(
    simd: S,
    context: &Context<'_>,
    step: &Step,
    packed: &PackedConv,
    task: usize,
    scratch: *mut f32,
) {
    let (window, rect) = (step.window, step.grid.task(task));
    let extra = if let Target::Painting { kernel_width, .. } = step.target { kernel_width - 1 } else { 0 };
    let input = Rect {
        top: rect.top * window.stride,
        left: rect.left * window.stride,
        height: (rect.height - 1) * window.stride + window.kernel_height,
        width: (rect.width - 1) * window.stride + window.kernel_width + extra,
    };
    let row_stride = input.width * window.pixel;
    let walk = window.walk(input.height * row_stride, row_stride);
    // No number is larger than a float.
    let numbers = scratch.cast::<N::Stored>();
    // SAFETY: the caller's promise.
    unsafe {
        if let Source::Picture = step.source {
            let rows = &step.rows.0[input.top..input.top + input.height];
            let columns = &step.columns.0[input.left..input.left + input.width];
            let output = std::slice::from_raw_parts_mut(numbers, input.height * row_stride);
            context.picture.gather::<N>(context.picture_width, rows, columns, output);
            // A last odd number is read together with this.
            numbers.add(input.height * row_stride).write(N::Stored::default());
        } else {
            for block in 0..window.blocks {
                let output = numbers.add(block * walk.block_stride);
                gather_block::<S, N>(simd, context, step, block, input, output);
            }
        }
        let operands = |group: &Group, y: usize| Operands::<N> {
            input: numbers.add(y * window.stride * row_stride),
            pixel_stride: window.stride * window.pixel,
            weights: packed.weights.as_ptr().add(group.weights),
            bias: packed.bias.as_ptr().add(group.first * S::LANES),
            output: std::ptr::null_mut(),
            output_pixel_stride: 0,
            output_block_stride: 0,
        };
        match step.target {
            Target::Blocks { planes, scale } => {
                let output = context.at(planes.buffer);
                for group in &packed.groups {
                    for y in 0..rect.height {
                        let at =
                            target_offset(&planes, scale, group.first, (rect.top + y, rect.left), S::LANES);
                        let operands = Operands {
                            output: output.add(at),
                            output_pixel_stride: scale * S::LANES,
                            output_block_stride: planes.height * planes.width * S::LANES,
                            ..operands(group, y)
                        };
                        multiply(simd, &walk, group.vectors, rect.width, operands);
                    }
                }
            }
            Target::Painting { kernel_width, channels, tanh, raw } => {
                let sums = scratch.add(window.blocks * walk.block_stride + WINDOW_SLACK);
                let slots = packed.slots();
                for group in &packed.groups {
                    for y in 0..rect.height {
                        let operands = Operands {
                            output: sums.add(y * input.width * slots + group.first * S::LANES),
                            output_pixel_stride: slots,
                            output_block_stride: S::LANES,
                            ..operands(group, y)
                        };
                        multiply(simd, &walk, group.vectors, input.width, operands);
                    }
                }
                let painting = raw.map_or(context.painting, |planes| Painting {
                    output: context.at(planes.buffer),
                    height: planes.height,
                    width: planes.width,
                    pixel_stride: S::LANES,
                    channel_stride: 1,
                });
                let shares = emit::Shares { kernel_width, channels, tanh, bias: &packed.final_bias };
                emit::rows(&painting, &shares, rect, sums, input.width, slots);
            }
        }
    }
}

/// # Safety
/// As [`run_task`].
#[inline(always)]
unsafe fn winograd<S: Simd>(
    simd: S,
    context: &Context<'_>,
    step: &Step,
    packed: &PackedConv,
    task: usize,
    strip: *mut f32,
) {
    let Target::Blocks { planes, scale } = step.target else { return };
    let (tile_rect, own, blocks) = (step.grid.task(task), step.pixels_of(task), step.window.blocks);
    let tiles = tile_rect.height * tile_rect.width;
    let input = Rect {
        top: transform::OUT * tile_rect.top,
        left: transform::OUT * tile_rect.left,
        height: transform::OUT * tile_rect.height + 2,
        width: transform::OUT * tile_rect.width + 2,
    };
    let row_stride = input.width * S::LANES;
    let input_stride = transform::product_stride(blocks * tiles * S::LANES);
    let walk = Walk {
        blocks,
        block_stride: tiles * S::LANES,
        rows: 1,
        row_stride: 0,
        run: S::LANES,
        last_run: step.window.channels - (blocks - 1) * S::LANES,
    };
    // SAFETY: the caller's promise.
    unsafe {
        let products = strip.add(input.height * row_stride);
        let sums = products.add(transform::PRODUCTS * input_stride);
        for block in 0..blocks {
            gather_block::<S, F32>(simd, context, step, block, input, strip);
            for row in 0..tile_rect.height {
                let from = strip.add(transform::OUT * row * row_stride);
                let to = products.add((block * tiles + row * tile_rect.width) * S::LANES);
                transform::inputs(simd, tile_rect.width, from, row_stride, to, input_stride);
            }
        }
        for group in &packed.groups {
            let sum_stride = transform::product_stride(group.vectors * tiles * S::LANES);
            let weights_stride = walk.weights::<F32>() * group.vectors * S::LANES;
            for product in 0..transform::PRODUCTS {
                let operands = Operands::<F32> {
                    input: products.add(product * input_stride),
                    pixel_stride: S::LANES,
                    weights: packed.weights.as_ptr().add(group.weights + product * weights_stride),
                    bias: std::ptr::null(),
                    output: sums.add(product * sum_stride),
                    output_pixel_stride: S::LANES,
                    output_block_stride: tiles * S::LANES,
                };
                multiply(simd, &walk, group.vectors, tiles, operands);
            }
            for vector in 0..group.vectors {
                let number = group.first + vector;
                let bias = simd.load(packed.bias.as_ptr().add(number * S::LANES));
                for tile in 0..tiles {
                    let (y, x) = (tile / tile_rect.width, tile % tile_rect.width);
                    let (y, x) = (own.top + transform::OUT * y, own.left + transform::OUT * x);
                    let from = sums.add((vector * tiles + tile) * S::LANES);
                    let values = transform::outputs(simd, from, sum_stride, bias);
                    let at = target_offset(&planes, scale, number, (y, x), S::LANES);
                    let strides = (planes.width * scale * S::LANES, scale * S::LANES);
                    let size = (own.top + own.height - y, own.left + own.width - x);
                    transform::store(simd, &values, context.at(planes.buffer).add(at), strides, size);
                }
            }
        }
    }
}

/// # Safety
/// `rect` lies inside the planes, and `output` has room for means and squares of every channel.
#[inline(always)]
unsafe fn leave_moments<S: Simd>(
    simd: S,
    context: &Context<'_>,
    planes: &Planes,
    rect: Rect,
    output: *mut f32,
) {
    for block in 0..planes.blocks {
        let first = ((block * planes.height + rect.top) * planes.width + rect.left) * S::LANES;
        // SAFETY: the caller's promise.
        unsafe {
            let rows = context.at(planes.buffer).add(first);
            let mean = output.add(block * S::LANES);
            let squares = mean.add(planes.blocks * S::LANES);
            let size = (rect.height, rect.width);
            moments::of_rows(simd, rows, planes.width * S::LANES, size, mean, squares);
        }
    }
}
