//! 3x3 kernels transformed for Winograd's tiles.
#![allow(unsafe_code)] // vectors are written through pointers, after their bounds were checked

use rayon::prelude::*;

use crate::{
    plan::{
        lines::Lines,
        multiply,
        transform::{self, PRODUCTS},
    },
    simd::{Level, Simd, by_level},
};

/// Which convolution is made of weights (O, C, 3, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From C to O channels.
    Forward,
    /// From the gradient of the output to that of the input, O to C channels: every kernel turned by 180 degrees.
    BackwardData,
}

/// Output vectors that are made together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) vectors: usize,
}

/// Transformed weights: (group, product, input channel, output channel of the group).
#[derive(Debug)]
pub(crate) struct Weights {
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
    pub(super) lanes: usize,
    pub(super) groups: Vec<Group>,
    pub(super) values: Lines,
}

impl Weights {
    /// Packs weights (`out_channels`, `in_channels`, 3, 3).
    pub(crate) fn new(
        level: Level,
        weight: &[f32],
        (out_channels, in_channels): (usize, usize),
        direction: Direction,
    ) -> Self {
        const TAPS: usize = transform::TAPS * transform::TAPS;
        assert_eq!(weight.len(), out_channels * in_channels * TAPS);
        let kernels = match direction {
            Direction::Forward => Kernels {
                weight,
                outputs: out_channels,
                inputs: in_channels,
                output_stride: in_channels * TAPS,
                input_stride: TAPS,
                turned: false,
            },
            Direction::BackwardData => Kernels {
                weight,
                outputs: in_channels,
                inputs: out_channels,
                output_stride: TAPS,
                input_stride: in_channels * TAPS,
                turned: true,
            },
        };
        let (lanes, blocks) = (level.lanes(), kernels.outputs.div_ceil(level.lanes()));
        let vector_len = PRODUCTS * kernels.inputs * lanes;
        let mut values = Lines::zeros(blocks * vector_len);
        let (mut groups, mut parts, mut first) = (Vec::new(), Vec::new(), 0);
        let mut rest = values.as_mut_slice();
        for vectors in multiply::groups(blocks) {
            let (part, after) = rest.split_at_mut(vectors * vector_len);
            let group = Group { first, vectors };
            groups.push(group);
            parts.push((group, part));
            (rest, first) = (after, first + vectors);
        }
        parts.into_par_iter().for_each(|(group, part)| pack_group(level, &kernels, group, part));
        let (in_channels, out_channels) = (kernels.inputs, kernels.outputs);
        Self { in_channels, out_channels, lanes, groups, values }
    }
}

/// Kernels as they lie in memory.
struct Kernels<'a> {
    weight: &'a [f32],
    outputs: usize,
    inputs: usize,
    output_stride: usize,
    input_stride: usize,
    turned: bool,
}

by_level! {
    /// Transforms the kernels of one group.
    fn pack_group(kernels: &Kernels<'_>, group: Group, packed: &mut [f32]) = pack
}

#[inline(always)]
fn pack<S: Simd>(simd: S, kernels: &Kernels<'_>, group: Group, packed: &mut [f32]) {
    const TAPS: usize = transform::TAPS * transform::TAPS;
    assert_eq!(packed.len(), PRODUCTS * kernels.inputs * group.vectors * S::LANES);
    let product_stride = kernels.inputs * group.vectors * S::LANES;
    let mut taps = [0.0f32; TAPS * 16];
    for vector in 0..group.vectors {
        let first = (group.first + vector) * S::LANES;
        // Lanes that only fill up the last vector stay zeros.
        taps.fill(0.0);
        for input in 0..kernels.inputs {
            for lane in 0..S::LANES.min(kernels.outputs - first) {
                let at = (first + lane) * kernels.output_stride + input * kernels.input_stride;
                let kernel = &kernels.weight[at..at + TAPS];
                for (tap, value) in kernel.iter().enumerate() {
                    let place = if kernels.turned { TAPS - 1 - tap } else { tap };
                    taps[place * S::LANES + lane] = *value;
                }
            }
            let at = (input * group.vectors + vector) * S::LANES;
            // SAFETY: there are nine vectors of taps; the last product of the last input ends the packed weights.
            unsafe { transform::kernels(simd, taps.as_ptr(), packed.as_mut_ptr().add(at), product_stride) };
        }
    }
}
