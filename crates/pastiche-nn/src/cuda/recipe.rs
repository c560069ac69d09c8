//! What a plan keeps of a network's weights, and how it is made of them.

use std::collections::BTreeMap;

use super::CudaPrecision;
use crate::description::{Convolution, Norm};

/// Which convolution a step makes of a layer's weights. All are without padding, over pixels of channels that lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The layer's own, on `group` neighbours of a row taken as one pixel: what lies in memory is the same, and few channels
    /// become many. The kernel is as wide as the group's pixels need together.
    Plain {
        /// Pixels that are taken together.
        group: usize,
    },
    /// 3x3 on a picture enlarged twice: at the small size, a 2x2 kernel for each of the four pixels that a small pixel
    /// becomes. Neighbours that the enlargement makes equal share the sum of their weights.
    Enlarged,
    /// A transposed 3x3 convolution with stride 2: again a 2x2 kernel for each of four phases.
    Transposed,
}

impl Form {
    /// Outputs of the layer that one output pixel of the step has, side by side.
    pub(super) const fn parts(self) -> usize {
        match self {
            Self::Plain { group } => group,
            Self::Enlarged | Self::Transposed => 4,
        }
    }

    /// Height and width of the kernel for a layer's square one.
    pub(super) const fn kernel(self, side: usize) -> (usize, usize) {
        match self {
            Self::Plain { group } => (side, (side + group - 1).div_ceil(group)),
            Self::Enlarged | Self::Transposed => (2, 2),
        }
    }

    /// Pixels of the input that are taken as one.
    pub(super) const fn group(self) -> usize {
        match self {
            Self::Plain { group } => group,
            Self::Enlarged | Self::Transposed => 1,
        }
    }

    /// Where along an axis the kernel of phase `phase` (0 or 1) has the layer's `tap`.
    fn tap(self, phase: usize, tap: usize) -> Option<usize> {
        match (self, phase, tap) {
            // The window of phase 0 ends with the small pixel, that of phase 1 begins with it.
            (Self::Enlarged, ..) => Some((tap + 1 - phase) / 2),
            (Self::Transposed, 0, 0) => Some(1),
            (Self::Transposed, 0, 2) | (Self::Transposed, 1, 1) => Some(0),
            _ => None,
        }
    }
}

/// One piece of a plan's weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Recipe {
    /// A convolution's weights: (parts x outputs, kernel height, kernel width, group x inputs).
    Filter {
        conv: Convolution,
        form: Form,
        /// Channels of a pixel in memory.
        inputs: usize,
        /// Channels of an output in memory.
        outputs: usize,
    },
    /// Factors of 1, then a convolution's bias or zeros.
    Bias { name: Option<String>, channels: usize },
    /// A norm's factors, then its summands.
    Norm { norm: Norm, channels: usize },
}

type Weights = BTreeMap<String, Vec<f32>>;

impl Recipe {
    /// How many numbers.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Filter { conv, form, inputs, outputs } => {
                let (height, width) = form.kernel(conv.kernel);
                form.parts() * outputs * height * width * form.group() * inputs
            }
            Self::Bias { channels, .. } | Self::Norm { channels, .. } => 2 * channels,
        }
    }

    /// The type that they are kept in.
    pub(super) fn precision(&self, plan: CudaPrecision) -> CudaPrecision {
        match self {
            Self::Filter { .. } => plan,
            Self::Bias { .. } | Self::Norm { .. } => CudaPrecision::F32,
        }
    }

    /// How many bytes.
    pub(super) fn bytes(&self, plan: CudaPrecision) -> usize {
        self.len() * self.precision(plan).bytes()
    }

    /// The numbers. Whatever only fills up is zero, so that channels that only fill up stay zero.
    ///
    /// # Panics
    /// The network lacks a parameter, which its making has ruled out.
    pub(super) fn values(&self, weights: &Weights) -> Vec<f32> {
        let mut values = vec![0.0; self.len()];
        match self {
            Self::Filter { conv, form, inputs, outputs } => {
                fill_filter(&mut values, &weights[&conv.weight], conv, *form, (*inputs, *outputs));
            }
            Self::Bias { name, channels } => {
                values[..*channels].fill(1.0);
                if let Some(name) = name {
                    let bias = &weights[name];
                    values[*channels..][..bias.len()].copy_from_slice(bias);
                }
            }
            Self::Norm { norm, channels } => {
                values[..norm.channels].copy_from_slice(&weights[&norm.scale]);
                values[*channels..][..norm.channels].copy_from_slice(&weights[&norm.shift]);
            }
        }
        values
    }
}

fn fill_filter(
    values: &mut [f32],
    weights: &[f32],
    conv: &Convolution,
    form: Form,
    (inputs, outputs): (usize, usize),
) {
    let side = conv.kernel;
    let (height, width) = form.kernel(side);
    let group = form.group();
    for part in 0..form.parts() {
        for output in 0..conv.out_channels {
            for input in 0..conv.in_channels {
                for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
                    let place = match form {
                        Form::Plain { group } => {
                            Some((row, (column + part) / group, (column + part) % group))
                        }
                        _ => form.tap(part / 2, row).zip(form.tap(part % 2, column)).map(|(y, x)| (y, x, 0)),
                    };
                    let Some((y, x, pixel)) = place else { continue };
                    let (first, second, count) = match form {
                        Form::Transposed => (input, output, conv.out_channels),
                        _ => (output, input, conv.in_channels),
                    };
                    let from = ((first * count + second) * side + row) * side + column;
                    let to = ((part * outputs + output) * height + y) * width + x;
                    values[to * group * inputs + pixel * inputs + input] += weights[from];
                }
            }
        }
    }
}
