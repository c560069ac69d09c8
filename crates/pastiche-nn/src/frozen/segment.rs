//! The part of a frozen network between two taps, as one operation of candle's graph.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::Prepared;
use crate::{
    blocked::{Planes, Size, Source, unpool_2x2},
    kernels::pool,
    ops::cpu::{dense, elements, filled},
};

/// Convolutions from one tap to the next: input -> activations of the last. The activations were made already, together
/// with all others; this hands them out.
pub(super) struct Segment {
    backward: Backward,
    output: Mutex<Option<Vec<f32>>>,
    shape: Shape,
}

impl Segment {
    /// `kept` are the activations of all convolutions but the last, `output` those of the last.
    pub(super) fn new(
        prepared: Arc<Prepared>,
        convs: RangeInclusive<usize>,
        kept: Vec<Arc<Planes>>,
        output: Vec<f32>,
        shape: Shape,
    ) -> Self {
        let backward = Backward { prepared, convs, kept };
        Self { backward, output: Mutex::new(Some(output)), shape }
    }
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "frozen_network"
    }

    fn cpu_fwd(&self, _input: &CpuStorage, _layout: &Layout) -> Result<(CpuStorage, Shape)> {
        match self.output.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(output) => Ok((CpuStorage::F32(output), self.shape.clone())),
            None => bail!("{}: applied twice", self.name()),
        }
    }

    fn bwd(&self, input: &Tensor, output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let grad_output = dense(self.name(), grad_output)?;
        input.apply_op3_no_bwd(output, &grad_output, &self.backward).map(Some)
    }
}

/// input, output, gradient of the output -> gradient of the input.
struct Backward {
    prepared: Arc<Prepared>,
    convs: RangeInclusive<usize>,
    kept: Vec<Arc<Planes>>,
}

fn size_of(layout: &Layout) -> Result<Size> {
    let (batch, channels, height, width) = layout.shape().dims4()?;
    Ok(Size { batch, channels, height, width })
}

impl CustomOp3 for Backward {
    fn name(&self) -> &'static str {
        "frozen_network_backward"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        output: &CpuStorage,
        output_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let input = elements(self.name(), input, input_layout)?;
        let output = elements(self.name(), output, output_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        let (in_size, out_size) = (size_of(input_layout)?, size_of(output_layout)?);
        let gradient = Planes::from_planar(self.prepared.level, out_size, grad_output, Some(output));
        filled(input_layout.shape(), |grad_input| self.run(gradient, input, in_size, grad_input))
    }
}

impl Backward {
    /// From the gradient of the last convolution's output before its ReLU to that of the input.
    fn run(&self, gradient: Planes, input: &[f32], size: Size, grad_input: &mut [f32]) {
        let (prepared, first) = (&self.prepared, *self.convs.start());
        let level = prepared.level;
        // The gradient before a ReLU is that after it, with a ring around, where the mask is positive.
        let (mut gradient, mut ring, mut mask) = (gradient, 0, None);
        for index in self.convs.clone().rev() {
            let conv = &prepared.convs[index];
            let source = Source { planes: &gradient, ring, mask };
            gradient = conv.backward().run(level, source);
            ring = conv.ring();
            if ring > 0 {
                gradient.fold_ring();
            }
            if index > first {
                let before: &Planes = &self.kept[index - 1 - first];
                if conv.pooled {
                    gradient = unpool_2x2(level, before, &gradient, ring);
                    (ring, mask) = (0, None);
                } else {
                    mask = Some(before);
                }
            }
        }
        self.leave(&gradient, ring, input, size, grad_input);
    }

    /// The gradient of the segment's input, from that of its first convolution's, less the ring.
    fn leave(&self, gradient: &Planes, ring: usize, input: &[f32], size: Size, grad_input: &mut [f32]) {
        let (prepared, first) = (&self.prepared, *self.convs.start());
        let planar = |len: usize| {
            let mut planar = vec![0.0; len];
            gradient.to_planar(prepared.level, ring, &mut planar);
            planar
        };
        let Size { height, width, .. } = size;
        if prepared.convs[first].pooled {
            let pooled = Size { height: height / 2, width: width / 2, ..size };
            pool::backward(height, width, input, &planar(pooled.len()), grad_input);
        } else if first == 0 {
            prepared.input.backward(&planar(size.len()), height * width, grad_input);
        } else {
            gradient.to_planar(prepared.level, ring, grad_input);
        }
    }
}
