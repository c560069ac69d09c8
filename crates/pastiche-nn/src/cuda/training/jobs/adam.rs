//! Adam over many tensors at once.

use candle_core::Result;

use super::{Job, Span, SpanMut, count};

/// Tensors that one launch takes, as in `adam.cuh`.
pub(crate) const TENSORS: usize = 64;
/// Numbers that one block takes, as in `adam.cuh`.
const BLOCK_NUMBERS: usize = 8192;

/// A variable, its moments, its gradient, and its step size over the correction of the first moment.
#[derive(Debug)]
pub(crate) struct Tensors<'a> {
    pub(crate) weight: SpanMut<'a>,
    pub(crate) first: SpanMut<'a>,
    pub(crate) second: SpanMut<'a>,
    pub(crate) gradient: Span<'a>,
    pub(crate) rate: f32,
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct TensorList {
    weight: [u64; TENSORS],
    first: [u64; TENSORS],
    second: [u64; TENSORS],
    gradient: [u64; TENSORS],
    length: [u32; TENSORS],
    first_block: [u32; TENSORS + 1],
    rate: [f32; TENSORS],
    count: u32,
}

impl TensorList {
    /// Up to [`TENSORS`] tensors.
    fn new(tensors: &[Tensors<'_>]) -> Result<Self> {
        assert!(tensors.len() <= TENSORS, "{} tensors for one launch", tensors.len());
        let mut list = Self {
            weight: [0; TENSORS],
            first: [0; TENSORS],
            second: [0; TENSORS],
            gradient: [0; TENSORS],
            length: [0; TENSORS],
            first_block: [0; TENSORS + 1],
            rate: [0.0; TENSORS],
            count: tensors.len() as u32,
        };
        for (index, tensor) in tensors.iter().enumerate() {
            let len = tensor.gradient.len();
            list.weight[index] = tensor.weight.of(len);
            list.first[index] = tensor.first.of(len);
            list.second[index] = tensor.second.of(len);
            list.gradient[index] = tensor.gradient.of(len);
            list.length[index] = count(len)?;
            list.rate[index] = tensor.rate;
            list.first_block[index + 1] = list.first_block[index] + len.div_ceil(BLOCK_NUMBERS) as u32;
        }
        Ok(list)
    }

    fn blocks(&self) -> u32 {
        self.first_block[self.count as usize]
    }
}

/// Blocks that tensors of these lengths take: so many parts the squares of their gradients have.
pub(crate) fn blocks(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.map(|len| len.div_ceil(BLOCK_NUMBERS)).sum()
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct GradientSquaresArguments {
    list: TensorList,
    parts: u64,
}

/// The squared norm of all gradients, in [`blocks`] parts.
pub(crate) fn gradient_squares<'a>(
    tensors: &[Tensors<'a>],
    to: SpanMut<'a>,
) -> Result<Job<'a, GradientSquaresArguments>> {
    let list = TensorList::new(tensors)?;
    let arguments = GradientSquaresArguments { list, parts: to.of(list.blocks() as usize) };
    Ok(Job::blocks("gradient_squares", list.blocks(), arguments))
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct JudgeArguments {
    loss: u64,
    parts: u64,
    verdict: u64,
    count: u32,
}

/// Sets `verdict[0]` to 1 for good once `loss` or the sum of all parts is infinite or NaN, and `verdict[1]` to that sum.
pub(crate) fn judge<'a>(
    loss: Span<'a>,
    parts: Span<'a>,
    verdict: SpanMut<'a>,
) -> Result<Job<'a, JudgeArguments>> {
    let len = parts.len();
    let arguments =
        JudgeArguments { loss: loss.of(1), parts: parts.of(len), verdict: verdict.of(2), count: count(len)? };
    Ok(Job::blocks("judge", 1, arguments))
}

/// The constants of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants {
    /// Parts of the two moments that a step keeps.
    pub(crate) betas: [f64; 2],
    /// What keeps the deviation above zero.
    pub(crate) epsilon: f64,
    /// The step's number, from 1.
    pub(crate) step: u64,
}

impl Constants {
    /// What the moments, which start at zero, are to be divided by.
    pub(crate) fn corrections(&self) -> [f64; 2] {
        let step = i32::try_from(self.step).unwrap_or(i32::MAX);
        self.betas.map(|beta| 1.0 - beta.powi(step))
    }
}

#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct AdamArguments {
    list: TensorList,
    verdict: u64,
    kept_1: f32,
    given_1: f32,
    kept_2: f32,
    given_2: f32,
    correction_2: f32,
    epsilon: f32,
}

/// Moves the variables by their gradients, unless the verdict is against it.
pub(crate) fn step<'a>(
    tensors: &[Tensors<'a>],
    verdict: Span<'a>,
    constants: Constants,
) -> Result<Job<'a, AdamArguments>> {
    let list = TensorList::new(tensors)?;
    let Constants { betas: [beta_1, beta_2], epsilon, .. } = constants;
    let arguments = AdamArguments {
        list,
        verdict: verdict.of(2),
        kept_1: beta_1 as f32,
        given_1: (1.0 - beta_1) as f32,
        kept_2: beta_2 as f32,
        given_2: (1.0 - beta_2) as f32,
        correction_2: constants.corrections()[1] as f32,
        epsilon: epsilon as f32,
    };
    Ok(Job::blocks("adam", list.blocks(), arguments))
}
