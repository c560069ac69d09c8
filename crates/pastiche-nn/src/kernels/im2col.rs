//! Patches as columns: what turns a convolution into a matrix product (and its data gradient back).

use super::conv::ConvShape;

/// A rectangle of work: output rows `first_row..first_row + rows`, input channels
/// `first_channel..first_channel + channels`.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    pub(crate) first_channel: usize,
    pub(crate) channels: usize,
}

impl Tile {
    pub(crate) fn pixels(self, shape: &ConvShape) -> usize {
        self.rows * shape.out_width()
    }

    /// Length of the column matrix: (channels * kernel * kernel) x pixels, row-major.
    pub(crate) fn columns_len(self, shape: &ConvShape) -> usize {
        self.channels * shape.kernel * shape.kernel * self.pixels(shape)
    }

    /// Calls `visit(place in the columns, place in the image)` for every run of one output row: `out_width` elements
    /// in the columns, and as many in the image, `stride` apart.
    fn for_each_run(self, shape: &ConvShape, mut visit: impl FnMut(usize, usize)) {
        let (kernel, out_width) = (shape.kernel, shape.out_width());
        let mut column = 0;
        for channel in self.first_channel..self.first_channel + self.channels {
            for tap_y in 0..kernel {
                for tap_x in 0..kernel {
                    for row in self.first_row..self.first_row + self.rows {
                        let y = row * shape.stride + tap_y;
                        visit(column, (channel * shape.in_height + y) * shape.in_width + tap_x);
                        column += out_width;
                    }
                }
            }
        }
    }
}

/// Copies the patches of one image (C, H, W) into `columns`.
pub(crate) fn im2col(shape: &ConvShape, tile: Tile, image: &[f32], columns: &mut [f32]) {
    let (out_width, stride) = (shape.out_width(), shape.stride);
    tile.for_each_run(shape, |column, at| {
        let run = &mut columns[column..column + out_width];
        if stride == 1 {
            run.copy_from_slice(&image[at..at + out_width]);
        } else {
            for (to, from) in run.iter_mut().zip(image[at..].iter().step_by(stride)) {
                *to = *from;
            }
        }
    });
}

/// Adds `columns` to the pixels of one image (C, H, W) that [`im2col`] would have read them from.
///
/// `image` starts at channel `tile.first_channel`, so that channels can be written by different threads.
pub(crate) fn col2im(shape: &ConvShape, tile: Tile, columns: &[f32], image: &mut [f32]) {
    let (out_width, stride) = (shape.out_width(), shape.stride);
    let skipped = tile.first_channel * shape.in_height * shape.in_width;
    tile.for_each_run(shape, |column, at| {
        let run = &columns[column..column + out_width];
        let target = &mut image[at - skipped..];
        if stride == 1 {
            for (to, from) in target[..out_width].iter_mut().zip(run) {
                *to += *from;
            }
        } else {
            for (to, from) in target.iter_mut().step_by(stride).zip(run) {
                *to += *from;
            }
        }
    });
}
