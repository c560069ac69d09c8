//! Instance normalisation (Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization").

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card;
use super::{
    convolution::wanted,
    cpu::{dense, elements, filled},
    relu::{self, relu},
};
#[cfg(feature = "cuda")]
use crate::cuda::training::{card::Card, jobs::instance_norm as jobs};
use crate::kernels::instance_norm as kernel;

/// Brings every plane of `input` (N, C, H, W) to mean 0 and variance 1, then multiplies by `scale` (C) and adds
/// `shift` (C): `(x - mean) / sqrt(variance + eps) * scale + shift`, with the biased variance.
///
/// # Errors
/// `scale` or `shift` does not have one element a channel, or a tensor is not `f32`.
pub fn instance_norm(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    let [input, scale, shift] = arguments(input, scale, shift)?;
    input.apply_op3(&scale, &shift, InstanceNorm { eps, relu: false })
}

/// [`instance_norm`], and `max(x, 0)` of it; on a card in one pass.
///
/// # Errors
/// As [`instance_norm`].
pub fn instance_norm_relu(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    if input.device().is_cpu() {
        return relu(&instance_norm(input, scale, shift, eps)?);
    }
    let [input, scale, shift] = arguments(input, scale, shift)?;
    input.apply_op3(&scale, &shift, InstanceNorm { eps, relu: true })
}

/// The arguments, checked and dense.
fn arguments(input: &Tensor, scale: &Tensor, shift: &Tensor) -> Result<[Tensor; 3]> {
    let (_, channels, height, width) = input.dims4()?;
    if scale.dims() != [channels] || shift.dims() != [channels] {
        let (scale, shift) = (scale.dims(), shift.dims());
        bail!("instance_norm: scale {scale:?} and shift {shift:?} for {channels} channels")
    }
    if height * width == 0 {
        bail!("instance_norm: an input of {width}x{height} has no pixels")
    }
    let [input, scale, shift] = [input, scale, shift].map(|tensor| dense("instance_norm", tensor));
    Ok([input?, scale?, shift?])
}

/// [`instance_norm`] of candle's own operations.
#[cfg(test)]
pub(super) fn instance_norm_composed(
    input: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    let channels = input.dim(1)?;
    let centred = input.broadcast_sub(&input.mean_keepdim((2, 3))?)?;
    let variance = centred.sqr()?.mean_keepdim((2, 3))?;
    let normalised = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    let by_channel = (1, channels, 1, 1);
    normalised.broadcast_mul(&scale.reshape(by_channel)?)?.broadcast_add(&shift.reshape(by_channel)?)
}

fn plane_len(layout: &Layout) -> Result<usize> {
    let (_, _, height, width) = layout.shape().dims4()?;
    Ok(height * width)
}

/// input, scale, shift -> output.
struct InstanceNorm {
    eps: f64,
    /// Whether what is negative becomes zero; on cards only.
    relu: bool,
}

impl CustomOp3 for InstanceNorm {
    fn name(&self) -> &'static str {
        "instance_norm"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let plane_len = plane_len(input_layout)?;
        let input = elements(self.name(), input, input_layout)?;
        let scale = elements(self.name(), scale, scale_layout)?;
        let shift = elements(self.name(), shift, shift_layout)?;
        filled(input_layout.shape(), |output| {
            kernel::forward(plane_len, self.eps, [input, scale, shift], output);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        scale: &CudaStorage,
        scale_layout: &Layout,
        shift: &CudaStorage,
        shift_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let plane_len = plane_len(input_layout)?;
        let arguments = [(input, input_layout), (scale, scale_layout), (shift, shift_layout)];
        card::made(self.name(), arguments, input_layout.shape(), |arguments, to| {
            jobs::forward(plane_len, self.eps, self.relu, arguments, to)
        })
    }

    fn bwd(
        &self,
        input: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let eps = self.eps;
        let mut grad_output = dense(self.name(), grad_output)?;
        if self.relu {
            grad_output = output.apply_op2_no_bwd(&grad_output, &relu::Backward)?;
        }
        if !input.device().is_cpu() {
            return backward_together(input, scale, &grad_output, eps);
        }
        let grad_input =
            wanted(input, || input.apply_op3_no_bwd(scale, &grad_output, &BackwardData { eps }))?;
        if !scale.track_op() && !shift.track_op() {
            return Ok((grad_input, None, None));
        }
        let grads = input.apply_op2_no_bwd(&grad_output, &BackwardParameters { eps })?;
        Ok((grad_input, Some(grads.get(0)?), Some(grads.get(1)?)))
    }
}

/// The gradients of input, scale and shift by one kernel, whether they are wanted or not.
fn backward_together(
    input: &Tensor,
    scale: &Tensor,
    grad_output: &Tensor,
    eps: f64,
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let (_, channels, ..) = input.dims4()?;
    let all = input.apply_op3_no_bwd(scale, grad_output, &BackwardTogether { eps })?;
    let grad_input = all.narrow(0, 0, input.elem_count())?.reshape(input.shape())?;
    let parameters = |index: usize| all.narrow(0, input.elem_count() + index * channels, channels);
    Ok((Some(grad_input), Some(parameters(0)?), Some(parameters(1)?)))
}

/// input, scale, gradient of the output -> their gradients and that of the shift, one behind the other; on cards only.
struct BackwardTogether {
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only cards use it"))]
    eps: f64,
}

impl CustomOp3 for BackwardTogether {
    fn name(&self) -> &'static str {
        "instance_norm_backward"
    }

    fn cpu_fwd(
        &self,
        _input: &CpuStorage,
        _input_layout: &Layout,
        _scale: &CpuStorage,
        _scale_layout: &Layout,
        _grad_output: &CpuStorage,
        _grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        scale: &CudaStorage,
        scale_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, ..) = input_layout.shape().dims4()?;
        let len = input_layout.shape().elem_count();
        let card = Card::of(&input.device)?;
        let arguments = [(input, input_layout), (scale, scale_layout), (grad_output, grad_layout)];
        let mut sums = card.empty(2 * batch * channels)?;
        let mut all = card.empty(len + 2 * channels)?;
        let spans = card::spans(self.name(), arguments)?;
        let grad_input = card.span_mut(&mut all.slice_mut(..len));
        let plane_len = plane_len(input_layout)?;
        card.run(jobs::backward(plane_len, self.eps, spans, grad_input, card.span_mut(&mut sums))?)?;
        let parameters = card.span_mut(&mut all.slice_mut(len..));
        card.run(jobs::batch_sum(batch, channels, card.span(&sums), parameters)?)?;
        Ok(card::result(all, input, len + 2 * channels))
    }
}

/// input, scale, gradient of the output -> gradient of the input.
struct BackwardData {
    eps: f64,
}

impl CustomOp3 for BackwardData {
    fn name(&self) -> &'static str {
        "instance_norm_backward_data"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let plane_len = plane_len(input_layout)?;
        let input = elements(self.name(), input, input_layout)?;
        let scale = elements(self.name(), scale, scale_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled(input_layout.shape(), |grad_input| {
            kernel::backward_data(plane_len, self.eps, [input, scale, grad_output], grad_input);
        })
    }
}

/// input, gradient of the output -> gradients of scale and shift, as the two rows of (2, C).
struct BackwardParameters {
    eps: f64,
}

impl CustomOp2 for BackwardParameters {
    fn name(&self) -> &'static str {
        "instance_norm_backward_parameters"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, channels, ..) = input_layout.shape().dims4()?;
        let plane_len = plane_len(input_layout)?;
        let input = elements(self.name(), input, input_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled((2, channels), |grads| {
            kernel::backward_parameters(plane_len, self.eps, input, grad_output, grads);
        })
    }
}
