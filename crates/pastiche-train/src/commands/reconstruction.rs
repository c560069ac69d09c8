//! `pastiche-train optimize --content-only` and `--style-only`: what the layers of a loss network keep of a picture.

use anyhow::Result;
use candle_core::Device;
use clap::Args;
use image::RgbImage;
use pastiche_train::{LossWeights, PerceptualLoss, loss_net::LossNetFile, losses::LayerWeight, photos};

use super::args::LossArgs;

/// How much smoothness counts beside one layer, unless told: far less than beside a painting, whose strokes it keeps
/// together.
const TOTAL_VARIATION: f64 = 0.1;

/// Reconstructing a picture from single layers.
#[derive(Debug, Args)]
pub(super) struct ReconstructionArgs {
    /// Instead of painting, find for each of these layers a picture with the photograph's features there, and show them side
    /// by side behind it (feature inversion, figure 3).
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', conflicts_with_all = ["painting", "style_only",
          "style_layers", "content_layers", "style_size"])]
    content_only: Vec<String>,

    /// The same with the style that the photograph has at each of these layers (style reconstruction, figure 4).
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', conflicts_with_all = ["painting", "style_layers",
          "content_layers", "style_size"])]
    style_only: Vec<String>,
}

impl ReconstructionArgs {
    /// The loss of each layer, with the layer's name.
    pub(super) fn losses(
        &self,
        loss_net: &LossNetFile,
        given: &LossArgs,
        picture: &RgbImage,
        device: &Device,
    ) -> Result<Vec<(String, PerceptualLoss)>> {
        let base = LossWeights {
            style_layers: Vec::new(),
            content_layers: Vec::new(),
            style: 1.0,
            content: 1.0,
            total_variation: TOTAL_VARIATION,
        };
        let only = |layer: &str| vec![LayerWeight { layer: layer.to_owned(), weight: 1.0 }];
        let base = LossWeights { style_layers: Vec::new(), content_layers: Vec::new(), ..given.over(base) };
        let mut losses = Vec::new();
        for layer in &self.content_only {
            let weights = LossWeights { content_layers: only(layer), ..base.clone() };
            let network = loss_net.network(&weights, device)?;
            losses.push((layer.clone(), PerceptualLoss::of_content(network, weights)));
        }
        let tensor = photos::tensor_from_picture(picture, device)?;
        for layer in &self.style_only {
            let weights = LossWeights { style_layers: only(layer), ..base.clone() };
            let network = loss_net.network(&weights, device)?;
            losses.push((layer.clone(), PerceptualLoss::new(network, weights, &tensor)?));
        }
        Ok(losses)
    }
}
