//! Instance normalisation.

use candle_core::Result;

use super::{Job, Span, SpanMut, count};

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct NormArguments {
    input: u64,
    scale: u64,
    shift: u64,
    gradient: u64,
    to: u64,
    sums: u64,
    planes: u32,
    plane: u32,
    channels: u32,
    relu: u32,
    eps: f32,
}

/// Normalises planes of `plane` numbers; where `relu`, what is then negative becomes zero.
pub(crate) fn forward<'a>(
    plane: usize,
    eps: f64,
    relu: bool,
    [input, scale, shift]: [Span<'a>; 3],
    to: SpanMut<'a>,
) -> Result<Job<'a, NormArguments>> {
    let (planes, channels) = (input.len() / plane, scale.len());
    count(planes * plane)?;
    let arguments = NormArguments {
        input: input.of(planes * plane),
        scale: scale.of(channels),
        shift: shift.of(channels),
        gradient: 0,
        to: to.of(planes * plane),
        sums: 0,
        planes: count(planes)?,
        plane: count(plane)?,
        channels: count(channels)?,
        relu: u32::from(relu),
        eps: eps as f32,
    };
    Ok(Job::blocks("norm_forward", arguments.planes, arguments))
}

/// From the gradient of what [`forward`] gives without ReLU to that of the input; and into `sums`, (2, N, C), for every plane
/// the gradient of its channel's scale and that of its shift.
pub(crate) fn backward<'a>(
    plane: usize,
    eps: f64,
    [input, scale, gradient]: [Span<'a>; 3],
    to: SpanMut<'a>,
    sums: SpanMut<'a>,
) -> Result<Job<'a, NormArguments>> {
    let (planes, channels) = (input.len() / plane, scale.len());
    count(planes * plane)?;
    let arguments = NormArguments {
        input: input.of(planes * plane),
        scale: scale.of(channels),
        shift: 0,
        gradient: gradient.of(planes * plane),
        to: to.of(planes * plane),
        sums: sums.of(2 * planes),
        planes: count(planes)?,
        plane: count(plane)?,
        channels: count(channels)?,
        relu: 0,
        eps: eps as f32,
    };
    Ok(Job::blocks("norm_backward", arguments.planes, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct BatchSumArguments {
    from: u64,
    to: u64,
    count: u32,
    batch: u32,
    channels: u32,
}

/// Sums over the batch: from (groups, `batch`, `channels`) to (groups, `channels`).
pub(crate) fn batch_sum<'a>(
    batch: usize,
    channels: usize,
    from: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, BatchSumArguments>> {
    let groups = from.len() / (batch * channels);
    let arguments = BatchSumArguments {
        from: from.of(groups * batch * channels),
        to: to.of(groups * channels),
        count: count(groups * channels)?,
        batch: count(batch)?,
        channels: count(channels)?,
    };
    Ok(Job::each("batch_sum", arguments.count, arguments))
}
