//! What perceptual losses are made of.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{
    convolution::wanted,
    cpu::{dense, elements, filled},
};
use crate::kernels::{
    elementwise,
    gram::{self, GramShape},
};

/// Mean of the squared differences of two tensors of one shape.
///
/// # Errors
/// The shapes differ, there are no elements, or a tensor is not `f32`.
pub fn mean_squared_error(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dims() != b.dims() || a.elem_count() == 0 {
        bail!("mean_squared_error: shapes {:?} and {:?}", a.dims(), b.dims())
    }
    if !a.device().is_cpu() {
        return (a - b)?.sqr()?.mean_all();
    }
    dense("mean_squared_error", a)?.apply_op2(&dense("mean_squared_error", b)?, MeanSquaredError)
}

/// Gram matrices (N, C, C) of features (N, C, H, W): products of all pairs of channels, summed over the pixels and divided
/// by C * H * W (Johnson et al. 2016, equation 3).
///
/// # Errors
/// There are no features, or they are not `f32`.
pub fn gram_matrix(features: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = features.dims4()?;
    if features.elem_count() == 0 {
        bail!("gram_matrix: features of shape {:?}", features.dims())
    }
    if features.device().is_cpu() {
        return dense("gram_matrix", features)?.apply_op1(GramMatrix);
    }
    let flat = features.reshape((batch, channels, height * width))?;
    flat.matmul(&flat.transpose(1, 2)?)? / (channels * height * width) as f64
}

/// a, b -> scalar.
struct MeanSquaredError;

impl CustomOp2 for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mean_squared_error"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (elements(self.name(), a, a_layout)?, elements(self.name(), b, b_layout)?);
        let mean = elementwise::squared_difference(a, b) / a.len() as f64;
        filled((), |output| output.fill(mean as f32))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _output: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad_a = wanted(a, || a.apply_op3_no_bwd(b, grad_output, &MeanSquaredErrorBackward))?;
        let grad_b = wanted(b, || b.apply_op3_no_bwd(a, grad_output, &MeanSquaredErrorBackward))?;
        Ok((grad_a, grad_b))
    }
}

/// a, b, gradient of the mean -> gradient of a.
struct MeanSquaredErrorBackward;

impl CustomOp3 for MeanSquaredErrorBackward {
    fn name(&self) -> &'static str {
        "mean_squared_error_backward"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (elements(self.name(), a, a_layout)?, elements(self.name(), b, b_layout)?);
        let grad_output = elements(self.name(), grad_output, grad_layout)?[0];
        let factor = 2.0 * grad_output / a.len() as f32;
        filled(a_layout.shape(), |grad_a| elementwise::scaled_difference(factor, a, b, grad_a))
    }
}

fn gram_shape(layout: &Layout) -> Result<GramShape> {
    let (_, channels, height, width) = layout.shape().dims4()?;
    Ok(GramShape { channels, pixels: height * width })
}

/// features -> Gram matrices.
struct GramMatrix;

impl CustomOp1 for GramMatrix {
    fn name(&self) -> &'static str {
        "gram_matrix"
    }

    fn cpu_fwd(&self, features: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, ..) = layout.shape().dims4()?;
        let shape = gram_shape(layout)?;
        let features = elements(self.name(), features, layout)?;
        filled((batch, channels, channels), |grams| gram::forward(shape, features, grams))
    }

    fn bwd(&self, features: &Tensor, _output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        features.apply_op2_no_bwd(&dense(self.name(), grad_output)?, &GramMatrixBackward).map(Some)
    }
}

/// features, gradient of their Gram matrices -> gradient of the features.
struct GramMatrixBackward;

impl CustomOp2 for GramMatrixBackward {
    fn name(&self) -> &'static str {
        "gram_matrix_backward"
    }

    fn cpu_fwd(
        &self,
        features: &CpuStorage,
        layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = gram_shape(layout)?;
        let features = elements(self.name(), features, layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled(layout.shape(), |grad| gram::backward(shape, features, grad_output, grad))
    }
}
