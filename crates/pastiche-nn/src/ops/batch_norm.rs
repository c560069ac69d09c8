//! Batch normalisation (Ioffe and Szegedy 2015): by the statistics of a batch, or by some that are given.

use candle_core::{Result, Tensor};

use super::instance_norm;

/// Brings every channel of `input` (N, C, H, W) to mean 0 and variance 1 over all its pictures, then multiplies by `scale`
/// (C) and adds `shift` (C): `(x - mean) / sqrt(variance + eps) * scale + shift`, with the biased variance.
///
/// # Errors
/// `scale` or `shift` does not have one element a channel, the input has no pixels, or a tensor is not `f32`.
pub fn batch_norm(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    let (batch, channels, height, width) = input.dims4()?;
    // As one picture, in which those of the batch lie one below the other.
    let one = input.transpose(0, 1)?.reshape((1, channels, batch * height, width))?;
    let normalised = instance_norm(&one, scale, shift, eps)?;
    normalised.reshape((channels, batch, height, width))?.transpose(0, 1)?.contiguous()
}

/// Mean and biased variance of every channel of `input` (N, C, H, W) over all its pictures: both (C).
///
/// # Errors
/// The input has another shape, or the device has no memory left.
pub fn batch_moments(input: &Tensor) -> Result<(Tensor, Tensor)> {
    // Axis by axis, so that no sum is long.
    let mean = |values: &Tensor| values.mean(3)?.mean(2)?.mean(0);
    let means = mean(input)?;
    let centred = input.broadcast_sub(&means.reshape((1, means.dim(0)?, 1, 1))?)?;
    Ok((means, mean(&centred.sqr()?)?))
}

/// The factors and summands (C) of a norm by given statistics (C): `x * factor + summand` is
/// `(x - mean) / sqrt(variance + eps) * scale + shift`.
///
/// # Errors
/// The shapes differ.
pub fn norm_factors(
    scale: &Tensor,
    shift: &Tensor,
    (mean, variance): (&Tensor, &Tensor),
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    let factor = (scale / (variance + eps)?.sqrt()?)?;
    let summand = (shift - (mean * &factor)?)?;
    Ok((factor, summand))
}
