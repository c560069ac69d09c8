//! A style: a trained network and what is known about it.

use std::path::Path;

use candle_core::Device;
use pastiche_nn::{Architecture, Network, WeightsFile};

use crate::InferenceError;

/// A style in main memory, ready to be placed on a device.
#[derive(Debug, Clone)]
pub struct Style {
    name: String,
    pub(crate) network: Network,
}

impl Style {
    /// Reads a style file.
    ///
    /// # Errors
    /// The file cannot be read or is not a style that this version knows.
    pub fn load(path: &Path) -> Result<Self, InferenceError> {
        let network = WeightsFile::open(path)
            .and_then(|file| file.style_network(&Device::Cpu))
            .map_err(|source| InferenceError::Style { path: path.to_owned(), source })?;
        Ok(Self { name: name_of(path), network })
    }

    /// An untrained style, for timing: the same weights every time.
    ///
    /// # Errors
    /// No architecture has that name.
    pub fn random(architecture: &str) -> Result<Self, InferenceError> {
        let known = Architecture::from_name(architecture)
            .ok_or_else(|| InferenceError::unknown_architecture(architecture))?;
        let network = Network::random(known.usual(), 0, &Device::Cpu)?;
        Ok(Self { name: "random".to_owned(), network })
    }

    /// The style's name: its file's, up to the first dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its network's architecture.
    pub fn architecture(&self) -> &str {
        &self.network.description().architecture
    }
}

/// What the style in a file is called: `wave` for `wave.lengstrom.safetensors`.
pub(crate) fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    file.split('.').next().unwrap_or_default().to_owned()
}
