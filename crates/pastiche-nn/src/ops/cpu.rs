//! What all custom ops share on the CPU: a view of an argument as a slice, and a result made of a vector.

use candle_core::{CpuStorage, DType, Error, Layout, Result, Shape, Tensor, bail};

use crate::simd::Level;

/// The instruction set that the kernels run on.
pub(crate) fn best_level() -> Result<Level> {
    Level::best().map_err(Error::wrap)
}

/// A dense argument's elements. The functions of [`crate::ops`] make their arguments dense first.
pub(crate) fn elements<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{op}: an argument's elements are not in row-major order")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// The result of a custom op: `fill` gets its zeroed elements.
pub(crate) fn filled(shape: impl Into<Shape>, fill: impl FnOnce(&mut [f32])) -> Result<(CpuStorage, Shape)> {
    let shape = shape.into();
    let mut elements = vec![0.0f32; shape.elem_count()];
    fill(&mut elements);
    Ok((CpuStorage::F32(elements), shape))
}

/// The argument in row-major order, checked to be `f32`.
pub(crate) fn dense(op: &str, tensor: &Tensor) -> Result<Tensor> {
    if tensor.dtype() != DType::F32 {
        bail!("{op} takes f32, not {:?}", tensor.dtype())
    }
    tensor.contiguous()
}
