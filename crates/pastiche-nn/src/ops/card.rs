//! What all custom ops share on a card: a view of an argument, and a result made by a kernel.

use candle_core::{
    CudaStorage, Layout, Result, Shape, bail,
    cuda_backend::cudarc::driver::{CudaSlice, CudaView},
};

use crate::cuda::training::{
    card::Card,
    jobs::{Job, Span, SpanMut},
};

/// A dense argument's elements.
pub(crate) fn view<'a>(op: &str, storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{op}: an argument's elements are not in row-major order")
    };
    Ok(storage.as_cuda_slice::<f32>()?.slice(start..end))
}

/// Memory on the card as a result.
pub(crate) fn result(
    memory: CudaSlice<f32>,
    like: &CudaStorage,
    shape: impl Into<Shape>,
) -> (CudaStorage, Shape) {
    (CudaStorage::wrap_cuda_slice(memory, like.device.clone()), shape.into())
}

/// The result of a kernel over some arguments, all dense.
pub(crate) fn made<'a, const N: usize, A: Copy>(
    op: &str,
    arguments: [(&'a CudaStorage, &Layout); N],
    shape: impl Into<Shape>,
    job: impl FnOnce([Span<'a>; N], SpanMut<'a>) -> Result<Job<'a, A>>,
) -> Result<(CudaStorage, Shape)> {
    let like = arguments[0].0;
    let (shape, spans) = (shape.into(), spans(op, arguments)?);
    let memory = Card::of(&like.device)?.made(shape.elem_count(), |to| job(spans, to))?;
    Ok(result(memory, like, shape))
}

/// Dense arguments for a job to read.
pub(crate) fn spans<'a, const N: usize>(
    op: &str,
    arguments: [(&'a CudaStorage, &Layout); N],
) -> Result<[Span<'a>; N]> {
    let mut spans = [Span::new(0, 0); N];
    for (span, (storage, layout)) in spans.iter_mut().zip(arguments) {
        *span = Card::of(&storage.device)?.span(&view(op, storage, layout)?);
    }
    Ok(spans)
}
