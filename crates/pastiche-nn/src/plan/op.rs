//! A plan as an operation of candle.

use std::sync::{Mutex, TryLockError};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, backend::BackendStorage, bail};

use super::{Canvas, Picture, Plan};

/// A compiled network that takes and gives tensors.
#[derive(Debug)]
pub struct CompiledNetwork {
    plan: Mutex<Plan>,
}

impl CompiledNetwork {
    /// Wraps a plan.
    pub fn new(plan: Plan) -> Self {
        Self { plan: Mutex::new(plan) }
    }

    /// Runs the network on `input` (N, 3, H, W), `f32` RGB on 0-255 in main memory, of any size that it can take. The
    /// output has the same shape, or is enlarged by [`Plan::factor`], and carries no gradient.
    ///
    /// # Errors
    /// The input's shape, type or device is another, the network cannot take its size, or another thread is using it.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        input.contiguous()?.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for CompiledNetwork {
    fn name(&self) -> &'static str {
        "compiled_network"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, channels, height, width) = layout.shape().dims4()?;
        if layout.shape().elem_count() == 0 {
            bail!("{}: {:?} has no pixels", self.name(), layout.shape())
        }
        let (CpuStorage::F32(values), Some((start, end)), 3) = (input, layout.contiguous_offsets(), channels)
        else {
            bail!(
                "{}: takes dense f32 of 3 channels, not {:?} of {:?}",
                self.name(),
                input.dtype(),
                layout.shape()
            )
        };
        // Waiting could last for ever, where the thread that has it waits for this one to do a task.
        let mut plan = match self.plan.try_lock() {
            Ok(plan) => plan,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => bail!("{}: is at work for another thread", self.name()),
        };
        let (batch, factor) = ((end - start) / (3 * height * width), plan.factor());
        let shape = Shape::from((batch, 3, factor * height, factor * width));
        let mut output = vec![0.0; shape.elem_count()];
        let images = values[start..end].chunks_exact(3 * height * width);
        for (image, painting) in images.zip(output.chunks_exact_mut(shape.elem_count() / batch)) {
            plan.paint(Picture::Planes(image), (height, width), Canvas::Planes(painting))
                .map_err(candle_core::Error::wrap)?;
        }
        Ok((CpuStorage::F32(output), shape))
    }
}
