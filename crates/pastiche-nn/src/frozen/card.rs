//! A frozen network on a CUDA card: the same segments as on the processor, by cuDNN and the kernels of training.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, bail,
    cuda_backend::cudarc::driver::{CudaSlice, CudaView},
};

use super::{
    FrozenNetwork,
    layers::{FrozenConv, InputLayer},
};
use crate::{
    Margins, PadMode,
    cuda::training::{
        adam::reading,
        card::Card,
        convolutions,
        jobs::{
            convolution::{Direction, Padded},
            pointwise, reshape,
        },
    },
    kernels::{conv::ConvShape, pad::PadShape},
    ops::{card as arguments, cpu::dense},
};

/// (batch, channels, height, width).
type Dims = [usize; 4];

/// Activations or gradients on the card.
struct Values {
    memory: CudaSlice<f32>,
    dims: Dims,
}

/// Convolutions from one tap to the next: input -> activations of the last.
pub(super) struct Segment {
    network: FrozenNetwork,
    convs: RangeInclusive<usize>,
    /// Whether a backward pass may come.
    tracked: bool,
    /// Activations of all convolutions but the last, for that.
    kept: Arc<Mutex<Vec<Values>>>,
}

impl Segment {
    pub(super) fn new(network: FrozenNetwork, convs: RangeInclusive<usize>, tracked: bool) -> Self {
        Self { network, convs, tracked, kept: Arc::default() }
    }
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "frozen_network"
    }

    fn cpu_fwd(&self, _input: &CpuStorage, _layout: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let card = Card::of(&input.device)?;
        let view = arguments::view(self.name(), input, layout)?;
        let pass = Pass { network: &self.network, device: &input.device, card: &card };
        let mut kept = Vec::new();
        let mut flow: Option<Values> = None;
        for index in self.convs.clone() {
            let output = match &flow {
                Some(Values { memory, dims }) => pass.forward(index, &memory.slice(..), *dims)?,
                None => pass.forward(index, &view, layout.shape().dims4()?.into())?,
            };
            let before = flow.replace(output);
            kept.extend(before.filter(|_| self.tracked));
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        let Some(Values { memory, dims }) = flow else { bail!("{}: no layers", self.name()) };
        Ok(arguments::result(memory, input, dims.to_vec()))
    }

    fn bwd(&self, input: &Tensor, output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let backward = Backward {
            network: self.network.clone(),
            convs: self.convs.clone(),
            kept: Arc::clone(&self.kept),
        };
        input.apply_op3_no_bwd(output, &dense(self.name(), grad_output)?, &backward).map(Some)
    }
}

/// input, output, gradient of the output -> gradient of the input.
struct Backward {
    network: FrozenNetwork,
    convs: RangeInclusive<usize>,
    kept: Arc<Mutex<Vec<Values>>>,
}

impl CustomOp3 for Backward {
    fn name(&self) -> &'static str {
        "frozen_network_backward"
    }

    fn cpu_fwd(
        &self,
        _input: &CpuStorage,
        _input_layout: &Layout,
        _output: &CpuStorage,
        _output_layout: &Layout,
        _grad_output: &CpuStorage,
        _grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        output: &CudaStorage,
        output_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let card = Card::of(&input.device)?;
        let [input_view, output_view, gradient] =
            [(input, input_layout), (output, output_layout), (grad_output, grad_layout)]
                .map(|(storage, layout)| arguments::view(self.name(), storage, layout));
        let (input_view, output_view, gradient) = (input_view?, output_view?, gradient?);
        let pass = Pass { network: &self.network, device: &input.device, card: &card };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *self.convs.start();
        // Always the gradient before the ReLU of the convolution that is next.
        let mut flow = Values {
            memory: card.made(gradient.len(), |to| {
                pointwise::relu_backward(card.span(&output_view), card.span(&gradient), to)
            })?,
            dims: output_layout.shape().dims4()?.into(),
        };
        for index in self.convs.clone().rev() {
            flow = if index == first {
                let dims = input_layout.shape().dims4()?.into();
                pass.backward(index, &flow, Before { view: &input_view, dims, rectified: false })?
            } else {
                let Some(Values { memory, dims }) = kept.get(index - 1 - first) else {
                    bail!("{}: the activations before layer {index} are gone", self.name())
                };
                pass.backward(index, &flow, Before { view: &memory.slice(..), dims: *dims, rectified: true })?
            };
        }
        Ok(arguments::result(flow.memory, input, input_layout.shape()))
    }
}

/// What came into a convolution.
#[derive(Clone, Copy)]
struct Before<'a> {
    view: &'a CudaView<'a, f32>,
    dims: Dims,
    /// Whether it is the output of a ReLU whose gradient is to be taken too.
    rectified: bool,
}

/// The layers, one at a time.
struct Pass<'a> {
    network: &'a FrozenNetwork,
    device: &'a CudaDevice,
    card: &'a Card,
}

impl Pass<'_> {
    fn conv(&self, index: usize) -> &FrozenConv {
        &self.network.prepared.convs[index]
    }

    /// Gives a parameter to `work`.
    fn parameter<T>(&self, name: &str, work: impl FnOnce(&CudaView<'_, f32>) -> Result<T>) -> Result<T> {
        match self.network.network.parameters().get(name) {
            Some(tensor) => reading(tensor, work),
            None => bail!("{name} is missing"),
        }
    }

    /// The convolution of what is `dims` before its padding.
    fn shape(&self, index: usize, [batch, channels, height, width]: Dims) -> Result<ConvShape> {
        let conv = self.conv(index);
        if channels != conv.layer.in_channels || height.min(width) < conv.least_side() {
            bail!("features: {channels} channels of {width}x{height} pixels do not fit layer {index}")
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

    /// How planes are mirrored before a convolution.
    fn reflection([_, _, height, width]: Dims) -> PadShape {
        PadShape { height, width, margins: Margins::uniform(1), mode: PadMode::Reflect }
    }

    /// The activations of one convolution from those before it, or from the pictures.
    fn forward(&self, index: usize, from: &CudaView<'_, f32>, dims: Dims) -> Result<Values> {
        let (card, conv) = (self.card, self.conv(index));
        let [batch, channels, height, width] = dims;
        let (planes, plane) = (batch * channels, height * width);
        let prepared = if index == 0 {
            if channels != InputLayer::CHANNELS {
                bail!("a loss network takes {} channels, not {channels}", InputLayer::CHANNELS)
            }
            let colours = self.network.prepared.input.colours();
            Some(card.made(from.len(), |to| colours.forward(plane, card.span(from), to))?)
        } else if conv.pooled {
            let len = planes * (height / 2) * (width / 2);
            Some(card.made(len, |to| reshape::pool_forward(planes, [height, width], card.span(from), to))?)
        } else {
            None
        };
        let dims = pooled_dims(conv, dims);
        let shape = self.shape(index, dims)?;
        let whole = prepared.as_ref().map(|memory| memory.slice(..));
        let from = whole.as_ref().unwrap_or(from);
        let padded = match conv.mode {
            PadMode::Zero => None,
            PadMode::Reflect => {
                let reflection = Self::reflection(dims);
                let len = batch * channels * shape.in_plane();
                Some(card.made(len, |to| reshape::pad_forward(&reflection, planes, card.span(from), to))?)
            }
        };
        let whole = padded.as_ref().map(|memory| memory.slice(..));
        let from = whole.as_ref().unwrap_or(from);
        let convolution = Padded { shape, padding: usize::from(padded.is_none()) };
        let mut memory = self.parameter(&conv.layer.weight, |weight| {
            convolutions::run(self.device, convolution, Direction::Forward, from, weight)
        })?;
        match &conv.layer.bias {
            Some(bias) => self.parameter(bias, |bias| {
                let (bias, values) = (card.span(bias), card.span_mut(&mut memory));
                card.run(pointwise::bias(shape.out_plane(), true, bias, values)?)
            })?,
            None => memory = card.made(memory.len(), |to| pointwise::relu_forward(card.span(&memory), to))?,
        }
        Ok(Values { memory, dims: convolution.output_dims() })
    }

    /// From the gradient of a convolution's output before its ReLU to that of what came into it, `before`.
    fn backward(&self, index: usize, gradient: &Values, before: Before<'_>) -> Result<Values> {
        let (card, conv) = (self.card, self.conv(index));
        let [batch, channels, height, width] = before.dims;
        let planes = batch * channels;
        let dims = pooled_dims(conv, before.dims);
        let shape = self.shape(index, dims)?;
        let padding = match conv.mode {
            PadMode::Zero => 1,
            PadMode::Reflect => 0,
        };
        let mut memory = self.parameter(&conv.layer.weight, |weight| {
            let gradient = gradient.memory.slice(..);
            convolutions::run(self.device, Padded { shape, padding }, Direction::Data, weight, &gradient)
        })?;
        // Where there was pooling, the mask is that of what was pooled.
        let mask = (before.rectified && !conv.pooled).then(|| card.span(before.view));
        match (conv.mode, mask) {
            (PadMode::Reflect, mask) => {
                let (reflection, len) = (Self::reflection(dims), dims.into_iter().product());
                memory = card.made(len, |to| {
                    reshape::pad_backward(&reflection, planes, card.span(&memory), mask, to)
                })?;
            }
            (PadMode::Zero, Some(mask)) => {
                memory =
                    card.made(memory.len(), |to| pointwise::relu_backward(mask, card.span(&memory), to))?;
            }
            (PadMode::Zero, None) => {}
        }
        if conv.pooled {
            let inputs = [card.span(before.view), card.span(&memory)];
            memory = card.made(before.view.len(), |to| {
                reshape::pool_backward(planes, [height, width], before.rectified, inputs, to)
            })?;
        } else if index == 0 {
            let colours = self.network.prepared.input.colours();
            memory =
                card.made(memory.len(), |to| colours.backward(height * width, card.span(&memory), to))?;
        }
        Ok(Values { memory, dims: before.dims })
    }
}

/// Sizes after the pooling before a convolution, where there is some.
fn pooled_dims(conv: &FrozenConv, [batch, channels, height, width]: Dims) -> Dims {
    let by = if conv.pooled { 2 } else { 1 };
    [batch, channels, height / by, width / by]
}
