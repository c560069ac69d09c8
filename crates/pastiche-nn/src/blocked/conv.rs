//! A 3x3 convolution with stride 1 over padded or masked planes.
#![allow(unsafe_code)] // tasks write disjoint tiles of one buffer, through pointers

use std::cell::RefCell;

use rayon::prelude::*;

use super::{Planes, Shared, Size, Weights, edges};
use crate::{
    PadMode,
    plan::{
        lines::Lines,
        multiply::{self, Operands, Walk, multiply},
        number::F32,
        transform::{self, OUT, PRODUCTS},
    },
    simd::{Level, Simd, by_level},
};

/// Numbers that the products of a task should fill at most: with its sums, about half a megabyte.
const PRODUCT_FLOATS: usize = 80 << 10;
/// Tiles that a task takes at least, where there are enough, so that reading the weights is worth the while.
const MIN_TILES: usize = 24;
/// Tiles that a task takes at most.
const MAX_TILES: usize = 48;
/// Tasks that a convolution is cut into at least, where it is large enough.
const MIN_TASKS: usize = 8;

/// What a convolution reads.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) planes: &'a Planes,
    /// Pixels on each side of the planes that are passed over.
    pub(crate) ring: usize,
    /// Numbers count only where these are larger than zero; of the planes' size without their ring.
    pub(crate) mask: Option<&'a Planes>,
}

impl<'a> From<&'a Planes> for Source<'a> {
    fn from(planes: &'a Planes) -> Self {
        Self { planes, ring: 0, mask: None }
    }
}

/// A convolution: padding by `margin` pixels on each side, 3x3 kernels, bias, ReLU.
#[derive(Clone, Copy)]
pub(crate) struct Conv3x3<'a> {
    pub(crate) weights: &'a Weights,
    /// One number an output channel, filled up to whole vectors.
    pub(crate) bias: Option<&'a Lines>,
    pub(crate) relu: bool,
    pub(crate) mode: PadMode,
    pub(crate) margin: usize,
}

impl Conv3x3<'_> {
    /// Runs it; the output is `2 * margin - 2` pixels higher and wider than the source without its ring.
    pub(crate) fn run(&self, level: Level, source: Source<'_>) -> Planes {
        let planes = source.planes;
        assert_eq!((planes.lanes, self.weights.lanes), (level.lanes(), level.lanes()));
        assert_eq!(planes.size.channels, self.weights.in_channels);
        let (height, width) = (planes.size.height - 2 * source.ring, planes.size.width - 2 * source.ring);
        if let Some(mask) = source.mask {
            assert_eq!((mask.lanes, mask.size), (planes.lanes, Size { height, width, ..planes.size }));
        }
        let out_side = |side: usize| side + 2 * self.margin + 1 - transform::TAPS;
        let channels = self.weights.out_channels;
        let size =
            Size { batch: planes.size.batch, channels, height: out_side(height), width: out_side(width) };
        let mut output = Planes::unset(size, planes.lanes);
        assert!(self.bias.is_none_or(|bias| bias.len() == output.blocks() * planes.lanes));
        let (down, across) = (size.height.div_ceil(OUT), size.width.div_ceil(OUT));
        let channels = planes.size.channels.max(channels);
        let job = Job {
            conv: *self,
            source,
            rows: edges::axis(self.mode, self.margin, height, OUT * down + 2),
            columns: edges::axis(self.mode, self.margin, width, OUT * across + 2),
            size,
            output: Shared(output.values.as_mut_slice().as_mut_ptr()),
            tiles: down * across,
            across,
            task_tiles: task_tiles(down * across, size.batch, channels),
        };
        let tasks = size.batch * job.tasks_per_image();
        (0..tasks).into_par_iter().with_max_len(1).for_each(|task| {
            with_scratch(job.scratch_len(), |scratch| run_task(level, &job, task, scratch));
        });
        output
    }
}

/// How many tiles a task takes: those that cost least, with what it costs a task to read the weights.
fn task_tiles(tiles: usize, batch: usize, channels: usize) -> usize {
    let most = (PRODUCT_FLOATS / (PRODUCTS * channels)).clamp(MIN_TILES, MAX_TILES);
    let most = most.min((tiles * batch).div_ceil(MIN_TASKS)).clamp(1, tiles);
    let task = |tiles: usize| if tiles == 0 { 0 } else { multiply::cost(tiles) + 4 * multiply::FULL_TILE };
    let cost = |part: &usize| tiles / part * task(*part) + task(tiles % part);
    (most.div_ceil(2)..=most).min_by_key(cost).unwrap_or(most)
}

thread_local! {
    /// Memory for one task at a time.
    static SCRATCH: RefCell<Lines> = RefCell::new(Lines::zeros(0));
}

fn with_scratch(len: usize, work: impl FnOnce(&mut [f32])) {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < len {
            *scratch = Lines::zeros(len);
        }
        work(&mut scratch.as_mut_slice()[..len]);
    });
}

/// What all tasks share.
struct Job<'a> {
    conv: Conv3x3<'a>,
    source: Source<'a>,
    /// Where the rows and columns of the tiles are read; negative for zeros.
    rows: Vec<i32>,
    columns: Vec<i32>,
    size: Size,
    output: Shared,
    /// Tiles of a picture, and of a row of it.
    tiles: usize,
    across: usize,
    task_tiles: usize,
}

/// Tiles that lie side by side.
struct Run {
    /// Place in the task.
    place: usize,
    row: usize,
    column: usize,
    len: usize,
}

impl Job<'_> {
    fn tasks_per_image(&self) -> usize {
        self.tiles.div_ceil(self.task_tiles)
    }

    fn in_channels(&self) -> usize {
        self.source.planes.blocks() * self.source.planes.lanes
    }

    fn out_channels(&self) -> usize {
        self.conv.weights.out_channels.next_multiple_of(self.conv.weights.lanes)
    }

    fn strip_len(&self) -> usize {
        transform::IN * (OUT * self.task_tiles.min(self.across) + 2) * self.source.planes.lanes
    }

    fn scratch_len(&self) -> usize {
        let products = transform::product_stride(self.task_tiles * self.in_channels());
        let sums = transform::product_stride(self.task_tiles * self.out_channels());
        self.strip_len() + PRODUCTS * (products + sums)
    }

    /// The runs of `count` tiles from tile `first` on.
    #[inline(always)]
    fn run_after(&self, first: usize, done: usize, count: usize) -> Run {
        let (row, column) = ((first + done) / self.across, (first + done) % self.across);
        Run { place: done, row, column, len: (self.across - column).min(count - done) }
    }
}

by_level! {
    /// Makes the tiles of one task.
    fn run_task(job: &Job<'_>, task: usize, scratch: &mut [f32]) = tiles
}

#[inline(always)]
fn tiles<S: Simd>(simd: S, job: &Job<'_>, task: usize, scratch: &mut [f32]) {
    assert!(scratch.len() >= job.scratch_len() && S::LANES == job.conv.weights.lanes);
    let per_image = job.tasks_per_image();
    let (image, first) = (task / per_image, task % per_image * job.task_tiles);
    let count = job.task_tiles.min(job.tiles - first);
    // SAFETY: `Conv3x3::run` checked that planes, mask, weights and bias fit each other; the scratch memory was just
    // checked; tasks write tiles of their own.
    unsafe {
        let strip = scratch.as_mut_ptr();
        let products = strip.add(job.strip_len());
        let input_stride = transform::product_stride(count * job.in_channels());
        let sums = products.add(PRODUCTS * input_stride);
        let sum_stride = transform::product_stride(count * job.out_channels());
        transform_inputs(simd, job, image, (first, count), strip, products, input_stride);
        multiply_all(simd, job, count, (products, input_stride), (sums, sum_stride));
        transform_outputs(simd, job, image, (first, count), sums, sum_stride);
    }
}

/// # Safety
/// As [`tiles`]; there is room for the strip and the products.
#[inline(always)]
unsafe fn transform_inputs<S: Simd>(
    simd: S,
    job: &Job<'_>,
    image: usize,
    (first, count): (usize, usize),
    strip: *mut f32,
    products: *mut f32,
    product_stride: usize,
) {
    let blocks = job.source.planes.blocks();
    for block in 0..blocks {
        let mut done = 0;
        while done < count {
            let run = job.run_after(first, done, count);
            let rows = &job.rows[OUT * run.row..][..transform::IN];
            let columns = &job.columns[OUT * run.column..][..OUT * run.len + 2];
            let row_stride = columns.len() * S::LANES;
            // SAFETY: the caller's promise.
            unsafe {
                gather(simd, &job.source, image * blocks + block, rows, columns, strip);
                let to = products.add((block * count + run.place) * S::LANES);
                transform::inputs(simd, run.len, strip, row_stride, to, product_stride);
            }
            done += run.len;
        }
    }
}

/// Reads a window of one block: zeros where a row or column is negative or the mask says so.
///
/// # Safety
/// Rows and columns lie inside the source; there is room for the window.
#[inline(always)]
unsafe fn gather<S: Simd>(
    simd: S,
    source: &Source<'_>,
    block: usize,
    rows: &[i32],
    columns: &[i32],
    output: *mut f32,
) {
    let Source { planes, ring, mask } = *source;
    let width = planes.size.width;
    // SAFETY: the caller's promise.
    unsafe {
        let values = planes.values.as_ptr().add(block * planes.block_len());
        for (y, &row) in rows.iter().enumerate() {
            let to = output.add(y * columns.len() * S::LANES);
            if row < 0 {
                to.write_bytes(0, columns.len() * S::LANES);
                continue;
            }
            let from = values.add(((row as usize + ring) * width + ring) * S::LANES);
            if let Some(mask) = mask {
                let at = (block * mask.size.plane() + row as usize * mask.size.width) * S::LANES;
                gather_row::<S, true>(simd, from, mask.values.as_ptr().add(at), columns, to);
            } else {
                gather_row::<S, false>(simd, from, std::ptr::null(), columns, to);
            }
        }
    }
}

/// # Safety
/// As [`gather`]; with `MASKED` there is a mask.
#[inline(always)]
unsafe fn gather_row<S: Simd, const MASKED: bool>(
    simd: S,
    from: *const f32,
    mask: *const f32,
    columns: &[i32],
    mut to: *mut f32,
) {
    for &column in columns {
        let mut value = simd.splat(0.0);
        if column >= 0 {
            let at = column as usize * S::LANES;
            // SAFETY: the caller's promise.
            unsafe {
                value = simd.load(from.add(at));
                if MASKED {
                    value = simd.where_positive(value, simd.load(mask.add(at)));
                }
            }
        }
        // SAFETY: the caller's promise.
        unsafe {
            simd.store(to, value);
            to = to.add(S::LANES);
        }
    }
}

/// The sums of every product: for each, (output block, tile, lane).
///
/// # Safety
/// As [`tiles`]; the products can be read and the sums written.
#[inline(always)]
unsafe fn multiply_all<S: Simd>(
    simd: S,
    job: &Job<'_>,
    count: usize,
    (products, input_stride): (*const f32, usize),
    (sums, sum_stride): (*mut f32, usize),
) {
    let weights = job.conv.weights;
    let (blocks, in_channels) = (job.source.planes.blocks(), weights.in_channels);
    let walk = Walk {
        blocks,
        block_stride: count * S::LANES,
        rows: 1,
        row_stride: 0,
        run: S::LANES,
        last_run: in_channels - (blocks - 1) * S::LANES,
    };
    for product in 0..PRODUCTS {
        for group in &weights.groups {
            let weights_at = in_channels * S::LANES * (PRODUCTS * group.first + product * group.vectors);
            // SAFETY: the caller's promise; the weights of a group lie product by product.
            unsafe {
                let operands = Operands::<F32> {
                    input: products.add(product * input_stride),
                    pixel_stride: S::LANES,
                    weights: weights.values.as_ptr().add(weights_at),
                    bias: std::ptr::null(),
                    output: sums.add(product * sum_stride + group.first * count * S::LANES),
                    output_pixel_stride: S::LANES,
                    output_block_stride: count * S::LANES,
                };
                multiply(simd, &walk, group.vectors, count, operands);
            }
        }
    }
}

/// # Safety
/// As [`tiles`]; the sums can be read.
#[inline(always)]
unsafe fn transform_outputs<S: Simd>(
    simd: S,
    job: &Job<'_>,
    image: usize,
    (first, count): (usize, usize),
    sums: *const f32,
    sum_stride: usize,
) {
    let Size { height, width, .. } = job.size;
    let blocks = job.out_channels() / S::LANES;
    for block in 0..blocks {
        // SAFETY: the caller's promise; the bias has a vector a block.
        unsafe {
            let mut bias = simd.splat(0.0);
            if let Some(values) = job.conv.bias {
                bias = simd.load(values.as_ptr().add(block * S::LANES));
            }
            let plane = job.output.get().add((image * blocks + block) * height * width * S::LANES);
            for tile in 0..count {
                let (y, x) = ((first + tile) / job.across * OUT, (first + tile) % job.across * OUT);
                let from = sums.add((block * count + tile) * S::LANES);
                let mut values = transform::outputs(simd, from, sum_stride, bias);
                if job.conv.relu {
                    for row in &mut values {
                        for value in row {
                            *value = simd.max(*value, simd.splat(0.0));
                        }
                    }
                }
                let to = plane.add((y * width + x) * S::LANES);
                let strides = (width * S::LANES, S::LANES);
                transform::store(simd, &values, to, strides, (height - y, width - x));
            }
        }
    }
}
