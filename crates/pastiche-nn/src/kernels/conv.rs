//! Convolution without padding, and its two gradients, as blocked matrix products over [`super::im2col`].
//!
//! A transposed convolution is the data gradient of a convolution, so these three functions serve both.

use rayon::prelude::*;

use super::{
    im2col::{Tile, col2im, im2col},
    matmul::{Matrix, matmul},
};

/// Floats of one tile's column matrix: 1 MiB, which the second-level cache and the matrix product share well.
const TILE_FLOATS: usize = 1 << 18;
/// Input channels that one thread handles at a time in the gradients. Fixed, so that sums keep their order whatever
/// the number of threads.
const CHANNELS_PER_TASK: usize = 8;

/// Tasks that the gradient of weights is cut into at least.
const MIN_TASKS: usize = 8;

/// Sizes of a convolution: input (batch, in_channels, in_height, in_width), weights (out_channels, in_channels,
/// kernel, kernel), output (batch, out_channels, out_height, out_width).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConvShape {
    pub(crate) batch: usize,
    pub(crate) in_channels: usize,
    pub(crate) in_height: usize,
    pub(crate) in_width: usize,
    pub(crate) out_channels: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
}

impl ConvShape {
    pub(crate) fn out_height(&self) -> usize {
        (self.in_height - self.kernel) / self.stride + 1
    }

    pub(crate) fn out_width(&self) -> usize {
        (self.in_width - self.kernel) / self.stride + 1
    }

    pub(crate) fn in_plane(&self) -> usize {
        self.in_height * self.in_width
    }

    pub(crate) fn out_plane(&self) -> usize {
        self.out_height() * self.out_width()
    }

    pub(crate) fn in_len(&self) -> usize {
        self.batch * self.in_channels * self.in_plane()
    }

    pub(crate) fn out_len(&self) -> usize {
        self.batch * self.out_channels * self.out_plane()
    }

    /// Weights of one output channel: the inner size of the matrix product.
    pub(crate) fn patch_len(&self) -> usize {
        self.in_channels * self.kernel * self.kernel
    }

    pub(crate) fn weight_len(&self) -> usize {
        self.out_channels * self.patch_len()
    }

    /// Output rows of a tile over `channels` input channels.
    fn rows_per_tile(&self, channels: usize) -> usize {
        let row_floats = channels * self.kernel * self.kernel * self.out_width();
        (TILE_FLOATS / row_floats).clamp(1, self.out_height())
    }

    /// Cuts the output rows into tiles over the given input channels.
    fn tiles(&self, first_channel: usize, channels: usize) -> impl Iterator<Item = Tile> + use<> {
        let (out_height, rows) = (self.out_height(), self.rows_per_tile(channels));
        (0..out_height).step_by(rows).map(move |first_row| Tile {
            first_row,
            rows: rows.min(out_height - first_row),
            first_channel,
            channels,
        })
    }
}

/// `output = input * weight + bias` (cross-correlation, as everywhere in this field).
pub(crate) fn forward(shape: &ConvShape, input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
    assert_eq!(
        (input.len(), weight.len(), bias.len(), output.len()),
        (shape.in_len(), shape.weight_len(), shape.out_channels, shape.out_len())
    );
    let (out_plane, patch_len) = (shape.out_plane(), shape.patch_len());
    let weight = Matrix::row_major(weight, shape.out_channels, patch_len, patch_len);
    let images = input.chunks_exact(shape.in_channels * shape.in_plane());
    for (image, output) in images.zip(output.chunks_exact_mut(shape.out_channels * out_plane)) {
        for_each_row_band(shape, output, |tile, columns, band| {
            let pixels = tile.pixels(shape);
            im2col(shape, tile, image, columns);
            let columns = Matrix::row_major(columns, patch_len, pixels, pixels);
            let product = &mut band.product;
            matmul(product, pixels, weight, columns, false);
            for ((row, product), bias) in band.rows.iter_mut().zip(product.chunks_exact(pixels)).zip(bias) {
                for (to, from) in row.iter_mut().zip(product) {
                    *to = from + bias;
                }
            }
        });
    }
}

/// The part of an image's output that one tile fills: its pixels in every output channel, and room for the product.
struct Band<'a> {
    rows: Vec<&'a mut [f32]>,
    product: Vec<f32>,
}

/// Runs `work` for every tile of one output image (C, H, W), in parallel, each with its own scratch columns.
fn for_each_row_band(
    shape: &ConvShape,
    output: &mut [f32],
    work: impl Fn(Tile, &mut [f32], &mut Band<'_>) + Sync,
) {
    let tiles: Vec<Tile> = shape.tiles(0, shape.in_channels).collect();
    let mut bands: Vec<Band<'_>> = tiles
        .iter()
        .map(|_| Band { rows: Vec::with_capacity(shape.out_channels), product: Vec::new() })
        .collect();
    for plane in output.chunks_exact_mut(shape.out_plane()) {
        let mut rest = plane;
        for (tile, band) in tiles.iter().zip(&mut bands) {
            let (head, tail) = rest.split_at_mut(tile.pixels(shape));
            band.rows.push(head);
            rest = tail;
        }
    }
    tiles.into_par_iter().zip(bands).for_each_init(Vec::new, |columns, (tile, mut band)| {
        columns.resize(tile.columns_len(shape), 0.0);
        band.product = vec![0.0; shape.out_channels * tile.pixels(shape)];
        work(tile, columns, &mut band);
    });
}

/// Gradient of the input from the gradient of the output.
pub(crate) fn backward_data(shape: &ConvShape, weight: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    assert_eq!(
        (weight.len(), grad_output.len(), grad_input.len()),
        (shape.weight_len(), shape.out_len(), shape.in_len())
    );
    let (in_plane, out_plane) = (shape.in_plane(), shape.out_plane());
    let taps = shape.kernel * shape.kernel;
    grad_input.fill(0.0);
    let images = grad_input.chunks_exact_mut(shape.in_channels * in_plane);
    for (grad_input, grad_output) in images.zip(grad_output.chunks_exact(shape.out_channels * out_plane)) {
        let tasks = grad_input.par_chunks_mut(CHANNELS_PER_TASK * in_plane).enumerate();
        tasks.for_each_init(Vec::new, |columns, (task, grad_input)| {
            let first_channel = task * CHANNELS_PER_TASK;
            let channels = grad_input.len() / in_plane;
            let weight = Matrix::row_major(
                &weight[first_channel * taps..],
                shape.out_channels,
                channels * taps,
                shape.patch_len(),
            );
            for tile in shape.tiles(first_channel, channels) {
                let pixels = tile.pixels(shape);
                columns.resize(tile.columns_len(shape), 0.0);
                let grad_output = Matrix::row_major(
                    &grad_output[tile.first_row * shape.out_width()..],
                    shape.out_channels,
                    pixels,
                    out_plane,
                );
                matmul(columns, pixels, weight.transposed(), grad_output, false);
                col2im(shape, tile, columns, grad_input);
            }
        });
    }
}

/// Gradient of the weights from the input and the gradient of the output, summed over the batch.
pub(crate) fn backward_weight(
    shape: &ConvShape,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    assert_eq!(
        (input.len(), grad_output.len(), grad_weight.len()),
        (shape.in_len(), shape.out_len(), shape.weight_len())
    );
    let (out_plane, patch_len) = (shape.out_plane(), shape.patch_len());
    let taps = shape.kernel * shape.kernel;
    let groups = shape.in_channels.div_ceil(CHANNELS_PER_TASK);
    // Few channels are shared out by their pixels, too; the parts are added up in their order.
    let parts = MIN_TASKS.div_ceil(groups);
    let slices: Vec<(usize, Vec<f32>)> = (0..groups * parts)
        .into_par_iter()
        .map(|task| {
            let first_channel = task / parts * CHANNELS_PER_TASK;
            let channels = CHANNELS_PER_TASK.min(shape.in_channels - first_channel);
            let width = channels * taps;
            let mut slice = vec![0.0; shape.out_channels * width];
            let mut columns = Vec::new();
            let tiles: Vec<Tile> = shape.tiles(first_channel, channels).collect();
            let all = shape.batch * tiles.len();
            let (start, end) = (task % parts * all / parts, (task % parts + 1) * all / parts);
            for at in start..end {
                let (image, tile) = (at / tiles.len(), tiles[at % tiles.len()]);
                let pixels = tile.pixels(shape);
                columns.resize(tile.columns_len(shape), 0.0);
                let in_len = shape.in_channels * shape.in_plane();
                im2col(shape, tile, &input[image * in_len..(image + 1) * in_len], &mut columns);
                let first_pixel = image * shape.out_channels * out_plane + tile.first_row * shape.out_width();
                let grad_output =
                    Matrix::row_major(&grad_output[first_pixel..], shape.out_channels, pixels, out_plane);
                let patches = Matrix::row_major(&columns, width, pixels, pixels).transposed();
                matmul(&mut slice, width, grad_output, patches, true);
            }
            (first_channel, slice)
        })
        .collect();
    grad_weight.fill(0.0);
    for (first_channel, slice) in slices {
        let width = slice.len() / shape.out_channels;
        let targets = grad_weight.chunks_exact_mut(patch_len);
        for (target, source) in targets.zip(slice.chunks_exact(width)) {
            let target = &mut target[first_channel * taps..first_channel * taps + width];
            for (to, from) in target.iter_mut().zip(source) {
                *to += from;
            }
        }
    }
}
