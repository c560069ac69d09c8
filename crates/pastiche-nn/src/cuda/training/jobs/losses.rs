//! Sums over whole tensors, in two steps: parts, and their total.

use candle_core::Result;

use super::{Job, Span, SpanMut, count};

/// Numbers from which on a sum is given another part, and parts at most.
const PART_NUMBERS: usize = 4096;
const MAX_PARTS: usize = 512;

/// How many parts a sum over so many numbers is made of.
pub(crate) fn parts(numbers: usize) -> usize {
    numbers.div_ceil(PART_NUMBERS).clamp(1, MAX_PARTS)
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct SquaresArguments {
    a: u64,
    b: u64,
    parts: u64,
    count: u32,
    blocks: u32,
}

/// Sums of squared differences, or of squares where there is no `b`, in [`parts`] parts.
pub(crate) fn squares<'a>(
    a: Span<'a>,
    b: Option<Span<'a>>,
    to: SpanMut<'a>,
) -> Result<Job<'a, SquaresArguments>> {
    let (len, parts) = (a.len(), parts(a.len()));
    let arguments = SquaresArguments {
        a: a.of(len),
        b: b.map_or(0, |b| b.of(len)),
        parts: to.of(parts),
        count: count(len)?,
        blocks: parts as u32,
    };
    Ok(Job::blocks("squares", arguments.blocks, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct TotalArguments {
    parts: u64,
    to: u64,
    count: u32,
    factor: f32,
}

/// `factor` times the sum of all parts.
pub(crate) fn total<'a>(factor: f32, parts: Span<'a>, to: SpanMut<'a>) -> Result<Job<'a, TotalArguments>> {
    let len = parts.len();
    let arguments = TotalArguments { parts: parts.of(len), to: to.of(1), count: count(len)?, factor };
    Ok(Job::blocks("total", 1, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct ChannelSumArguments {
    from: u64,
    parts: u64,
    batch: u32,
    channels: u32,
    plane: u32,
    parts_each: u32,
}

/// Parts (parts, `channels`) of the sums of channels of `from` (N, `channels`, `plane`), whose sums over the parts are those.
pub(crate) fn channel_sum<'a>(
    channels: usize,
    plane: usize,
    from: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, ChannelSumArguments>> {
    let batch = from.len() / (channels * plane);
    let parts = parts(batch * plane);
    count(from.len())?;
    let arguments = ChannelSumArguments {
        from: from.of(batch * channels * plane),
        parts: to.of(parts * channels),
        batch: count(batch)?,
        channels: count(channels)?,
        plane: count(plane)?,
        parts_each: parts as u32,
    };
    Ok(Job::blocks("channel_sum", count(parts * channels)?, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct VariationArguments {
    pictures: u64,
    gradient: u64,
    to: u64,
    count: u32,
    blocks: u32,
    height: u32,
    width: u32,
    across: f32,
    down: f32,
}

impl VariationArguments {
    /// For pictures of (height, width), both at least 2.
    fn new([height, width]: [usize; 2], pictures: Span<'_>) -> Result<Self> {
        let planes = pictures.len() / (height * width);
        let len = planes * height * width;
        Ok(Self {
            pictures: pictures.of(len),
            gradient: 0,
            to: 0,
            count: count(len)?,
            blocks: parts(len) as u32,
            height: count(height)?,
            width: count(width)?,
            across: 1.0 / (planes * height * (width - 1)) as f32,
            down: 1.0 / (planes * (height - 1) * width) as f32,
        })
    }
}

/// Total variation of planes of (height, width), in [`parts`] parts.
pub(crate) fn variation<'a>(
    size: [usize; 2],
    pictures: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, VariationArguments>> {
    let mut arguments = VariationArguments::new(size, pictures)?;
    arguments.to = to.of(parts(pictures.len()));
    Ok(Job::blocks("variation", arguments.blocks, arguments))
}

/// From the gradient of the total variation, one number, to that of the pictures.
pub(crate) fn variation_backward<'a>(
    size: [usize; 2],
    pictures: Span<'a>,
    gradient: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, VariationArguments>> {
    let mut arguments = VariationArguments::new(size, pictures)?;
    arguments.gradient = gradient.of(1);
    arguments.to = to.of(pictures.len());
    Ok(Job::each("variation_backward", arguments.count, arguments))
}
