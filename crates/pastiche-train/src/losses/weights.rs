//! Which layers count, and how much: configuration, with defaults that suit most paintings.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// A layer of the loss network and how much it counts beside the others of its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerWeight {
    /// Name of the activation: `relu3_3`.
    pub layer: String,
    /// Its share, before all of them are scaled to sum to 1.
    pub weight: f64,
}

/// The weights of equation 5. Each term is relative (to the painting's Gram matrix, to the photo's features, to the range
/// of a pixel), so that the same numbers fit every painting and loss network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossWeights {
    /// Layers whose Gram matrices are compared with the painting's.
    pub style_layers: Vec<LayerWeight>,
    /// Layers whose features are compared with the photo's.
    pub content_layers: Vec<LayerWeight>,
    /// Factor of the style term.
    pub style: f64,
    /// Factor of the content term.
    pub content: f64,
    /// Factor of the total variation.
    pub total_variation: f64,
}

impl Default for LossWeights {
    /// What makes photographs look painted: with a quarter of the style a network changes colours and outlines only.
    /// `relu1_1` is for the rarer colours of a painting.
    fn default() -> Self {
        let equal = |layers: &[&str]| {
            layers.iter().map(|layer| LayerWeight { layer: (*layer).to_owned(), weight: 1.0 }).collect()
        };
        Self {
            style_layers: equal(&["relu1_1", "relu1_2", "relu2_2", "relu3_3", "relu4_1"]),
            content_layers: equal(&["relu3_3"]),
            style: 16.0,
            content: 1.0,
            total_variation: 3.0,
        }
    }
}

impl LossWeights {
    /// Checks the layers; the factors are checked with the other settings.
    pub(crate) fn validate(&self) -> Result<(), TrainError> {
        for (name, layers) in
            [("--style-layers", &self.style_layers), ("--content-layers", &self.content_layers)]
        {
            let wrong = |layer: &&LayerWeight| !(layer.weight > 0.0 && layer.weight.is_finite());
            let value = match layers.iter().find(wrong) {
                Some(layer) => layer.to_string(),
                None if layers.is_empty() => "empty".to_owned(),
                None => continue,
            };
            let allowed = "layers, each with a weight above 0".to_owned();
            return Err(TrainError::Setting { name, value, allowed });
        }
        Ok(())
    }
}

/// A word that names no weighted layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no layer; give its name, such as relu3_3, or relu3_3=2 to let it count double")]
pub struct ParseLayerError(String);

impl FromStr for LayerWeight {
    type Err = ParseLayerError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (layer, weight) = word.split_once('=').unwrap_or((word, "1"));
        match weight.parse::<f64>() {
            Ok(weight) if !layer.is_empty() && weight > 0.0 && weight.is_finite() => {
                Ok(Self { layer: layer.to_owned(), weight })
            }
            _ => Err(ParseLayerError(word.to_owned())),
        }
    }
}

impl fmt::Display for LayerWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.layer, self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_names_with_or_without_a_weight() {
        let layer = |name: &str, weight| LayerWeight { layer: name.to_owned(), weight };
        assert_eq!("relu3_3".parse(), Ok(layer("relu3_3", 1.0)));
        assert_eq!("relu4_1=0.25".parse(), Ok(layer("relu4_1", 0.25)));
        for word in ["", "=1", "relu1_2=", "relu1_2=0", "relu1_2=-1", "relu1_2=nan", "relu1_2=inf"] {
            assert!(word.parse::<LayerWeight>().is_err(), "{word}");
        }
    }
}
