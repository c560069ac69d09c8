//! The rectified linear unit.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

#[cfg(feature = "cuda")]
use super::card;
use super::cpu::{dense, elements, filled};
#[cfg(feature = "cuda")]
use crate::cuda::training::jobs::pointwise;
use crate::kernels::elementwise;

/// `max(x, 0)` of a tensor of any shape; the gradient at zero is zero.
///
/// # Errors
/// The tensor is not `f32`.
pub fn relu(input: &Tensor) -> Result<Tensor> {
    dense("relu", input)?.apply_op1(Relu)
}

/// input -> output.
struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let input = elements(self.name(), input, layout)?;
        filled(layout.shape(), |output| elementwise::relu(input, output))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        card::made(self.name(), [(input, layout)], layout.shape(), |[input], to| {
            pointwise::relu_forward(input, to)
        })
    }

    fn bwd(&self, _input: &Tensor, output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        output.apply_op2_no_bwd(&dense(self.name(), grad_output)?, &Backward).map(Some)
    }
}

/// output, its gradient -> gradient of the input.
pub(super) struct Backward;

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "relu_backward"
    }

    fn cpu_fwd(
        &self,
        output: &CpuStorage,
        output_layout: &Layout,
        grad_output: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let output = elements(self.name(), output, output_layout)?;
        let grad_output = elements(self.name(), grad_output, grad_layout)?;
        filled(output_layout.shape(), |grad| elementwise::relu_backward(output, grad_output, grad))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        output: &CudaStorage,
        output_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let arguments = [(output, output_layout), (grad_output, grad_layout)];
        card::made(self.name(), arguments, output_layout.shape(), |[output, grad_output], to| {
            pointwise::relu_backward(output, grad_output, to)
        })
    }
}
