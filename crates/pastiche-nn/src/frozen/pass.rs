//! A frozen network's layers by the kernels of training, forwards and back, wherever those run: on a card, and for the tests on
//! the processor.

use std::ops::RangeInclusive;

use candle_core::{Result, Tensor, bail};

use super::{
    Prepared,
    layers::{FrozenConv, InputLayer},
};
use crate::{
    Margins, Network, PadMode,
    cuda::training::jobs::{
        Job, Span, SpanMut,
        convolution::{Direction, Padded},
        pointwise, reshape,
    },
    kernels::{conv::ConvShape, pad::PadShape},
};

/// (batch, channels, height, width).
pub(super) type Dims = [usize; 4];

/// What runs kernels and convolutions, one after the other.
pub(super) trait Machine {
    /// Numbers that it holds.
    type Memory;

    /// Numbers for a job to read.
    fn span<'a>(&self, memory: &Self::Memory) -> Span<'a>;

    /// Numbers for a job to change.
    fn span_mut<'a>(&self, memory: &mut Self::Memory) -> SpanMut<'a>;

    /// A parameter's numbers.
    fn parameter<'a>(&self, tensor: &Tensor) -> Result<Span<'a>>;

    /// Runs a job.
    fn run<A: Copy>(&self, job: Job<'_, A>) -> Result<()>;

    /// Runs a job that writes `len` new numbers.
    fn made<'a, A: Copy>(
        &self,
        len: usize,
        job: impl FnOnce(SpanMut<'a>) -> Result<Job<'a, A>>,
    ) -> Result<Self::Memory>;

    /// A convolution of the input and the weights, or a gradient: of the weights and the output's gradient for that of the
    /// input.
    fn convolved(
        &self,
        convolution: Padded,
        direction: Direction,
        a: Span<'_>,
        b: Span<'_>,
    ) -> Result<Self::Memory>;
}

/// Activations or gradients.
pub(super) struct Values<M> {
    pub(super) memory: M,
    pub(super) dims: Dims,
}

/// What comes into a segment, or what came.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) span: Span<'a>,
    pub(super) dims: Dims,
}

/// The convolutions from one tap to the next.
pub(super) struct Pass<'a, M> {
    pub(super) network: &'a Network,
    pub(super) prepared: &'a Prepared,
    pub(super) convs: RangeInclusive<usize>,
    pub(super) machine: &'a M,
}

impl<M: Machine> Pass<'_, M> {
    /// The activations of all convolutions, in their order; of the last alone, unless the others are to be kept.
    pub(super) fn forward(&self, input: Given<'_>, keep: bool) -> Result<Vec<Values<M::Memory>>> {
        let mut all: Vec<Values<M::Memory>> = Vec::new();
        for index in self.convs.clone() {
            let from = match all.last() {
                Some(Values { memory, dims }) => Given { span: self.machine.span(memory), dims: *dims },
                None => input,
            };
            let output = self.conv_forward(index, from)?;
            if !keep {
                all.clear();
            }
            all.push(output);
        }
        Ok(all)
    }

    /// The gradient of the input from that of the output; `kept` are the activations of all convolutions but the last.
    pub(super) fn backward(
        &self,
        input: Given<'_>,
        kept: &[Values<M::Memory>],
        output: Given<'_>,
        gradient: Span<'_>,
    ) -> Result<M::Memory> {
        let first = *self.convs.start();
        if kept.len() + 1 != self.convs.clone().count() {
            bail!("frozen_network: {} activations were kept", kept.len())
        }
        // Always the gradient before the ReLU of the convolution that is next.
        let mut flow =
            self.machine.made(gradient.len(), |to| pointwise::relu_backward(output.span, gradient, to))?;
        for index in self.convs.clone().rev() {
            flow = if index == first {
                self.conv_backward(index, flow, input, false)?
            } else {
                let Values { memory, dims } = &kept[index - 1 - first];
                let before = Given { span: self.machine.span(memory), dims: *dims };
                self.conv_backward(index, flow, before, true)?
            };
        }
        Ok(flow)
    }

    /// The activations of one convolution from those before it, or from the pictures.
    fn conv_forward(&self, index: usize, from: Given<'_>) -> Result<Values<M::Memory>> {
        let (machine, conv) = (self.machine, &self.prepared.convs[index]);
        let [batch, channels, height, width] = from.dims;
        let (planes, plane) = (batch * channels, height * width);
        let prepared = if index == 0 {
            if channels != InputLayer::CHANNELS {
                bail!("a loss network takes {} channels, not {channels}", InputLayer::CHANNELS)
            }
            let colours = self.prepared.input.colours();
            Some(machine.made(from.span.len(), |to| colours.forward(plane, from.span, to))?)
        } else if conv.pooled {
            let len = planes * (height / 2) * (width / 2);
            Some(machine.made(len, |to| reshape::pool_forward(planes, [height, width], from.span, to))?)
        } else {
            None
        };
        let dims = pooled_dims(conv, from.dims);
        let shape = self.shape(index, dims)?;
        let span = prepared.as_ref().map_or(from.span, |memory| machine.span(memory));
        let padded = match conv.mode {
            PadMode::Zero => None,
            PadMode::Reflect => {
                let reflection = reflection(dims);
                let len = planes * shape.in_plane();
                Some(machine.made(len, |to| reshape::pad_forward(&reflection, planes, span, to))?)
            }
        };
        let span = padded.as_ref().map_or(span, |memory| machine.span(memory));
        let convolution = Padded { shape, padding: usize::from(padded.is_none()) };
        let weight = self.parameter(&conv.layer.weight)?;
        let mut memory = machine.convolved(convolution, Direction::Forward, span, weight)?;
        match &conv.layer.bias {
            Some(bias) => {
                let bias = self.parameter(bias)?;
                machine.run(pointwise::bias(
                    shape.out_plane(),
                    true,
                    bias,
                    machine.span_mut(&mut memory),
                )?)?;
            }
            None => {
                memory =
                    machine.made(shape.out_len(), |to| pointwise::relu_forward(machine.span(&memory), to))?;
            }
        }
        Ok(Values { memory, dims: convolution.output_dims() })
    }

    /// From the gradient of a convolution's output before its ReLU to that of what came into it, `before`: where that is
    /// `rectified`, before its ReLU too.
    fn conv_backward(
        &self,
        index: usize,
        gradient: M::Memory,
        before: Given<'_>,
        rectified: bool,
    ) -> Result<M::Memory> {
        let (machine, conv) = (self.machine, &self.prepared.convs[index]);
        let [batch, channels, height, width] = before.dims;
        let planes = batch * channels;
        let dims = pooled_dims(conv, before.dims);
        let len = dims.into_iter().product();
        let shape = self.shape(index, dims)?;
        let padding = usize::from(conv.mode == PadMode::Zero);
        let weight = self.parameter(&conv.layer.weight)?;
        let convolution = Padded { shape, padding };
        let mut memory = machine.convolved(convolution, Direction::Data, weight, machine.span(&gradient))?;
        // Where there was pooling, the mask is that of what was pooled.
        let mask = (rectified && !conv.pooled).then_some(before.span);
        match (conv.mode, mask) {
            (PadMode::Reflect, mask) => {
                let (reflection, gradient) = (reflection(dims), machine.span(&memory));
                memory =
                    machine.made(len, |to| reshape::pad_backward(&reflection, planes, gradient, mask, to))?;
            }
            (PadMode::Zero, Some(mask)) => {
                memory = machine.made(len, |to| pointwise::relu_backward(mask, machine.span(&memory), to))?;
            }
            (PadMode::Zero, None) => {}
        }
        if conv.pooled {
            let inputs = [before.span, machine.span(&memory)];
            memory = machine.made(before.span.len(), |to| {
                reshape::pool_backward(planes, [height, width], rectified, inputs, to)
            })?;
        } else if index == 0 {
            let (colours, gradient) = (self.prepared.input.colours(), machine.span(&memory));
            memory = machine.made(len, |to| colours.backward(height * width, gradient, to))?;
        }
        Ok(memory)
    }

    /// The convolution of what is `dims` before its padding.
    fn shape(&self, index: usize, [batch, channels, height, width]: Dims) -> Result<ConvShape> {
        let conv = &self.prepared.convs[index];
        if height.min(width) < conv.least_side() {
            bail!("features: {width}x{height} pixels are too few for layer {index}")
        }
        if channels != conv.layer.in_channels {
            bail!("features: {channels} channels do not fit layer {index}")
        }
        let (in_height, in_width) = (height + 2, width + 2);
        let out_channels = conv.layer.out_channels;
        Ok(ConvShape {
            batch,
            in_channels: channels,
            in_height,
            in_width,
            out_channels,
            kernel: 3,
            stride: 1,
        })
    }

    fn parameter<'a>(&self, name: &str) -> Result<Span<'a>> {
        match self.network.parameters().get(name) {
            Some(tensor) => self.machine.parameter(tensor),
            None => bail!("{name} is missing"),
        }
    }
}

/// How planes are mirrored before a convolution.
fn reflection([_, _, height, width]: Dims) -> PadShape {
    PadShape { height, width, margins: Margins::uniform(1), mode: PadMode::Reflect }
}

/// Sizes after the pooling before a convolution, where there is some.
fn pooled_dims(conv: &FrozenConv, [batch, channels, height, width]: Dims) -> Dims {
    let by = if conv.pooled { 2 } else { 1 };
    [batch, channels, height / by, width / by]
}
