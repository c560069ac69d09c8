//! What tells convolutions apart, and their sizes as cuDNN takes them.

use crate::kernels::conv::ConvShape;

/// A convolution with zeros around its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Padded {
    /// That of the input with the zeros.
    pub(crate) shape: ConvShape,
    /// How many on each side.
    pub(crate) padding: usize,
}

impl Padded {
    /// Without zeros.
    pub(crate) fn not(shape: ConvShape) -> Self {
        Self { shape, padding: 0 }
    }

    /// Sizes of the input, without the zeros.
    pub(crate) fn input_dims(&self) -> [usize; 4] {
        let ConvShape { batch, in_channels, in_height, in_width, .. } = self.shape;
        [batch, in_channels, in_height - 2 * self.padding, in_width - 2 * self.padding]
    }

    /// Sizes of the weights.
    pub(crate) fn weight_dims(&self) -> [usize; 4] {
        let ConvShape { out_channels, in_channels, kernel, .. } = self.shape;
        [out_channels, in_channels, kernel, kernel]
    }

    /// Sizes of the output.
    pub(crate) fn output_dims(&self) -> [usize; 4] {
        let shape = &self.shape;
        [shape.batch, shape.out_channels, shape.out_height(), shape.out_width()]
    }
}

/// What is computed of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// The output.
    Forward,
    /// The gradient of the input.
    Data,
    /// The gradient of the weights.
    Weight,
}

/// All that cuDNN's choice of an algorithm depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) convolution: Padded,
    pub(crate) direction: Direction,
    /// Whether factors may be rounded to TF32.
    pub(crate) rounds_factors: bool,
}

/// The size of the workspace that takes the place of one of `have` bytes, where `needed` are more.
pub(crate) fn workspace_growth(have: usize, needed: usize) -> Option<usize> {
    // In large steps, since the largest convolution is rarely the first.
    const STEP_BYTES: usize = 8 << 20;
    (needed > have).then(|| needed.next_multiple_of(STEP_BYTES))
}
