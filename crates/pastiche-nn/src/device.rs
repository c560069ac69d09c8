//! What tensors live on: the processor, or a CUDA card, opened when the program runs.

use std::{fmt, str::FromStr};

use candle_core::Device;

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first CUDA card that works, otherwise the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA card of this number.
    Cuda(usize),
}

/// A word that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device; there are auto, cpu, cuda, cuda:N")]
pub struct ParseDeviceError(String);

/// A device that was asked for by name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("device {id} cannot be used: {reason}; `--device cpu` always works")]
pub struct DeviceError {
    /// The device.
    pub id: String,
    /// Why not.
    pub reason: String,
}

impl FromStr for DeviceChoice {
    type Err = ParseDeviceError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseDeviceError(word.to_owned());
        match word {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = word.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(Self::Cuda).map_err(|_not_a_number| unknown())
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl DeviceChoice {
    /// Opens the device. `Auto` says in [`OpenDevice::note`] why it took what it took.
    ///
    /// # Errors
    /// A card that was asked for by name cannot be used.
    pub fn open(self) -> Result<OpenDevice, DeviceError> {
        match self {
            Self::Cpu => Ok(OpenDevice::cpu(None)),
            Self::Cuda(ordinal) => open_cuda(ordinal),
            Self::Auto => Ok(open_cuda(0).unwrap_or_else(|error| {
                OpenDevice::cpu(Some(format!("no CUDA card in use: {}", error.reason)))
            })),
        }
    }
}

/// An opened device.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    device: Device,
    choice: DeviceChoice,
    name: String,
    note: Option<String>,
}

impl OpenDevice {
    fn cpu(note: Option<String>) -> Self {
        Self { device: Device::Cpu, choice: DeviceChoice::Cpu, name: processor_name(), note }
    }

    /// What tensors are made on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// `cpu`, `cuda:0`, ...
    pub fn id(&self) -> String {
        self.choice.to_string()
    }

    /// What its maker calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the device ready for training, before the first tensor is made on it. Where `exact`, a card multiplies what it is
    /// given as it is; else cards that can round the factors of convolutions and matrix products to 10 binary digits (TF32),
    /// as PyTorch does for convolutions. A processor is always exact.
    ///
    /// # Errors
    /// The card's driver is too old, or the card is.
    #[cfg_attr(not(feature = "cuda"), allow(unused_variables, reason = "only cards need it"))]
    pub fn prepare_training(&self, exact: bool) -> Result<(), DeviceError> {
        #[cfg(feature = "cuda")]
        if let Device::Cuda(device) = &self.device {
            return crate::cuda::training::card::Card::prepare(device, !exact)
                .map_err(|error| DeviceError { id: self.id(), reason: error.to_string() });
        }
        Ok(())
    }

    /// Why `auto` took this device, where there is something to say.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

#[cfg(feature = "cuda")]
fn open_cuda(ordinal: usize) -> Result<OpenDevice, DeviceError> {
    let choice = DeviceChoice::Cuda(ordinal);
    // With a stream of its own, since the default stream is a different one on every thread.
    let device = Device::new_cuda_with_stream(ordinal)
        .map_err(|error| DeviceError { id: choice.to_string(), reason: error.to_string() })?;
    let name = device
        .as_cuda_device()
        .and_then(|cuda| cuda.cuda_stream().context().name().map_err(candle_core::Error::wrap))
        .unwrap_or_else(|_unnamed| format!("CUDA card {ordinal}"));
    Ok(OpenDevice { device, choice, name, note: None })
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(ordinal: usize) -> Result<OpenDevice, DeviceError> {
    let reason = "this build has no CUDA support (build with `--features cuda`)".to_owned();
    Err(DeviceError { id: DeviceChoice::Cuda(ordinal).to_string(), reason })
}

/// What the processor's maker calls it.
#[cfg(target_arch = "x86_64")]
pub fn processor_name() -> String {
    let brand = raw_cpuid::CpuId::new().get_processor_brand_string();
    brand.map_or_else(|| "x86-64 processor".to_owned(), |brand| brand.as_str().trim().to_owned())
}

/// What the processor's maker calls it.
#[cfg(not(target_arch = "x86_64"))]
pub fn processor_name() -> String {
    format!("{} processor", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_devices() {
        for (word, choice) in [
            ("auto", DeviceChoice::Auto),
            ("cpu", DeviceChoice::Cpu),
            ("cuda", DeviceChoice::Cuda(0)),
            ("cuda:3", DeviceChoice::Cuda(3)),
        ] {
            assert_eq!(word.parse(), Ok(choice));
        }
        for word in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(word.parse::<DeviceChoice>().is_err(), "{word}");
        }
    }

    #[test]
    fn the_processor_always_opens_and_has_a_name() {
        let device = DeviceChoice::Cpu.open().unwrap();
        assert_eq!(device.id(), "cpu");
        assert!(!device.name().is_empty());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_cuda_card_is_refused_with_the_reason_and_auto_says_it_too() {
        let error = DeviceChoice::Cuda(1).open().unwrap_err().to_string();
        assert!(error.contains("cuda:1") && error.contains("--features cuda"), "{error}");
        let device = DeviceChoice::Auto.open().unwrap();
        assert!(device.note().unwrap().contains("--features cuda"));
    }
}
