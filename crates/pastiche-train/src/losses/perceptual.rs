//! Equation 5 of Johnson et al. 2016: the weighted sum of content, style and total variation.

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use pastiche_nn::{FrozenNetwork, ops};

use super::{LossWeights, feature_reconstruction, style_reconstruction, total_variation};
use crate::{
    TrainError,
    loss_net::LossNetFile,
    photos::{open_reduced, tensor_from_picture},
};

/// Largest value of a pixel; total variation is measured in its square.
const PIXEL_RANGE: f64 = 255.0;

/// What a layer is compared with, and what its term is multiplied with and divided by.
#[derive(Debug, Clone)]
struct LayerTarget {
    layer: String,
    target: Tensor,
    factor: f64,
    /// A scalar above zero. It stays where it was computed, so that nobody waits for it.
    unit: Tensor,
}

/// The loss for one painting. Layers' terms are divided by what they are compared with (squared norm of the painting's Gram
/// matrix, mean square of the photos' features), so that they count as much for every painting.
#[derive(Debug)]
pub struct PerceptualLoss {
    network: FrozenNetwork,
    weights: LossWeights,
    style: Vec<LayerTarget>,
}

/// Features of photos that an output is compared with.
#[derive(Debug, Clone)]
pub struct ContentTarget(Vec<LayerTarget>);

/// The terms of the loss, already weighted; scalars with gradients.
#[derive(Debug)]
pub struct Terms {
    /// Content, equation 2.
    pub content: Tensor,
    /// Style, equation 4 over all layers.
    pub style: Tensor,
    /// Total variation.
    pub total_variation: Tensor,
}

impl Terms {
    /// Equation 5: their sum.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn total(&self) -> Result<Tensor> {
        (&self.content + &self.style)? + &self.total_variation
    }
}

impl PerceptualLoss {
    /// The loss that compares with this painting (1, 3, H, W), RGB on 0-255.
    ///
    /// # Errors
    /// The loss network lacks a layer, or the painting is too small for it.
    pub fn new(network: FrozenNetwork, weights: LossWeights, painting: &Tensor) -> Result<Self> {
        let names: Vec<&str> = weights.style_layers.iter().map(|layer| layer.layer.as_str()).collect();
        let features = network.features(painting, &names)?;
        let sum: f64 = weights.style_layers.iter().map(|layer| layer.weight).sum();
        let mut style = Vec::new();
        for layer in &weights.style_layers {
            let target = ops::gram_matrix(&features[&layer.layer])?;
            let (_, channels, _) = target.dims3()?;
            let unit = above_zero(&(ops::mean_square(&target)? * (channels * channels) as f64)?)?;
            let factor = weights.style * layer.weight / sum;
            style.push(LayerTarget { layer: layer.layer.clone(), target, factor, unit });
        }
        Ok(Self { network, weights, style })
    }

    /// The loss of content alone, for weights that name no style layers.
    pub fn of_content(network: FrozenNetwork, weights: LossWeights) -> Self {
        Self { network, weights, style: Vec::new() }
    }

    /// The loss that compares with the painting in a file, its shorter side reduced to `size` pixels.
    ///
    /// # Errors
    /// The loss network lacks a layer, or the painting cannot be read or is too small.
    pub fn open(
        loss_net: &LossNetFile,
        weights: LossWeights,
        painting: &Path,
        size: u32,
        device: &Device,
    ) -> std::result::Result<Self, TrainError> {
        let network = loss_net.network(&weights, device)?;
        let painting = tensor_from_picture(&open_reduced(painting, size)?, device)?;
        Ok(Self::new(network, weights, &painting)?)
    }

    /// The weights that it was made with.
    pub fn weights(&self) -> &LossWeights {
        &self.weights
    }

    /// The features of photos (N, 3, H, W), RGB on 0-255, that outputs are to keep.
    ///
    /// # Errors
    /// The photos are too small for the loss network.
    pub fn content_target(&self, photos: &Tensor) -> Result<ContentTarget> {
        let layers = &self.weights.content_layers;
        let names: Vec<&str> = layers.iter().map(|layer| layer.layer.as_str()).collect();
        let features = self.network.features(&photos.detach(), &names)?;
        let sum: f64 = layers.iter().map(|layer| layer.weight).sum();
        let mut targets = Vec::new();
        for layer in layers {
            let target = features[&layer.layer].clone();
            let unit = above_zero(&ops::mean_square(&target)?)?;
            let factor = self.weights.content * layer.weight / sum;
            targets.push(LayerTarget { layer: layer.layer.clone(), target, factor, unit });
        }
        Ok(ContentTarget(targets))
    }

    /// The terms for outputs (N, 3, H, W), RGB on 0-255, of the photos that `content` is of.
    ///
    /// # Errors
    /// The outputs have another size than the photos.
    pub fn terms(&self, outputs: &Tensor, content: &ContentTarget) -> Result<Terms> {
        let targets = self.style.iter().chain(&content.0);
        let mut names: Vec<&str> = targets.map(|target| target.layer.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let features = self.network.features(outputs, &names)?;
        let none = Tensor::zeros((), DType::F32, outputs.device())?;
        let style = weighted_sum(&none, &self.style, |LayerTarget { layer, target, .. }| {
            style_reconstruction(&ops::gram_matrix(&features[layer])?, target)
        })?;
        let content = weighted_sum(&none, &content.0, |LayerTarget { layer, target, .. }| {
            feature_reconstruction(&features[layer], target)
        })?;
        let factor = self.weights.total_variation / (PIXEL_RANGE * PIXEL_RANGE);
        Ok(Terms { content, style, total_variation: (total_variation(outputs)? * factor)? })
    }
}

/// The terms of all targets, weighted and added to `none`.
fn weighted_sum(
    none: &Tensor,
    targets: &[LayerTarget],
    term: impl Fn(&LayerTarget) -> Result<Tensor>,
) -> Result<Tensor> {
    targets
        .iter()
        .try_fold(none.clone(), |sum, target| sum + ((term(target)? * target.factor)? / &target.unit)?)
}

/// The scalar, or the smallest number that can be divided by.
fn above_zero(scalar: &Tensor) -> Result<Tensor> {
    scalar.maximum(f64::from(f32::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use pastiche_nn::{
        Network, PadMode,
        networks::{LossNetInput, VggNaming, vgg19},
    };

    use super::*;
    use crate::losses::LayerWeight;

    fn waves(height: usize, width: usize, pace: f64) -> Tensor {
        let values = (0..3 * height * width).map(|i| (127.5 + 120.0 * (i as f64 * pace).sin()) as f32);
        Tensor::from_iter(values, &Device::Cpu).unwrap().reshape((1, 3, height, width)).unwrap()
    }

    fn loss(painting: &Tensor, style_layers: &[(&str, f64)]) -> PerceptualLoss {
        let description = vgg19("relu2_1", VggNaming::Blocks, LossNetInput::Caffe, PadMode::Zero).unwrap();
        let network = Network::random(description, 2, &Device::Cpu).unwrap();
        let layer = |(name, weight): &(&str, f64)| LayerWeight { layer: (*name).to_owned(), weight: *weight };
        let weights = LossWeights {
            style_layers: style_layers.iter().map(layer).collect(),
            content_layers: vec![layer(&("relu2_1", 1.0))],
            ..LossWeights::default()
        };
        PerceptualLoss::new(FrozenNetwork::new(&network).unwrap(), weights, painting).unwrap()
    }

    fn value(tensor: &Tensor) -> f32 {
        tensor.to_scalar().unwrap()
    }

    #[test]
    fn the_painting_has_no_style_loss_and_the_photo_no_content_loss() {
        let (painting, photo) = (waves(32, 40, 0.37), waves(32, 40, 0.11));
        let loss = loss(&painting, &[("relu1_1", 1.0), ("relu2_1", 1.0)]);
        let content = loss.content_target(&photo).unwrap();
        let of_photo = loss.terms(&photo, &content).unwrap();
        let of_painting = loss.terms(&painting, &content).unwrap();
        assert_eq!(value(&of_photo.content), 0.0);
        assert!(value(&of_painting.style) < 1e-6 && value(&of_painting.content) > 0.01);
        assert!(value(&of_photo.style) > 0.01);
        let sum = value(&of_photo.content) + value(&of_photo.style) + value(&of_photo.total_variation);
        assert!((value(&of_photo.total().unwrap()) - sum).abs() < 1e-5);
    }

    /// Black has next to no style, whatever is painted: the term is then its weight.
    #[test]
    fn the_style_term_is_relative_to_the_painting() {
        let bias_free = |painting: &Tensor| {
            // Around the means, so that black is far from zero: a grey picture is what has no style here.
            let loss = loss(painting, &[("relu1_1", 3.0), ("relu2_1", 1.0)]);
            let grey: Vec<f32> = vec![123.68, 116.779, 103.939];
            let grey = Tensor::from_vec(grey, (1, 3, 1, 1), &Device::Cpu).unwrap();
            let grey = grey.broadcast_as((1, 3, 32, 40)).unwrap().contiguous().unwrap();
            let content = loss.content_target(painting).unwrap();
            value(&loss.terms(&grey, &content).unwrap().style)
        };
        let (strong, faint) = (waves(32, 40, 0.37), (waves(32, 40, 0.37) * 0.3).unwrap());
        for painting in [strong, faint] {
            let term = bias_free(&painting);
            assert!((f64::from(term) - LossWeights::default().style).abs() < 1e-2, "{term}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (painting, photo) = (waves(16, 20, 0.37), waves(16, 20, 0.11));
        let loss = loss(&painting, &[("relu1_1", 1.0), ("relu2_1", 1.0)]);
        let content = loss.content_target(&photo).unwrap();
        let start = candle_core::Var::from_tensor(&waves(16, 20, 0.23)).unwrap();
        let total = |picture: &Tensor| loss.terms(picture, &content).unwrap().total().unwrap();
        let gradients = total(&start).backward().unwrap();
        let gradient = gradients.get(&start).unwrap();
        // Along the gradient itself the change is largest, and rounding matters least.
        let square = value(&gradient.sqr().unwrap().sum_all().unwrap());
        let step = f64::from(0.02 / square);
        let along = (gradient * step).unwrap();
        let at = |sign: f64| value(&total(&(start.as_tensor() + (&along * sign).unwrap()).unwrap()));
        let change = f64::from(at(1.0) - at(-1.0));
        let expected = 2.0 * step * f64::from(square);
        assert!((change - expected).abs() < 0.02 * expected, "{change} {expected}");
        assert_eq!(gradient.dtype(), DType::F32);
    }
}
