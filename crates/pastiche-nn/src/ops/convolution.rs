//! Convolution and transposed convolution without padding.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card;
use super::cpu::{best_level, dense, elements, filled};
#[cfg(feature = "cuda")]
use crate::cuda::training::jobs::{instance_norm, losses};
#[cfg(feature = "cudnn")]
use crate::cuda::training::{
    card::Card,
    convolutions,
    jobs::{
        convolution::{Direction, Padded},
        pointwise,
    },
};
use crate::kernels::{
    conv::{self, ConvShape},
    elementwise, turned, winograd,
};

/// Cross-correlates `input` (N, C, H, W) with `weight` (O, C, K, K) and adds `bias` (O) where there is one.
///
/// Gives (N, O, (H - K) / stride + 1, (W - K) / stride + 1). There is no padding: see [`super::pad`].
///
/// # Errors
/// The shapes do not fit each other, the kernel is larger than the input, or a tensor is not `f32`.
pub fn conv2d(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>, stride: usize) -> Result<Tensor> {
    let shape = conv2d_shape(input.dims4()?, weight.dims4()?, stride)?;
    let bias = bias_or_zeros(bias, shape.out_channels, input)?;
    if by_candle(input) {
        let output = input.conv2d(weight, 0, stride, 1, 1)?;
        return output.broadcast_add(&bias.reshape((1, shape.out_channels, 1, 1))?);
    }
    let [input, weight, bias] = [input, weight, &bias].map(|tensor| dense("conv2d", tensor));
    input?.apply_op3(&weight?, &bias?, Conv2d { stride })
}

/// Transposed convolution of `input` (N, C, H, W) with `weight` (C, O, K, K), plus `bias` (O) where there is one.
///
/// Gives (N, O, (H - 1) * stride + K, (W - 1) * stride + K): the gradient of [`conv2d`] with respect to its input.
///
/// # Errors
/// The shapes do not fit each other, or a tensor is not `f32`.
pub fn conv_transpose2d(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
) -> Result<Tensor> {
    conv_transpose2d_shape(input.dims4()?, weight.dims4()?, stride)?;
    let output = if by_candle(input) {
        input.conv_transpose2d(weight, 0, 0, stride, 1)?
    } else {
        let [input, weight] = [input, weight].map(|tensor| dense("conv_transpose2d", tensor));
        input?.apply_op2(&weight?, ConvTranspose2d { stride })?
    };
    match bias {
        Some(bias) => output.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
        None => Ok(output),
    }
}

/// Whether candle's own convolutions are all that there is: on cards without cuDNN.
pub(super) fn by_candle(input: &Tensor) -> bool {
    !input.device().is_cpu() && cfg!(not(feature = "cudnn"))
}

pub(super) fn bias_or_zeros(bias: Option<&Tensor>, channels: usize, like: &Tensor) -> Result<Tensor> {
    match bias {
        Some(bias) if bias.dims() == [channels] => Ok(bias.clone()),
        Some(bias) => bail!("a bias of shape {:?} for {channels} channels", bias.dims()),
        None => Tensor::zeros(channels, like.dtype(), like.device()),
    }
}

pub(super) type Dims4 = (usize, usize, usize, usize);

pub(super) fn conv2d_shape(input: Dims4, weight: Dims4, stride: usize) -> Result<ConvShape> {
    let (batch, in_channels, in_height, in_width) = input;
    let (out_channels, weight_channels, kernel, kernel_width) = weight;
    if weight_channels != in_channels || kernel != kernel_width || kernel == 0 || stride == 0 {
        bail!("conv2d: weights {weight:?} with stride {stride} do not fit an input {input:?}")
    }
    if in_channels * out_channels == 0 {
        bail!("conv2d: weights {weight:?} have no channels")
    }
    if in_height < kernel || in_width < kernel {
        bail!("conv2d: a {kernel}x{kernel} kernel is larger than the input's {in_width}x{in_height} pixels")
    }
    Ok(ConvShape { batch, in_channels, in_height, in_width, out_channels, kernel, stride })
}

/// The shape of the convolution whose data gradient this is.
fn conv_transpose2d_shape(input: Dims4, weight: Dims4, stride: usize) -> Result<ConvShape> {
    let (batch, channels, height, width) = input;
    let (weight_channels, out_channels, kernel, kernel_width) = weight;
    if weight_channels != channels || kernel != kernel_width || kernel == 0 || stride == 0 {
        bail!("conv_transpose2d: weights {weight:?} with stride {stride} do not fit an input {input:?}")
    }
    if channels * out_channels * height * width == 0 {
        bail!("conv_transpose2d: an input {input:?} and weights {weight:?} have no channels or pixels")
    }
    Ok(ConvShape {
        batch,
        in_channels: out_channels,
        in_height: (height - 1) * stride + kernel,
        in_width: (width - 1) * stride + kernel,
        out_channels: channels,
        kernel,
        stride,
    })
}

fn in_dims(shape: &ConvShape) -> Dims4 {
    (shape.batch, shape.in_channels, shape.in_height, shape.in_width)
}

fn out_dims(shape: &ConvShape) -> Dims4 {
    (shape.batch, shape.out_channels, shape.out_height(), shape.out_width())
}

fn weight_dims(shape: &ConvShape) -> Dims4 {
    (shape.out_channels, shape.in_channels, shape.kernel, shape.kernel)
}

/// input, weight, bias -> output.
struct Conv2d {
    stride: usize,
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = conv2d_shape(input_layout.shape().dims4()?, weight_layout.shape().dims4()?, self.stride)?;
        let input = elements(self.name(), input, input_layout)?;
        let weight = elements(self.name(), weight, weight_layout)?;
        let bias = elements(self.name(), bias, bias_layout)?;
        let level = best_level()?;
        filled(out_dims(&shape), |output| {
            if winograd::suits(&shape) {
                winograd::forward(level, &shape, [input, weight, bias], output);
            } else {
                conv::forward(&shape, input, weight, bias, output);
            }
        })
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
        let shape = conv2d_shape(input_layout.shape().dims4()?, weight_layout.shape().dims4()?, self.stride)?;
        let arguments = [(input, input_layout), (weight, weight_layout), (bias, bias_layout)];
        let [values, weight, bias] = card::spans(self.name(), arguments)?;
        let device = &input.device;
        let mut output = convolutions::run(device, Padded::not(shape), Direction::Forward, values, weight)?;
        let card = Card::of(device)?;
        card.run(pointwise::bias(shape.out_plane(), false, bias, card.span_mut(&mut output))?)?;
        Ok(card::result(output, input, out_dims(&shape)))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = conv2d_shape(input.dims4()?, weight.dims4()?, self.stride)?;
        let grad_output = dense(self.name(), grad_output)?;
        let grad_input = wanted(input, || weight.apply_op2_no_bwd(&grad_output, &BackwardData { shape }))?;
        let grad_weight = wanted(weight, || input.apply_op2_no_bwd(&grad_output, &BackwardWeight { shape }))?;
        let grad_bias = wanted(bias, || grad_output.apply_op1_no_bwd(&ChannelSums))?;
        Ok((grad_input, grad_weight, grad_bias))
    }
}

/// The gradient of `argument`, where some variable hangs on it.
pub(super) fn wanted(argument: &Tensor, gradient: impl FnOnce() -> Result<Tensor>) -> Result<Option<Tensor>> {
    argument.track_op().then(gradient).transpose()
}

/// Gradient of the output -> gradient of the bias.
pub(super) struct ChannelSums;

impl CustomOp1 for ChannelSums {
    fn name(&self) -> &'static str {
        "conv2d_backward_bias"
    }

    fn cpu_fwd(&self, grad_output: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, channels, height, width) = layout.shape().dims4()?;
        let grad_output = elements(self.name(), grad_output, layout)?;
        filled(channels, |sums| elementwise::channel_sums(height * width, grad_output, sums))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, grad_output: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let plane = height * width;
        let count = losses::parts(batch * plane);
        let (parts, shape) =
            card::made(self.name(), [(grad_output, layout)], (count, channels), |[grad_output], to| {
                losses::channel_sum(channels, plane, grad_output, to)
            })?;
        card::made(self.name(), [(&parts, &Layout::contiguous(shape))], channels, |[parts], to| {
            instance_norm::batch_sum(count, channels, parts, to)
        })
    }
}

/// input, weight -> output; `shape` is that of the convolution in the other direction.
struct ConvTranspose2d {
    stride: usize,
}

impl CustomOp2 for ConvTranspose2d {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (input_dims, weight_dims) = (input_layout.shape().dims4()?, weight_layout.shape().dims4()?);
        let shape = conv_transpose2d_shape(input_dims, weight_dims, self.stride)?;
        BackwardData { shape }.cpu_fwd(weight, weight_layout, input, input_layout)
    }

    #[cfg(feature = "cudnn")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (input_dims, weight_dims) = (input_layout.shape().dims4()?, weight_layout.shape().dims4()?);
        let shape = conv_transpose2d_shape(input_dims, weight_dims, self.stride)?;
        BackwardData { shape }.cuda_fwd(weight, weight_layout, input, input_layout)
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        _output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let shape = conv_transpose2d_shape(input.dims4()?, weight.dims4()?, self.stride)?;
        let grad_output = dense(self.name(), grad_output)?;
        let no_bias = Tensor::zeros(shape.out_channels, input.dtype(), input.device())?;
        let grad_input = wanted(input, || {
            grad_output.apply_op3_no_bwd(weight, &no_bias, &Conv2d { stride: self.stride })
        })?;
        let grad_weight = wanted(weight, || grad_output.apply_op2_no_bwd(input, &BackwardWeight { shape }))?;
        Ok((grad_input, grad_weight))
    }
}

/// weight, gradient of the output -> gradient of the input.
pub(super) struct BackwardData {
    pub(super) shape: ConvShape,
}

impl CustomOp2 for BackwardData {
    fn name(&self) -> &'static str {
        "conv2d_backward_data"
    }

    fn cpu_fwd(
        &self,
        weight: &CpuStorage,
        weight_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let weight = elements(self.name(), weight, weight_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        let level = best_level()?;
        filled(in_dims(&self.shape), |grad_input| {
            if winograd::suits(&self.shape) {
                winograd::backward_data(level, &self.shape, [weight, grad_output], grad_input);
            } else if turned::suits(&self.shape) {
                turned::backward_data(&self.shape, weight, grad_output, grad_input);
            } else {
                conv::backward_data(&self.shape, weight, grad_output, grad_input);
            }
        })
    }

    #[cfg(feature = "cudnn")]
    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        weight_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let [a, b] = card::spans(self.name(), [(weight, weight_layout), (grad_output, grad_layout)])?;
        let made = convolutions::run(&weight.device, Padded::not(self.shape), Direction::Data, a, b)?;
        Ok(card::result(made, weight, in_dims(&self.shape)))
    }
}

/// input, gradient of the output -> gradient of the weights.
pub(super) struct BackwardWeight {
    pub(super) shape: ConvShape,
}

impl CustomOp2 for BackwardWeight {
    fn name(&self) -> &'static str {
        "conv2d_backward_weight"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let input = elements(self.name(), input, input_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled(weight_dims(&self.shape), |grad_weight| {
            if turned::suits(&self.shape) {
                turned::backward_weight(&self.shape, input, grad_output, grad_weight);
            } else {
                conv::backward_weight(&self.shape, input, grad_output, grad_weight);
            }
        })
    }

    #[cfg(feature = "cudnn")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let [a, b] = card::spans(self.name(), [(input, input_layout), (grad_output, grad_layout)])?;
        let made = convolutions::run(&input.device, Padded::not(self.shape), Direction::Weight, a, b)?;
        Ok(card::result(made, input, weight_dims(&self.shape)))
    }
}
