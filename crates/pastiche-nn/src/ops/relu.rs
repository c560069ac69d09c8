//! The rectified linear unit.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::cpu::{dense, elements, filled};
use crate::kernels::elementwise;

/// `max(x, 0)` of a tensor of any shape; the gradient at zero is zero.
///
/// # Errors
/// The tensor is not `f32`.
pub fn relu(input: &Tensor) -> Result<Tensor> {
    if input.device().is_cpu() { dense("relu", input)?.apply_op1(Relu) } else { input.relu() }
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

    fn bwd(&self, _input: &Tensor, output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        output.apply_op2_no_bwd(&dense(self.name(), grad_output)?, &Backward).map(Some)
    }
}

/// output, its gradient -> gradient of the input.
struct Backward;

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
}
