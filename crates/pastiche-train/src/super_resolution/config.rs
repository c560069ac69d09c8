//! Everything that decides how the training of an enlarging network turns out, checked before it starts.

use std::{fmt, str::FromStr};

use pastiche_nn::{
    NetworkDescription,
    networks::{self, Enlarger, SuperResSize},
};
use serde::{Deserialize, Serialize};

use crate::{TrainError, config::within};

/// What the network's enlargement is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnlargingLoss {
    /// Pixels: the nearest in decibels, and smooth.
    Pixel,
    /// Features of a loss network: the sharpest to the eye.
    Feature,
}

impl EnlargingLoss {
    const ALL: [Self; 2] = [Self::Pixel, Self::Feature];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pixel => "pixel",
            Self::Feature => "feature",
        }
    }
}

impl fmt::Display for EnlargingLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EnlargingLoss {
    type Err = TrainError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|loss| loss.name() == word);
        known.ok_or_else(|| TrainError::Setting {
            name: "--loss",
            value: word.to_owned(),
            allowed: Self::ALL.map(Self::name).join(" or "),
        })
    }
}

/// The settings of one training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnlargingConfig {
    /// The kind of network: `super_res` or `srcnn`.
    pub network: String,
    /// Channels of its layers, where there is a choice and it is not the usual one.
    pub width: Option<usize>,
    /// By how much it enlarges.
    pub factor: u32,
    /// What its enlargement is compared by.
    pub loss: EnlargingLoss,
    /// The layer of the loss network for the loss of features.
    pub layer: String,
    /// How many steps.
    pub steps: u64,
    /// Patches a step.
    pub batch: usize,
    /// Side in pixels of the square patches, before they are made small. Photographs with a shorter side are passed over.
    pub patch: u32,
    /// Deviation in pixels of the Gaussian blur before they are made small.
    pub blur: f64,
    /// Adam's step size at its largest.
    pub learning_rate: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

impl Default for EnlargingConfig {
    /// The paper's settings.
    fn default() -> Self {
        Self {
            network: Enlarger::SuperRes.name().to_owned(),
            width: None,
            factor: 4,
            loss: EnlargingLoss::Pixel,
            layer: "relu2_2".to_owned(),
            steps: 10_000,
            batch: 4,
            patch: 288,
            blur: 1.0,
            learning_rate: 1e-3,
            seed: 0,
        }
    }
}

/// A configuration that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidEnlargingConfig {
    config: EnlargingConfig,
    description: NetworkDescription,
}

impl std::ops::Deref for ValidEnlargingConfig {
    type Target = EnlargingConfig;

    fn deref(&self) -> &EnlargingConfig {
        &self.config
    }
}

impl ValidEnlargingConfig {
    /// The network to train.
    pub fn description(&self) -> &NetworkDescription {
        &self.description
    }
}

impl EnlargingConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first one that makes no sense.
    pub fn validate(self) -> Result<ValidEnlargingConfig, TrainError> {
        let wrong = |name, value: String, allowed: String| Err(TrainError::Setting { name, value, allowed });
        let factor = self.factor as usize;
        if !Enlarger::FACTORS.contains(&factor) {
            return wrong(
                "--factor",
                factor.to_string(),
                Enlarger::FACTORS.map(|f| f.to_string()).join(" or "),
            );
        }
        within("--width", self.width.unwrap_or(1) as f64, 1.0, 512.0)?;
        within("--steps", self.steps as f64, 1.0, 1e9)?;
        within("--batch", self.batch as f64, 1.0, 256.0)?;
        within("--blur", self.blur, 0.0, 16.0)?;
        within("--learning-rate", self.learning_rate, 1e-9, 1.0)?;
        // The smallest that a mirror of four pixels and the loss network can take.
        let least = 8 * self.factor;
        within("--patch", self.patch.into(), least.into(), 2048.0)?;
        if !self.patch.is_multiple_of(self.factor) {
            return wrong("--patch", self.patch.to_string(), format!("a multiple of {factor}"));
        }
        let description = match (Enlarger::from_name(&self.network), self.width) {
            (Some(Enlarger::SuperRes), width) => {
                let usual = SuperResSize::default();
                networks::super_res(factor, SuperResSize { width: width.unwrap_or(usual.width), ..usual })
            }
            (Some(Enlarger::Srcnn), None) => networks::srcnn(factor),
            (Some(Enlarger::Srcnn), Some(width)) => {
                return wrong("--width", width.to_string(), "left out: srcnn has one width".to_owned());
            }
            (None, _) => {
                return wrong("--network", self.network, Enlarger::ALL.map(Enlarger::name).join(" or "));
            }
        };
        Ok(ValidEnlargingConfig { config: self, description })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_told_with_what_would() {
        let usual = EnlargingConfig::default;
        assert!(usual().validate().is_ok());
        for (config, name, allowed) in [
            (EnlargingConfig { factor: 3, ..usual() }, "--factor", "4 or 8"),
            (EnlargingConfig { patch: 90, ..usual() }, "--patch", "a multiple of 4"),
            (EnlargingConfig { patch: 28, ..usual() }, "--patch", "from 32 to 2048"),
            (EnlargingConfig { network: "edsr".to_owned(), ..usual() }, "--network", "super_res or srcnn"),
            (EnlargingConfig { blur: -1.0, ..usual() }, "--blur", "from 0 to 16"),
            (
                EnlargingConfig { network: "srcnn".to_owned(), width: Some(8), ..usual() },
                "--width",
                "left out",
            ),
        ] {
            let error = config.validate().unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(allowed), "{error}");
        }
        assert!("l1".parse::<EnlargingLoss>().unwrap_err().to_string().contains("pixel or feature"));
    }
}
