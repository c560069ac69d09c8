//! 2x2 maximum pooling, as the loss networks use it.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card;
use super::cpu::{dense, elements, filled};
#[cfg(feature = "cuda")]
use crate::cuda::training::jobs::reshape;
use crate::kernels::pool;

/// The largest of every 2x2 pixels of `input` (N, C, H, W): (N, C, H / 2, W / 2). An odd last row or column is left out.
///
/// # Errors
/// The input is smaller than 2x2 pixels, or not `f32`.
pub fn max_pool_2x2(input: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = input.dims4()?;
    if height < 2 || width < 2 {
        bail!("max_pool_2x2: {width}x{height} pixels are too few")
    }
    dense("max_pool_2x2", input)?.apply_op1(MaxPool)
}

/// input -> output.
struct MaxPool;

fn height_width(layout: &Layout) -> Result<(usize, usize)> {
    let (_, _, height, width) = layout.shape().dims4()?;
    Ok((height, width))
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool_2x2"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let input = elements(self.name(), input, layout)?;
        filled((batch, channels, height / 2, width / 2), |output| pool::forward(height, width, input, output))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let shape = (batch, channels, height / 2, width / 2);
        card::made(self.name(), [(input, layout)], shape, |[input], to| {
            reshape::pool_forward(batch * channels, [height, width], input, to)
        })
    }

    fn bwd(&self, input: &Tensor, _output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let grad_output = dense(self.name(), grad_output)?;
        input.apply_op2_no_bwd(&grad_output, &Backward).map(Some)
    }
}

/// input, gradient of the output -> gradient of the input.
struct Backward;

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "max_pool_2x2_backward"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (height, width) = height_width(input_layout)?;
        let input = elements(self.name(), input, input_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled(input_layout.shape(), |grad_input| {
            pool::backward(height, width, input, grad_output, grad_input);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = input_layout.shape().dims4()?;
        let arguments = [(input, input_layout), (grad_output, grad_layout)];
        card::made(self.name(), arguments, input_layout.shape(), |arguments, to| {
            reshape::pool_backward(batch * channels, [height, width], false, arguments, to)
        })
    }
}
