//! The number type that a network computes in.

use std::str::FromStr;

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

    /// The precision that `device` will use for this wish: [`Self::F32`] or [`Self::Bf16`].
    ///
    /// `Auto` takes bf16 where the processor is faster with it. Only direct convolutions are then in bf16, which leaves
    /// paintings more than 50 dB apart from those in f32 (`crates/pastiche-nn/tests/bf16.rs` measures it on ten photos).
    ///
    /// # Errors
    /// The device does not offer it.
    pub(crate) fn resolve(self, device: &ComputeDevice) -> Result<Self, InferenceError> {
        let available = device.precisions();
        match self {
            Self::Auto if available.contains(&Self::Bf16.name()) => Ok(Self::Bf16),
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
