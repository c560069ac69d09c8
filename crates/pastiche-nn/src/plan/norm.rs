//! The end of an instance norm: from the tasks' moments to what readers of the output multiply by and add.

use super::{
    arena::Arena,
    moments::Moments,
    step::{Norm, Step},
};

/// Joins the moments of all tasks of a step, in their order.
pub(super) fn finish(
    step: &Step,
    norm: &Norm,
    [gains, offsets]: &[Vec<f32>; 2],
    arena: &Arena,
    memory: &mut [f32],
    lanes: usize,
) {
    let Some((_, scale)) = step.target.planes() else { return };
    let channels = gains.len();
    let moments_at = arena.place(norm.moments);
    for channel in 0..channels {
        let mut all = Moments::default();
        for task in 0..step.grid.tasks() {
            let rect = step.pixels_of(task);
            let at = moments_at + task * 2 * channels + channel;
            all.join(scale * scale * rect.height * rect.width, memory[at], memory[at + channels]);
        }
        let (scale, shift) = all.affine(norm.eps, gains[channel], offsets[channel]);
        let at = arena.place(norm.affine) + channel / lanes * 2 * lanes + channel % lanes;
        (memory[at], memory[at + lanes]) = (scale, shift);
    }
}
