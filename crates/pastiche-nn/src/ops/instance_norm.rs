//! Instance normalisation (Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization").

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{
    convolution::wanted,
    cpu::{dense, elements, filled},
};
use crate::kernels::instance_norm as kernel;

/// Brings every plane of `input` (N, C, H, W) to mean 0 and variance 1, then multiplies by `scale` (C) and adds
/// `shift` (C): `(x - mean) / sqrt(variance + eps) * scale + shift`, with the biased variance.
///
/// # Errors
/// `scale` or `shift` does not have one element a channel, or a tensor is not `f32`.
pub fn instance_norm(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    let (_, channels, height, width) = input.dims4()?;
    if scale.dims() != [channels] || shift.dims() != [channels] {
        let (scale, shift) = (scale.dims(), shift.dims());
        bail!("instance_norm: scale {scale:?} and shift {shift:?} for {channels} channels")
    }
    if height * width == 0 {
        bail!("instance_norm: an input of {width}x{height} has no pixels")
    }
    if !input.device().is_cpu() {
        return instance_norm_composed(input, scale, shift, eps);
    }
    let [input, scale, shift] = [input, scale, shift].map(|tensor| dense("instance_norm", tensor));
    input?.apply_op3(&scale?, &shift?, InstanceNorm { eps })
}

/// The same of candle's own operations.
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

    fn bwd(
        &self,
        input: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        _output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let eps = self.eps;
        let grad_output = dense(self.name(), grad_output)?;
        let grad_input =
            wanted(input, || input.apply_op3_no_bwd(scale, &grad_output, &BackwardData { eps }))?;
        if !scale.track_op() && !shift.track_op() {
            return Ok((grad_input, None, None));
        }
        let grads = input.apply_op2_no_bwd(&grad_output, &BackwardParameters { eps })?;
        Ok((grad_input, Some(grads.get(0)?), Some(grads.get(1)?)))
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
