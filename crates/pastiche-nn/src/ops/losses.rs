//! What perceptual losses are made of.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card;
use super::{
    convolution::wanted,
    cpu::{dense, elements, filled},
};
#[cfg(feature = "cuda")]
use crate::cuda::training::{
    gram as by_cublas,
    jobs::{losses as jobs, pointwise},
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
    dense("mean_squared_error", a)?.apply_op2(&dense("mean_squared_error", b)?, MeanSquaredError)
}

/// Mean of the squares of a tensor's elements: a number to compare with, which has no gradient.
///
/// # Errors
/// There are no elements, or they are not `f32`.
pub fn mean_square(values: &Tensor) -> Result<Tensor> {
    if values.elem_count() == 0 {
        bail!("mean_square: a tensor of shape {:?}", values.dims())
    }
    dense("mean_square", values)?.apply_op1_no_bwd(&MeanSquare)
}

/// Gram matrices (N, C, C) of features (N, C, H, W): products of all pairs of channels, summed over the pixels and divided
/// by C * H * W (Johnson et al. 2016, equation 3).
///
/// # Errors
/// There are no features, or they are not `f32`.
pub fn gram_matrix(features: &Tensor) -> Result<Tensor> {
    features.dims4()?;
    if features.elem_count() == 0 {
        bail!("gram_matrix: features of shape {:?}", features.dims())
    }
    dense("gram_matrix", features)?.apply_op1(GramMatrix)
}

/// Mean squared difference of pixels that are neighbours in a row, plus that of neighbours in a column, of pictures
/// (N, C, H, W).
///
/// # Errors
/// A picture has but one row or column, or the pictures are not `f32`.
pub fn total_variation(pictures: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = pictures.dims4()?;
    if height < 2 || width < 2 || pictures.elem_count() == 0 {
        bail!("total_variation: pictures of shape {:?}", pictures.dims())
    }
    if !pictures.device().is_cpu() {
        return dense("total_variation", pictures)?.apply_op1(TotalVariation);
    }
    let along = |axis: usize| {
        let pairs = pictures.dim(axis)? - 1;
        mean_squared_error(&pictures.narrow(axis, 1, pairs)?, &pictures.narrow(axis, 0, pairs)?)
    };
    along(2)? + along(3)?
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let len = a_layout.shape().elem_count();
        let arguments = [(a, a_layout), (b, b_layout)];
        let (parts, shape) =
            card::made(self.name(), arguments, jobs::parts(len), |[a, b], to| jobs::squares(a, Some(b), to))?;
        card::made(self.name(), [(&parts, &Layout::contiguous(shape))], (), |[parts], to| {
            jobs::total(1.0 / len as f32, parts, to)
        })
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

/// values -> scalar.
struct MeanSquare;

impl CustomOp1 for MeanSquare {
    fn name(&self) -> &'static str {
        "mean_square"
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = elements(self.name(), values, layout)?;
        let mean = elementwise::squares(values) / values.len() as f64;
        filled((), |output| output.fill(mean as f32))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, values: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let len = layout.shape().elem_count();
        let (parts, shape) =
            card::made(self.name(), [(values, layout)], jobs::parts(len), |[values], to| {
                jobs::squares(values, None, to)
            })?;
        card::made(self.name(), [(&parts, &Layout::contiguous(shape))], (), |[parts], to| {
            jobs::total(1.0 / len as f32, parts, to)
        })
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let factor = 2.0 / a_layout.shape().elem_count() as f32;
        let arguments = [(a, a_layout), (b, b_layout), (grad_output, grad_layout)];
        card::made(self.name(), arguments, a_layout.shape(), |arguments, to| {
            pointwise::difference(factor, arguments, to)
        })
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, features: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, ..) = layout.shape().dims4()?;
        let [values] = card::spans(self.name(), [(features, layout)])?;
        let grams = by_cublas::forward(&features.device, gram_shape(layout)?, values)?;
        Ok(card::result(grams, features, (batch, channels, channels)))
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        features: &CudaStorage,
        layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let [values, gradient] = card::spans(self.name(), [(features, layout), (grad_output, grad_layout)])?;
        let gradient = by_cublas::backward(&features.device, gram_shape(layout)?, values, gradient)?;
        Ok(card::result(gradient, features, layout.shape()))
    }
}

/// pictures -> scalar; on cards only, elsewhere it is composed.
struct TotalVariation;

impl CustomOp1 for TotalVariation {
    fn name(&self) -> &'static str {
        "total_variation"
    }

    fn cpu_fwd(&self, _pictures: &CpuStorage, _layout: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, pictures: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (_, _, height, width) = layout.shape().dims4()?;
        let parts = jobs::parts(layout.shape().elem_count());
        let (parts, shape) = card::made(self.name(), [(pictures, layout)], parts, |[pictures], to| {
            jobs::variation([height, width], pictures, to)
        })?;
        card::made(self.name(), [(&parts, &Layout::contiguous(shape))], (), |[parts], to| {
            jobs::total(1.0, parts, to)
        })
    }

    fn bwd(&self, pictures: &Tensor, _output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        pictures.apply_op2_no_bwd(grad_output, &TotalVariationBackward).map(Some)
    }
}

/// pictures, gradient of their variation -> gradient of the pictures; on cards only.
struct TotalVariationBackward;

impl CustomOp2 for TotalVariationBackward {
    fn name(&self) -> &'static str {
        "total_variation_backward"
    }

    fn cpu_fwd(
        &self,
        _pictures: &CpuStorage,
        _layout: &Layout,
        _grad_output: &CpuStorage,
        _grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        pictures: &CudaStorage,
        layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (_, _, height, width) = layout.shape().dims4()?;
        let arguments = [(pictures, layout), (grad_output, grad_layout)];
        card::made(self.name(), arguments, layout.shape(), |[pictures, grad_output], to| {
            jobs::variation_backward([height, width], pictures, grad_output, to)
        })
    }
}
