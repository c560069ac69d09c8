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

    /// The precision that `device` will use for this wish.
    ///
    /// # Errors
    /// The device does not offer it.
    pub(crate) fn resolve(self, device: &ComputeDevice) -> Result<&'static str, InferenceError> {
        match self {
            Self::Auto | Self::F32 => Ok(Self::F32.name()),
            Self::Bf16 | Self::F16 => Err(InferenceError::Precision {
                precision: self.name(),
                device: device.id(),
                available: ComputeDevice::PRECISIONS.to_vec(),
            }),
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
