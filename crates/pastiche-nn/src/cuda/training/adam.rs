//! Adam's step over all variables.

use candle_core::{Result, Tensor, Var, bail};

use super::{
    card::Card,
    jobs::{
        SpanMut,
        adam::{self, Constants, TENSORS, Tensors},
    },
};

/// A variable, the moments of its gradient, and its gradient, all of one size.
#[derive(Debug, Clone, Copy)]
pub struct AdamUpdate<'a> {
    /// The variable, which is changed in place.
    pub variable: &'a Var,
    /// Mean of the gradient, changed in place.
    pub first: &'a Tensor,
    /// Mean of its square, changed in place.
    pub second: &'a Tensor,
    /// The gradient.
    pub gradient: &'a Tensor,
    /// The step size.
    pub learning_rate: f64,
}

/// Takes step `step`, counted from 1, of Adam (Kingma and Ba 2014, algorithm 1) on a CUDA card: each of all variables moves by
/// its gradient. `betas` are the parts of both moments that are kept.
///
/// Nobody waits for it. `verdict` (2) is to be zeros at first: once `loss`, a scalar, or the squared norm of all gradients,
/// which is put into `verdict[1]`, is infinite or NaN, `verdict[0]` is 1, and nothing moves any more.
///
/// # Errors
/// A tensor is not `f32` on a card, in row-major order, or of its variable's size; or the card is lost.
pub fn adam_on_card(
    updates: &[AdamUpdate<'_>],
    [loss, verdict]: [&Tensor; 2],
    step: u64,
    betas: [f64; 2],
    epsilon: f64,
) -> Result<()> {
    let constants = Constants { betas, epsilon, step };
    let device = loss.device().as_cuda_device()?;
    let card = Card::of(device)?;
    let [first_correction, _] = constants.corrections();
    let mut tensors = Vec::with_capacity(updates.len());
    for update in updates {
        let gradient = update.gradient;
        let writable = |tensor: &Tensor| -> Result<SpanMut<'_>> {
            if tensor.elem_count() != gradient.elem_count() {
                bail!("adam: {:?} numbers with {:?} gradients", tensor.dims(), gradient.dims())
            }
            let span = card.span_of(tensor)?;
            Ok(SpanMut::new(span.address(), span.len()))
        };
        tensors.push(Tensors {
            weight: writable(update.variable.as_tensor())?,
            first: writable(update.first)?,
            second: writable(update.second)?,
            gradient: card.span_of(gradient)?,
            rate: (update.learning_rate / first_correction) as f32,
        });
    }
    let chunks = || tensors.chunks(TENSORS);
    let blocks = |chunk: &[Tensors<'_>]| adam::blocks(chunk.iter().map(|tensor| tensor.gradient.len()));
    let mut parts = card.empty(chunks().map(blocks).sum())?;
    let mut done = 0;
    for chunk in chunks() {
        let end = done + blocks(chunk);
        card.run(adam::gradient_squares(chunk, card.span_mut(&mut parts.slice_mut(done..end)))?)?;
        done = end;
    }
    let loss = card.span_of(loss)?;
    let verdict = card.span_of(verdict)?;
    let judged = SpanMut::new(verdict.address(), verdict.len());
    card.run(adam::judge(loss, card.span(&parts), judged)?)?;
    for chunk in chunks() {
        card.run(adam::step(chunk, verdict, constants)?)?;
    }
    Ok(())
}
