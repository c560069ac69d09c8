//! Number by number.

use candle_core::Result;

use super::{Job, Span, SpanMut, count};

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct BiasArguments {
    bias: u64,
    values: u64,
    count: u32,
    channels: u32,
    plane: u32,
    relu: u32,
}

/// Adds a number a channel to `values` (N, C, `plane`) in place; then, where `relu`, makes what is negative zero.
pub(crate) fn bias<'a>(
    plane: usize,
    relu: bool,
    bias: Span<'a>,
    values: SpanMut<'a>,
) -> Result<Job<'a, BiasArguments>> {
    let channels = bias.len();
    let arguments = BiasArguments {
        bias: bias.of(channels),
        values: values.of(values.len / (channels * plane) * (channels * plane)),
        count: count(values.len)?,
        channels: count(channels)?,
        plane: count(plane)?,
        relu: u32::from(relu),
    };
    Ok(Job::each("bias", arguments.count, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct ReluArguments {
    values: u64,
    gradient: u64,
    to: u64,
    count: u32,
}

/// What is negative becomes zero.
pub(crate) fn relu_forward<'a>(values: Span<'a>, to: SpanMut<'a>) -> Result<Job<'a, ReluArguments>> {
    let len = values.len();
    let arguments = ReluArguments { values: values.of(len), gradient: 0, to: to.of(len), count: count(len)? };
    Ok(Job::each("relu_forward", arguments.count, arguments))
}

/// The gradient where `output`, that of the ReLU, is positive.
pub(crate) fn relu_backward<'a>(
    output: Span<'a>,
    gradient: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, ReluArguments>> {
    let len = output.len();
    let arguments = ReluArguments {
        values: output.of(len),
        gradient: gradient.of(len),
        to: to.of(len),
        count: count(len)?,
    };
    Ok(Job::each("relu_backward", arguments.count, arguments))
}

/// Channel `c` is `order[c]` of three, times `scale[c]`, plus `shift[c]`; `order` names each once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Colours {
    pub(crate) order: [usize; 3],
    pub(crate) scale: [f32; 3],
    pub(crate) shift: [f32; 3],
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct ColourArguments {
    from: u64,
    to: u64,
    count: u32,
    plane: u32,
    order: [u32; 3],
    scale: [f32; 3],
    shift: [f32; 3],
}

impl Colours {
    fn arguments(&self, plane: usize, from: Span<'_>, to: &SpanMut<'_>) -> Result<ColourArguments> {
        let len = from.len() / (3 * plane) * (3 * plane);
        Ok(ColourArguments {
            from: from.of(len),
            to: to.of(len),
            count: count(len)?,
            plane: count(plane)?,
            order: self.order.map(|channel| channel as u32),
            scale: self.scale,
            shift: self.shift,
        })
    }

    /// Pictures (N, 3, `plane`).
    pub(crate) fn forward<'a>(
        &self,
        plane: usize,
        from: Span<'a>,
        to: SpanMut<'a>,
    ) -> Result<Job<'a, ColourArguments>> {
        let arguments = self.arguments(plane, from, &to)?;
        Ok(Job::each("colour_forward", arguments.count, arguments))
    }

    /// From the gradient of what [`Self::forward`] gives to that of the pictures.
    pub(crate) fn backward<'a>(
        &self,
        plane: usize,
        gradient: Span<'a>,
        to: SpanMut<'a>,
    ) -> Result<Job<'a, ColourArguments>> {
        let arguments = self.arguments(plane, gradient, &to)?;
        Ok(Job::each("colour_backward", arguments.count, arguments))
    }
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct DifferenceArguments {
    a: u64,
    b: u64,
    gradient: u64,
    to: u64,
    count: u32,
    factor: f32,
}

/// `to = factor * gradient * (a - b)`, with one gradient for all.
pub(crate) fn difference<'a>(
    factor: f32,
    [a, b, gradient]: [Span<'a>; 3],
    to: SpanMut<'a>,
) -> Result<Job<'a, DifferenceArguments>> {
    let len = a.len();
    let arguments = DifferenceArguments {
        a: a.of(len),
        b: b.of(len),
        gradient: gradient.of(1),
        to: to.of(len),
        count: count(len)?,
        factor,
    };
    Ok(Job::each("difference", arguments.count, arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct SymmetricArguments {
    from: u64,
    to: u64,
    count: u32,
    side: u32,
    factor: f32,
}

/// `to = factor * (g + g^T)` for every matrix g of `side` rows and columns.
pub(crate) fn symmetric<'a>(
    side: usize,
    factor: f32,
    from: Span<'a>,
    to: SpanMut<'a>,
) -> Result<Job<'a, SymmetricArguments>> {
    let len = from.len() / (side * side) * (side * side);
    let arguments = SymmetricArguments {
        from: from.of(len),
        to: to.of(len),
        count: count(len)?,
        side: count(side)?,
        factor,
    };
    Ok(Job::each("symmetric", arguments.count, arguments))
}

/// Numbers that are collected at once, as in `pointwise.cuh`.
pub(crate) const SCALARS: usize = 8;

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct CollectArguments {
    from: [u64; SCALARS],
    to: u64,
    count: u32,
}

/// Up to [`SCALARS`] numbers from here and there, side by side.
pub(crate) fn collect<'a>(scalars: &[Span<'a>], to: SpanMut<'a>) -> Result<Job<'a, CollectArguments>> {
    let mut from = [0; SCALARS];
    for (address, scalar) in from.iter_mut().zip(scalars) {
        *address = scalar.of(1);
    }
    let arguments = CollectArguments { from, to: to.of(scalars.len()), count: count(scalars.len())? };
    Ok(Job::each("collect", arguments.count, arguments))
}
