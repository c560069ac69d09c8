//! What a style was made with, as its file tells it.

use pastiche_nn::WeightsFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TrainingConfig;

/// The settings and the files that a training started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    /// The settings.
    #[serde(flatten)]
    pub(crate) config: TrainingConfig,
    /// SHA-256 of the painting.
    pub(crate) painting: String,
    /// SHA-256 of the loss network's file.
    pub(crate) loss_net: String,
    /// Fingerprint of the photographs' names.
    pub(crate) photos: String,
    /// SHA-256 of the style that it started from, where it did not start from chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

/// What a style was trained with on its painting, from its metadata `pastiche.trained_with`; of a distilled style that is
/// what its teacher was trained with. Nothing where they do not tell.
pub fn painting_recipe(style: &WeightsFile) -> Option<Value> {
    let told: Value = serde_json::from_str(style.metadata("pastiche.trained_with")?).ok()?;
    let recipe = told.get("recipe")?;
    if recipe.get("teacher").is_some() { recipe.get("teacher_recipe").cloned() } else { Some(recipe.clone()) }
}
