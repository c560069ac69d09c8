//! Padding, enlargement and pooling.

use candle_core::Result;

use super::{Job, Span, SpanMut, count};
use crate::kernels::pad::{PadMode, PadShape};

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct PadArguments {
    from: u64,
    mask: u64,
    to: u64,
    count: u32,
    height: u32,
    width: u32,
    padded_height: u32,
    padded_width: u32,
    top: u32,
    left: u32,
    reflect: u32,
}

impl PadArguments {
    fn new(shape: &PadShape, planes: usize) -> Result<Self> {
        let padded = planes * shape.padded_height() * shape.padded_width();
        count(padded)?;
        Ok(Self {
            from: 0,
            mask: 0,
            to: 0,
            count: 0,
            height: shape.height as u32,
            width: shape.width as u32,
            padded_height: shape.padded_height() as u32,
            padded_width: shape.padded_width() as u32,
            top: shape.margins.top as u32,
            left: shape.margins.left as u32,
            reflect: u32::from(shape.mode == PadMode::Reflect),
        })
    }
}

/// Pads `planes` planes.
pub(crate) fn pad_forward<'a>(
    shape: &PadShape,
    planes: usize,
    from: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, PadArguments>> {
    let padded = planes * shape.padded_height() * shape.padded_width();
    let arguments = PadArguments {
        from: from.of(planes * shape.height * shape.width),
        to: to.of(padded),
        count: count(padded)?,
        ..PadArguments::new(shape, planes)?
    };
    Ok(Job::each("pad_forward", arguments.count, arguments))
}

/// From the gradient of the padded planes to that of the planes; where `mask`, the planes before the padding, is not positive
/// it is zero.
pub(crate) fn pad_backward<'a>(
    shape: &PadShape,
    planes: usize,
    gradient: Span<'a>,
    mask: Option<Span<'a>>,
    to: SpanMut<'a>,
) -> Result<Job<'a, PadArguments>> {
    let len = planes * shape.height * shape.width;
    let arguments = PadArguments {
        from: gradient.of(planes * shape.padded_height() * shape.padded_width()),
        mask: mask.map_or(0, |mask| mask.of(len)),
        to: to.of(len),
        count: count(len)?,
        ..PadArguments::new(shape, planes)?
    };
    Ok(Job::each("pad_backward", arguments.count, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct UpsampleArguments {
    from: u64,
    to: u64,
    count: u32,
    height: u32,
    width: u32,
    factor: u32,
}

/// Repeats every pixel of planes of (height, width) `factor` times in both directions.
pub(crate) fn upsample_forward<'a>(
    [height, width]: [usize; 2],
    factor: usize,
    from: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, UpsampleArguments>> {
    let large = from.len() * factor * factor;
    let arguments = UpsampleArguments {
        from: from.of(from.len() / (height * width) * (height * width)),
        to: to.of(large),
        count: count(large)?,
        height: height as u32,
        width: width as u32,
        factor: factor as u32,
    };
    Ok(Job::each("upsample_forward", arguments.count, arguments))
}

/// From the gradient of the large planes to that of the small ones, which are (height, width).
pub(crate) fn upsample_backward<'a>(
    [height, width]: [usize; 2],
    factor: usize,
    gradient: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, UpsampleArguments>> {
    let len = gradient.len() / (factor * factor);
    count(gradient.len())?;
    let arguments = UpsampleArguments {
        from: gradient.of(len / (height * width) * (height * width) * factor * factor),
        to: to.of(len),
        count: count(len)?,
        height: height as u32,
        width: width as u32,
        factor: factor as u32,
    };
    Ok(Job::each("upsample_backward", arguments.count, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct PoolArguments {
    input: u64,
    gradient: u64,
    to: u64,
    count: u32,
    height: u32,
    width: u32,
    masked: u32,
}

/// 2x2 maximum pooling of `planes` planes of (height, width).
pub(crate) fn pool_forward<'a>(
    planes: usize,
    [height, width]: [usize; 2],
    input: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, PoolArguments>> {
    let pooled = planes * (height / 2) * (width / 2);
    let arguments = PoolArguments {
        input: input.of(planes * height * width),
        gradient: 0,
        to: to.of(pooled),
        count: count(pooled)?,
        height: count(height)?,
        width: count(width)?,
        masked: 0,
    };
    count(planes * height * width)?;
    Ok(Job::each("pool_forward", arguments.count, arguments))
}

/// From the gradient of the pooled planes to that of the planes; where `masked`, of what they were before their ReLU.
pub(crate) fn pool_backward<'a>(
    planes: usize,
    [height, width]: [usize; 2],
    masked: bool,
    [input, gradient]: [Span<'a>; 2],
    to: SpanMut<'a>,
) -> Result<Job<'a, PoolArguments>> {
    let len = planes * height * width;
    let arguments = PoolArguments {
        input: input.of(len),
        gradient: gradient.of(planes * (height / 2) * (width / 2)),
        to: to.of(len),
        count: count(len)?,
        height: count(height)?,
        width: count(width)?,
        masked: u32::from(masked),
    };
    Ok(Job::each("pool_backward", arguments.count, arguments))
}
