//! Weights in the order in which the kernels use them.

use std::{collections::BTreeMap, ops::Range};

use super::{
    lines::Lines,
    multiply,
    number::{Bf16, F32, Number},
    step::{Method, Step, Target, Window},
    transform,
};
use crate::{
    Products,
    description::{Convolution, Norm},
};

/// Which convolution a step makes of a layer's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// The layer's own.
    Plain,
    /// 3x3 on a picture enlarged twice: at the small size, one 3x3 kernel for each of the four pixels that a small pixel
    /// becomes. Neighbours that the enlargement makes equal share the sum of their weights.
    Enlarged,
    /// A transposed 3x3 convolution with stride 2: again four phases.
    Transposed,
    /// On a picture whose squares of `factor` x `factor` pixels were stacked as channels: a larger kernel on the picture
    /// as it was.
    SpaceToDepth { factor: usize },
    /// One output for each column of the kernel and each output channel, from that column alone.
    Columns,
}

impl Kernel {
    /// How many convolutions are made side by side, one a pixel of a square that an input pixel becomes.
    pub(super) const fn phases(self) -> usize {
        match self {
            Self::Enlarged | Self::Transposed => 4,
            Self::Plain | Self::SpaceToDepth { .. } | Self::Columns => 1,
        }
    }
}

/// What a step's weights are made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recipe {
    pub(super) conv: Convolution,
    pub(super) kernel: Kernel,
    pub(super) norm: Option<Norm>,
}

/// Output vectors that are computed together. Vectors are numbered phase by phase, in each by channel block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) vectors: usize,
    /// Where its weights start.
    pub(super) weights: usize,
}

/// The weights of a step.
#[derive(Debug)]
pub(super) struct PackedConv {
    /// What the weights were packed for.
    recipe: Recipe,
    method: Method,
    window: Window,
    pub(super) weights: Lines,
    pub(super) bias: Lines,
    /// What the painting's channels start from.
    pub(super) final_bias: [f32; 4],
    pub(super) groups: Vec<Group>,
    /// Factors and summands of the norm that follows, padded to whole vectors.
    pub(super) norm: Option<[Vec<f32>; 2]>,
}

/// Weights by output slot, input channel, row and column. Slots are output channels, padded to whole vectors in each
/// phase.
struct Dense {
    phases: usize,
    slots: usize,
    in_channels: usize,
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Dense {
    fn new(
        phases: usize,
        channels: usize,
        in_channels: usize,
        (height, width): (usize, usize),
        lanes: usize,
    ) -> Self {
        let slots = channels.next_multiple_of(lanes);
        let values = vec![0.0; phases * slots * in_channels * height * width];
        Self { phases, slots, in_channels, height, width, values }
    }

    fn place(&self, slot: usize, channel: usize, y: usize, x: usize) -> usize {
        ((slot * self.in_channels + channel) * self.height + y) * self.width + x
    }

    fn get(&self, slot: usize, channel: usize, y: usize, x: usize) -> f64 {
        if channel < self.in_channels { self.values[self.place(slot, channel, y, x)] } else { 0.0 }
    }

    fn add(&mut self, slot: usize, channel: usize, y: usize, x: usize, value: f32) {
        let at = self.place(slot, channel, y, x);
        self.values[at] += f64::from(value);
    }

    fn of(recipe: &Recipe, weights: &[f32], lanes: usize) -> Self {
        let Convolution { in_channels, out_channels, kernel, .. } = recipe.conv;
        let size = |kernel: usize| (kernel, kernel);
        let mut dense = match recipe.kernel {
            Kernel::Plain => Self::new(1, out_channels, in_channels, size(kernel), lanes),
            Kernel::Enlarged | Kernel::Transposed => Self::new(4, out_channels, in_channels, size(3), lanes),
            Kernel::SpaceToDepth { factor } => {
                Self::new(1, out_channels, in_channels / (factor * factor), size(kernel * factor), lanes)
            }
            Kernel::Columns => Self::new(1, kernel * out_channels, in_channels, (kernel, 1), lanes),
        };
        let slots = dense.slots;
        for output in 0..out_channels {
            for input in 0..in_channels {
                for y in 0..kernel {
                    for x in 0..kernel {
                        let at = |first: usize, second: usize, firsts: usize| {
                            ((first * firsts + second) * kernel + y) * kernel + x
                        };
                        match recipe.kernel {
                            Kernel::Plain => {
                                dense.add(output, input, y, x, weights[at(output, input, in_channels)]);
                            }
                            Kernel::Enlarged => {
                                let weight = weights[at(output, input, in_channels)];
                                for phase in 0..4 {
                                    let (row, column) = (small(phase / 2, y), small(phase % 2, x));
                                    dense.add(phase * slots + output, input, row, column, weight);
                                }
                            }
                            Kernel::Transposed => {
                                // Output 2 i is fed by input i through tap 0 and by input i - 1 through tap 2, output
                                // 2 i + 1 by input i through tap 1.
                                let phase = 2 * (y % 2) + x % 2;
                                let tap = |tap: usize| usize::from(tap != 2);
                                let weight = weights[at(input, output, out_channels)];
                                dense.add(phase * slots + output, input, tap(y), tap(x), weight);
                            }
                            Kernel::SpaceToDepth { factor } => {
                                let (channel, part) = (input / (factor * factor), input % (factor * factor));
                                let (row, column) = (y * factor + part / factor, x * factor + part % factor);
                                dense.add(
                                    output,
                                    channel,
                                    row,
                                    column,
                                    weights[at(output, input, in_channels)],
                                );
                            }
                            Kernel::Columns => {
                                let slot = x * out_channels + output;
                                dense.add(slot, input, y, 0, weights[at(output, input, in_channels)]);
                            }
                        }
                    }
                }
            }
        }
        dense
    }
}

/// The small pixel, of three in a row, that tap `tap` of a 3-tap kernel meets on the enlarged picture, at pixel `phase`
/// of the middle one.
fn small(phase: usize, tap: usize) -> usize {
    (phase + tap).div_ceil(2)
}

impl PackedConv {
    /// Packs the weights of a step, given by name.
    pub(super) fn new(step: &Step, parameters: &BTreeMap<String, Vec<f32>>, lanes: usize) -> Self {
        let recipe = &step.recipe;
        let dense = Dense::of(recipe, &parameters[&recipe.conv.weight], lanes);
        let channels = recipe.conv.out_channels;
        let bias =
            recipe.conv.bias.as_ref().map_or_else(|| vec![0.0; channels], |name| parameters[name].clone());
        let mut final_bias = [0.0; 4];
        let mut slot_bias = vec![0.0; dense.phases * dense.slots];
        if let Target::Painting { .. } = step.target {
            final_bias[..channels].copy_from_slice(&bias);
        } else {
            for phase in slot_bias.chunks_exact_mut(dense.slots) {
                phase[..channels].copy_from_slice(&bias);
            }
        }
        let vectors = dense.slots / lanes;
        let sizes: Vec<usize> = match step.method {
            Method::Winograd => multiply::groups(dense.phases * vectors).collect(),
            // The outputs of a group must lie in one phase.
            Method::Direct(_) => (0..dense.phases).flat_map(|_| multiply::groups(vectors)).collect(),
        };
        let (mut groups, mut weights, mut first) = (Vec::new(), Vec::new(), 0);
        for vectors in sizes {
            groups.push(Group { first, vectors, weights: weights.len() });
            let slots = first * lanes..(first + vectors) * lanes;
            match step.method {
                Method::Direct(Products::F32) => pack_direct::<F32>(&dense, slots, step, &mut weights),
                Method::Direct(Products::Bf16) => pack_direct::<Bf16>(&dense, slots, step, &mut weights),
                Method::Winograd => pack_winograd(&dense, slots, &mut weights),
            }
            first += vectors;
        }
        let norm = recipe.norm.as_ref().map(|norm| {
            [&norm.scale, &norm.shift].map(|name| {
                let mut values = parameters[name].clone();
                values.resize(channels.next_multiple_of(lanes), 0.0);
                values
            })
        });
        Self {
            recipe: recipe.clone(),
            method: step.method,
            window: step.window,
            weights: Lines::of(&weights),
            bias: Lines::of(&slot_bias),
            final_bias,
            groups,
            norm,
        }
    }

    /// Whether a step of another picture size can use them.
    pub(super) fn fits(&self, step: &Step) -> bool {
        (&self.recipe, self.method, self.window) == (&step.recipe, step.method, step.window)
    }

    /// Output slots of all groups of one phase.
    pub(super) fn slots(&self) -> usize {
        self.bias.len()
    }
}

fn pack_direct<N: Number>(dense: &Dense, slots: Range<usize>, step: &Step, weights: &mut Vec<f32>) {
    let walk = step.window.walk(0, 0);
    for block in 0..walk.blocks {
        for y in 0..dense.height {
            let run = if block + 1 == walk.blocks { walk.last_run } else { walk.run };
            let weight = |slot: usize, place: usize| {
                let (x, channel) = (place / step.window.pixel, place % step.window.pixel);
                let channel = block * step.window.pixel + channel;
                if place < run { dense.get(slot, channel, y, x) as f32 } else { 0.0 }
            };
            for place in (0..run).step_by(N::AT_ONCE) {
                weights
                    .extend(slots.clone().map(|slot| N::pack([place, place + 1].map(|at| weight(slot, at)))));
            }
        }
    }
}

fn pack_winograd(dense: &Dense, slots: Range<usize>, weights: &mut Vec<f32>) {
    let (channels, start, vectors) = (dense.in_channels, weights.len(), slots.len());
    weights.resize(start + transform::PRODUCTS * channels * vectors, 0.0);
    for channel in 0..dense.in_channels {
        for (place, slot) in slots.clone().enumerate() {
            let kernel = std::array::from_fn(|y| std::array::from_fn(|x| dense.get(slot, channel, y, x)));
            let transformed = transform::weights(kernel);
            for (product, value) in transformed.as_flattened().iter().enumerate() {
                weights[start + (product * channels + channel) * vectors + place] = *value as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_on_the_enlarged_picture_meet_these_small_pixels() {
        assert_eq!([0, 1, 2].map(|tap| small(0, tap)), [0, 1, 1]);
        assert_eq!([0, 1, 2].map(|tap| small(1, tap)), [1, 1, 2]);
    }
}
