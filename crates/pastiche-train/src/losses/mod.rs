//! The losses of Johnson et al. 2016, section 3.2, one function an equation, and their weighted sum.
//!
//! Every function takes `f32` tensors on one device, gives a scalar tensor with gradients, and fails where shapes do not
//! fit together.

mod perceptual;
mod weights;

use candle_core::{Result, Tensor};
use pastiche_nn::ops;

pub use self::{
    perceptual::{ContentTarget, PerceptualLoss, Terms},
    weights::{LayerWeight, LossWeights},
};
/// Equation 3: Gram matrices (N, C, C) of features (N, C, H, W).
pub use pastiche_nn::ops::gram_matrix;
/// Total variation of pictures (N, 3, H, W).
pub use pastiche_nn::ops::total_variation;

/// Equation 2: squared distance of two features (N, C, H, W), divided by C * H * W; mean over the batch.
///
/// # Errors
/// The shapes differ.
pub fn feature_reconstruction(features: &Tensor, target: &Tensor) -> Result<Tensor> {
    ops::mean_squared_error(features, target)
}

/// Equation 4 at one layer: squared Frobenius distance of Gram matrices (N, C, C) from that of the painting (1, C, C);
/// mean over the batch.
///
/// # Errors
/// The channels differ.
pub fn style_reconstruction(grams: &Tensor, painting: &Tensor) -> Result<Tensor> {
    let (_, channels, _) = grams.dims3()?;
    ops::mean_squared_error(grams, &painting.broadcast_as(grams.shape())?)? * (channels * channels) as f64
}

/// Pixel loss: squared distance of two pictures (N, 3, H, W), divided by 3 * H * W; mean over the batch.
///
/// # Errors
/// The shapes differ.
pub fn pixel(picture: &Tensor, target: &Tensor) -> Result<Tensor> {
    ops::mean_squared_error(picture, target)
}
