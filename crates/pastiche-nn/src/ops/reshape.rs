//! Padding and enlargement: operations that copy pixels to other places.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
use super::card;
use super::cpu::{dense, elements, filled};
#[cfg(feature = "cuda")]
use crate::cuda::training::jobs::reshape as jobs;
use crate::kernels::{
    pad::{self, Margins, PadMode, PadShape},
    upsample,
};

/// Mirrors `input` (N, C, H, W) by `margin` pixels at each edge, without repeating the edge: `c b | a b c | b a`.
///
/// # Errors
/// `margin` is not smaller than both sides of the input, or the input is not `f32`.
pub fn reflection_pad(input: &Tensor, margin: usize) -> Result<Tensor> {
    pad(input, Margins::uniform(margin), PadMode::Reflect)
}

/// Puts `margin` zeros around `input` (N, C, H, W).
///
/// # Errors
/// The input is not `f32`.
pub fn zero_pad(input: &Tensor, margin: usize) -> Result<Tensor> {
    pad(input, Margins::uniform(margin), PadMode::Zero)
}

/// Adds `margins` around `input` (N, C, H, W).
///
/// # Errors
/// A reflection reaches past the other edge, the input has no pixels, or it is not `f32`.
pub fn pad(input: &Tensor, margins: Margins, mode: PadMode) -> Result<Tensor> {
    pad_shape(input, margins, mode)?;
    if margins == Margins::default() {
        return Ok(input.clone());
    }
    dense("pad", input)?.apply_op1(Pad { margins, mode })
}

/// What padding makes of a picture.
pub(super) fn pad_shape(input: &Tensor, margins: Margins, mode: PadMode) -> Result<PadShape> {
    let (_, _, height, width) = input.dims4()?;
    let widest = margins.left.max(margins.right);
    let highest = margins.top.max(margins.bottom);
    if height * width == 0 || (mode == PadMode::Reflect && (highest >= height || widest >= width)) {
        bail!("{mode:?} padding by {margins:?} needs a larger picture than {width}x{height}")
    }
    Ok(PadShape { height, width, margins, mode })
}

/// The same of candle's own operations.
#[cfg(test)]
pub(super) fn pad_composed(input: &Tensor, margins: Margins, mode: PadMode) -> Result<Tensor> {
    let (_, _, height, width) = input.dims4()?;
    let Margins { top, bottom, left, right } = margins;
    if mode == PadMode::Zero {
        return input.pad_with_zeros(2, top, bottom)?.pad_with_zeros(3, left, right);
    }
    let indices = |before, len, after| {
        let sources = pad::sources(mode, before, len, after).into_iter();
        let sources: Vec<u32> = sources.flatten().map(|source| source as u32).collect();
        Tensor::new(sources, input.device())
    };
    input.index_select(&indices(top, height, bottom)?, 2)?.index_select(&indices(left, width, right)?, 3)
}

/// Repeats every pixel of `input` (N, C, H, W) `factor` times in both directions: (N, C, H * factor, W * factor).
///
/// # Errors
/// The factor is 0, the input has no pixels, or it is not `f32`.
pub fn upsample_nearest(input: &Tensor, factor: usize) -> Result<Tensor> {
    let (_, _, height, width) = input.dims4()?;
    if factor * height * width == 0 {
        bail!("upsample_nearest: {width}x{height} pixels by a factor of {factor}")
    }
    dense("upsample_nearest", input)?.apply_op1(Upsample { factor })
}

/// The same of candle's own operations (its `upsample_nearest2d` loses earlier gradients).
#[cfg(test)]
pub(super) fn upsample_composed(input: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = input.dims4()?;
    input
        .reshape(vec![batch, channels, height, 1, width, 1])?
        .broadcast_as(vec![batch, channels, height, factor, width, factor])?
        .contiguous()?
        .reshape((batch, channels, height * factor, width * factor))
}

/// Picture -> padded picture.
pub(super) struct Pad {
    pub(super) margins: Margins,
    pub(super) mode: PadMode,
}

/// Gradient of the padded picture -> gradient of the picture.
pub(super) struct PadBackward {
    pub(super) shape: PadShape,
}

impl CustomOp1 for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let shape = PadShape { height, width, margins: self.margins, mode: self.mode };
        let input = elements(self.name(), input, layout)?;
        filled((batch, channels, shape.padded_height(), shape.padded_width()), |output| {
            pad::forward(&shape, input, output);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let shape = PadShape { height, width, margins: self.margins, mode: self.mode };
        let padded = (batch, channels, shape.padded_height(), shape.padded_width());
        card::made(self.name(), [(input, layout)], padded, |[input], to| {
            jobs::pad_forward(&shape, batch * channels, input, to)
        })
    }

    fn bwd(&self, input: &Tensor, _output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, height, width) = input.dims4()?;
        let shape = PadShape { height, width, margins: self.margins, mode: self.mode };
        dense(self.name(), grad_output)?.apply_op1_no_bwd(&PadBackward { shape }).map(Some)
    }
}

impl CustomOp1 for PadBackward {
    fn name(&self) -> &'static str {
        "pad_backward"
    }

    fn cpu_fwd(&self, grad_output: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, ..) = layout.shape().dims4()?;
        let grad_output = elements(self.name(), grad_output, layout)?;
        filled((batch, channels, self.shape.height, self.shape.width), |grad_input| {
            pad::backward(&self.shape, grad_output, grad_input);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, grad_output: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, ..) = layout.shape().dims4()?;
        let shape = (batch, channels, self.shape.height, self.shape.width);
        card::made(self.name(), [(grad_output, layout)], shape, |[grad_output], to| {
            jobs::pad_backward(&self.shape, batch * channels, grad_output, None, to)
        })
    }
}

struct Upsample {
    factor: usize,
}

/// Gradient of the large picture -> gradient of the small one.
struct UpsampleBackward {
    factor: usize,
}

impl CustomOp1 for Upsample {
    fn name(&self) -> &'static str {
        "upsample_nearest"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let input = elements(self.name(), input, layout)?;
        filled((batch, channels, height * self.factor, width * self.factor), |output| {
            upsample::forward(width, self.factor, input, output);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let shape = (batch, channels, height * self.factor, width * self.factor);
        card::made(self.name(), [(input, layout)], shape, |[input], to| {
            jobs::upsample_forward([height, width], self.factor, input, to)
        })
    }

    fn bwd(&self, _input: &Tensor, _output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let backward = UpsampleBackward { factor: self.factor };
        dense(self.name(), grad_output)?.apply_op1_no_bwd(&backward).map(Some)
    }
}

impl CustomOp1 for UpsampleBackward {
    fn name(&self) -> &'static str {
        "upsample_nearest_backward"
    }

    fn cpu_fwd(&self, grad_output: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let (height, width) = (height / self.factor, width / self.factor);
        let grad_output = elements(self.name(), grad_output, layout)?;
        filled((batch, channels, height, width), |grad_input| {
            upsample::backward(width, self.factor, grad_output, grad_input);
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, grad_output: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let (height, width) = (height / self.factor, width / self.factor);
        let shape = (batch, channels, height, width);
        card::made(self.name(), [(grad_output, layout)], shape, |[grad_output], to| {
            jobs::upsample_backward([height, width], self.factor, grad_output, to)
        })
    }
}
