//! The loss network: a VGG from a file, cut after the last layer that is needed, its weights fixed.

mod download;
mod input;

use std::path::{Path, PathBuf};

use candle_core::Device;
use pastiche_nn::{
    FrozenNetwork, NetworkDescription, WeightsFile,
    networks::{self, VggNaming},
};

pub use self::{download::download, input::LossNetInputChoice};
use crate::{LossWeights, TrainError, fingerprint};

/// The activations of VGG-19, in order; VGG-16 has all but the `_4` ones.
const LAYERS: [&str; 16] = [
    "relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu3_4", "relu4_1",
    "relu4_2", "relu4_3", "relu4_4", "relu5_1", "relu5_2", "relu5_3", "relu5_4",
];

/// A file that holds a loss network, and what is known about it.
#[derive(Debug)]
pub struct LossNetFile {
    path: PathBuf,
    file: WeightsFile,
    input: input::Input,
    fingerprint: String,
}

impl LossNetFile {
    /// Opens a `.safetensors` file of VGG-16 or VGG-19, whole or cut off, in either naming. What the network takes is what
    /// the file's metadata say, or else `choice`.
    ///
    /// # Errors
    /// The file cannot be read, or does not say what the network takes and neither does `choice`.
    pub fn open(path: &Path, choice: Option<LossNetInputChoice>) -> Result<Self, TrainError> {
        let failed = |source| TrainError::LossNet { source, path: path.to_owned() };
        let file = WeightsFile::open(path).map_err(failed)?;
        let input = input::read(&file, choice, path)?;
        let fingerprint = fingerprint::of_bytes(file.bytes());
        Ok(Self { path: path.to_owned(), file, input, fingerprint })
    }

    /// SHA-256 of the file.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The network as far as these losses need it.
    ///
    /// # Errors
    /// The file lacks a layer, or holds something else than a VGG.
    pub fn network(&self, weights: &LossWeights, device: &Device) -> Result<FrozenNetwork, TrainError> {
        let wanted: Vec<&str> = (weights.style_layers.iter().chain(&weights.content_layers))
            .map(|layer| layer.layer.as_str())
            .collect();
        let place = |layer: &str| LAYERS.iter().position(|known| *known == layer);
        if let Some(unknown) = wanted.iter().find(|layer| place(layer).is_none()) {
            return Err(TrainError::UnknownLayer { layer: (*unknown).to_owned() });
        }
        let lacking = |layer: &str, tensor: &str| TrainError::LossNetLayer {
            tensor: tensor.to_owned(),
            layer: layer.to_owned(),
            last: self.last_layer(),
            path: self.path.clone(),
        };
        let deepest = wanted.iter().copied().max_by_key(|layer| place(layer)).unwrap_or(LAYERS[0]);
        // VGG-16 has no `_4` layers.
        let of_this_kind = |layer: &str| self.describe(layer).ok_or_else(|| lacking(layer, layer));
        for layer in &wanted {
            of_this_kind(layer)?;
        }
        let description = of_this_kind(deepest)?;
        if let Some(missing) = description.parameters().keys().find(|name| self.file.shape(name).is_none()) {
            return Err(lacking(deepest, missing));
        }
        let failed = |source| TrainError::LossNet { source, path: self.path.clone() };
        let network = self.file.network_within(description, device).map_err(failed)?;
        Ok(FrozenNetwork::new(&network)?)
    }

    /// The network up to a layer. Names tell VGG-16 from VGG-19 where a file goes far enough for them to differ.
    fn describe(&self, last: &str) -> Option<NetworkDescription> {
        let has = |name: &str| self.file.shape(name).is_some();
        let naming = if has("features.0.weight") { VggNaming::Features } else { VggNaming::Blocks };
        let is_vgg19 = match naming {
            VggNaming::Blocks => has("conv3_4.weight"),
            // The place after the third block's third convolution: VGG-19's fourth, VGG-16's pooling.
            VggNaming::Features => has("features.16.weight"),
        };
        let build = if is_vgg19 { networks::vgg19 } else { networks::vgg16 };
        build(last, naming, self.input.values, self.input.padding)
    }

    /// The last layer whose tensors are all there.
    fn last_layer(&self) -> String {
        let whole = |layer: &&&str| {
            self.describe(layer).is_some_and(|description| {
                description.parameters().keys().all(|name| self.file.shape(name).is_some())
            })
        };
        LAYERS.iter().rev().find(whole).map_or_else(|| "none".to_owned(), |layer| (*layer).to_owned())
    }
}
