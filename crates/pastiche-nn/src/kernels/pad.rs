//! Padding on the two spatial sides of planes, and its gradient.

use rayon::prelude::*;

/// Pixels added on each side of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Margins {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Margins {
    /// The same on every side.
    pub const fn uniform(amount: usize) -> Self {
        Self { top: amount, bottom: amount, left: amount, right: amount }
    }
}

/// What stands in the margins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadMode {
    /// The picture mirrored at its edge pixels, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// Zeros.
    Zero,
}

/// Where each padded position along one axis reads from; `None` is a zero.
pub(crate) fn sources(mode: PadMode, before: usize, len: usize, after: usize) -> Vec<Option<usize>> {
    (0..before + len + after)
        .map(|at| match mode {
            _ if (before..before + len).contains(&at) => Some(at - before),
            PadMode::Zero => None,
            PadMode::Reflect if at < before => Some(before - at),
            PadMode::Reflect => Some(2 * (len - 1) - (at - before)),
        })
        .collect()
}

/// Sizes of the planes before padding, and how they are padded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PadShape {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) margins: Margins,
    pub(crate) mode: PadMode,
}

impl PadShape {
    pub(crate) fn padded_height(&self) -> usize {
        self.margins.top + self.height + self.margins.bottom
    }

    pub(crate) fn padded_width(&self) -> usize {
        self.margins.left + self.width + self.margins.right
    }

    fn axes(&self) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
        let Margins { top, bottom, left, right } = self.margins;
        (sources(self.mode, top, self.height, bottom), sources(self.mode, left, self.width, right))
    }
}

/// Pads every plane of `input` into `output`.
pub(crate) fn forward(shape: &PadShape, input: &[f32], output: &mut [f32]) {
    let (rows, columns) = shape.axes();
    let PadShape { width, margins: Margins { left, right, .. }, .. } = *shape;
    let planes = output.par_chunks_exact_mut(shape.padded_height() * shape.padded_width());
    planes.zip(input.par_chunks_exact(shape.height * width)).for_each(|(output, input)| {
        for (row, from_row) in output.chunks_exact_mut(shape.padded_width()).zip(&rows) {
            let Some(from_row) = from_row else {
                row.fill(0.0);
                continue;
            };
            let source = &input[from_row * width..(from_row + 1) * width];
            row[left..left + width].copy_from_slice(source);
            for at in (0..left).chain(left + width..left + width + right) {
                row[at] = columns[at].map_or(0.0, |from| source[from]);
            }
        }
    });
}

/// Adds the gradient of every padded pixel to the pixel that it was read from.
pub(crate) fn backward(shape: &PadShape, grad_output: &[f32], grad_input: &mut [f32]) {
    let (rows, columns) = shape.axes();
    let width = shape.width;
    let planes = grad_input.par_chunks_exact_mut(shape.height * width);
    let padded_planes = grad_output.par_chunks_exact(shape.padded_height() * shape.padded_width());
    planes.zip(padded_planes).for_each(|(grad_input, grad_output)| {
        grad_input.fill(0.0);
        for (row, to_row) in grad_output.chunks_exact(shape.padded_width()).zip(&rows) {
            let Some(to_row) = to_row else { continue };
            let target = &mut grad_input[to_row * width..(to_row + 1) * width];
            for (grad, to) in row.iter().zip(&columns) {
                if let Some(to) = to {
                    target[*to] += grad;
                }
            }
        }
    });
}
