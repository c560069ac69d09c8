//! Padding and the convolution behind it, which on a card are one operation.

#[cfg(feature = "cudnn")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cudnn")]
use super::card;
use super::{
    convolution::{self, BackwardData, BackwardWeight, ChannelSums, bias_or_zeros, conv2d, wanted},
    cpu::dense,
    reshape::{Pad, PadBackward, pad, pad_shape},
};
#[cfg(feature = "cudnn")]
use crate::cuda::training::{
    card::Card,
    convolutions,
    jobs::{
        convolution::{Direction, Padded},
        pointwise, reshape,
    },
};
use crate::kernels::{
    conv::ConvShape,
    pad::{Margins, PadMode, PadShape},
};

/// [`conv2d`] of [`pad`]. On a card it keeps nothing for its gradients but its input, which is padded again then.
///
/// # Errors
/// As those two.
pub fn conv2d_padded(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    margins: Margins,
    mode: PadMode,
) -> Result<Tensor> {
    if input.device().is_cpu() || convolution::by_candle(input) {
        return conv2d(&pad(input, margins, mode)?, weight, bias, stride);
    }
    let operation = PaddedConv2d { pad: pad_shape(input, margins, mode)?, stride };
    let shape = operation.shape(input.shape(), weight.shape())?;
    let bias = bias_or_zeros(bias, shape.out_channels, input)?;
    let [input, weight, bias] = [input, weight, &bias].map(|tensor| dense("conv2d_padded", tensor));
    input?.apply_op3(&weight?, &bias?, operation)
}

/// input, weight, bias -> output; on cards only.
struct PaddedConv2d {
    pad: PadShape,
    stride: usize,
}

impl PaddedConv2d {
    /// The convolution of the padded input.
    fn shape(&self, input: &Shape, weight: &Shape) -> Result<ConvShape> {
        let (batch, channels, ..) = input.dims4()?;
        let padded = (batch, channels, self.pad.padded_height(), self.pad.padded_width());
        convolution::conv2d_shape(padded, weight.dims4()?, self.stride)
    }
}

impl CustomOp3 for PaddedConv2d {
    fn name(&self) -> &'static str {
        "conv2d_padded"
    }

    fn cpu_fwd(
        &self,
        _input: &CpuStorage,
        _input_layout: &Layout,
        _weight: &CpuStorage,
        _weight_layout: &Layout,
        _bias: &CpuStorage,
        _bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    #[cfg(feature = "cudnn")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let shape = self.shape(input_layout.shape(), weight_layout.shape())?;
        let arguments = [(input, input_layout), (weight, weight_layout), (bias, bias_layout)];
        let [values, weight, bias] = card::spans(self.name(), arguments)?;
        let card = Card::of(&input.device)?;
        let planes = shape.batch * shape.in_channels;
        let padded = card.made(shape.in_len(), |to| reshape::pad_forward(&self.pad, planes, values, to))?;
        let convolution = Padded::not(shape);
        let padded = card.span(&padded);
        let mut output = convolutions::run(&input.device, convolution, Direction::Forward, padded, weight)?;
        card.run(pointwise::bias(shape.out_plane(), false, bias, card.span_mut(&mut output))?)?;
        Ok(card::result(output, input, convolution.output_dims().to_vec()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = self.shape(input.shape(), weight.shape())?;
        let grad_output = dense(self.name(), grad_output)?;
        let grad_input = wanted(input, || {
            let padded = weight.apply_op2_no_bwd(&grad_output, &BackwardData { shape })?;
            padded.apply_op1_no_bwd(&PadBackward { shape: self.pad })
        })?;
        let grad_weight = wanted(weight, || {
            let PadShape { margins, mode, .. } = self.pad;
            let padded = input.apply_op1_no_bwd(&Pad { margins, mode })?;
            padded.apply_op2_no_bwd(&grad_output, &BackwardWeight { shape })
        })?;
        let grad_bias = wanted(bias, || grad_output.apply_op1_no_bwd(&ChannelSums))?;
        Ok((grad_input, grad_weight, grad_bias))
    }
}
