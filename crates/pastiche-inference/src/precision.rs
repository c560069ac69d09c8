//! The number type that a network computes in.

use std::str::FromStr;

use pastiche_nn::Architecture;

use crate::{ComputeDevice, InferenceError};

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The fastest that shows the same picture.
    #[default]
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits with the range of 32.
    Bf16,
    /// 16 bits.
    F16,
}

/// A word that names no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no precision; there are auto, f32, bf16, f16")]
pub struct ParsePrecisionError(String);

impl Precision {
    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// The precision that `device` will use for this wish: none that is [`Self::Auto`].
    ///
    /// On a card `Auto` takes f16. On the processor it takes bf16 where that is faster with it and the architecture is known to keep its paintings: with
    /// direct convolutions in bf16 their PSNR against f32 is at least 50 dB on ten photos
    /// (`crates/pastiche-nn/tests/bf16.rs` measures it).
    ///
    /// # Errors
    /// The device does not offer it.
    pub(crate) fn resolve(self, device: &ComputeDevice, architecture: &str) -> Result<Self, InferenceError> {
        const MEASURED: [Architecture; 2] = [Architecture::TransformerNet, Architecture::Lengstrom];
        let available = device.precisions();
        let keeps = MEASURED.iter().any(|measured| measured.name() == architecture);
        match self {
            Self::Auto if available.contains(&Self::F16.name()) => Ok(Self::F16),
            Self::Auto if keeps && available.contains(&Self::Bf16.name()) => Ok(Self::Bf16),
            Self::Auto => Ok(Self::F32),
            _ if available.contains(&self.name()) => Ok(self),
            _ => Err(InferenceError::Precision { precision: self.name(), device: device.id(), available }),
        }
    }
}

impl FromStr for Precision {
    type Err = ParsePrecisionError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::F32, Self::Bf16, Self::F16]
            .into_iter()
            .find(|precision| precision.name() == word)
            .ok_or_else(|| ParsePrecisionError(word.to_owned()))
    }
}
