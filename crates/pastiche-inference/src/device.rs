//! Where networks run: the processor, or a CUDA card.

use std::{fmt, str::FromStr};

use candle_core::Device;
use pastiche_nn::Level;
use serde::Serialize;

use crate::{InferenceError, Precision};

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
    /// Opens the device. `Auto` says in [`ComputeDevice::note`] why it took what it took.
    ///
    /// # Errors
    /// A device that was asked for by name cannot be used, or the environment variable `PASTICHE_CPU` names no instruction
    /// set.
    pub fn open(self) -> Result<ComputeDevice, InferenceError> {
        match self {
            Self::Cpu => ComputeDevice::cpu(None),
            Self::Cuda(ordinal) => {
                open_cuda(ordinal).map_err(|reason| InferenceError::Device { id: self.to_string(), reason })
            }
            Self::Auto => open_cuda(0)
                .or_else(|reason| ComputeDevice::cpu(Some(format!("no CUDA card in use: {reason}")))),
        }
    }
}

/// An opened device.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    pub(crate) device: Device,
    level: Option<Level>,
    choice: DeviceChoice,
    name: String,
    note: Option<String>,
}

impl ComputeDevice {
    /// What it computes in, without loss of speed: as `--precision` names it.
    pub(crate) fn precisions(&self) -> Vec<&'static str> {
        let bf16 = self.level.is_some_and(Level::has_bf16);
        [Precision::F32].into_iter().chain(bf16.then_some(Precision::Bf16)).map(Precision::name).collect()
    }

    fn cpu(note: Option<String>) -> Result<Self, InferenceError> {
        let level = Level::best().map_err(|source| InferenceError::Processor { source })?;
        let name = processor_name();
        Ok(Self { device: Device::Cpu, level: Some(level), choice: DeviceChoice::Cpu, name, note })
    }

    /// The processor's instruction set to compute with, where this is the processor.
    pub(crate) fn level(&self) -> Option<Level> {
        self.level
    }

    /// `cpu`, `cuda:0`, ...
    pub fn id(&self) -> String {
        self.choice.to_string()
    }

    /// What its maker calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why `auto` took this device, where there is something to say.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

#[cfg(feature = "cuda")]
fn open_cuda(ordinal: usize) -> Result<ComputeDevice, String> {
    // With a stream of its own, since the default stream is a different one on every thread.
    let device = Device::new_cuda_with_stream(ordinal).map_err(|error| error.to_string())?;
    let name = device
        .as_cuda_device()
        .and_then(|cuda| cuda.cuda_stream().context().name().map_err(candle_core::Error::wrap))
        .unwrap_or_else(|_unnamed| format!("CUDA card {ordinal}"));
    Ok(ComputeDevice { device, level: None, choice: DeviceChoice::Cuda(ordinal), name, note: None })
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_ordinal: usize) -> Result<ComputeDevice, String> {
    Err("this build has no CUDA support (build with `--features cuda`)".to_owned())
}

/// A device as `pastiche devices` lists it.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceInfo {
    /// What `--device` takes.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// What `--precision` takes there.
    pub precisions: Vec<&'static str>,
    /// Whether it works here and now.
    pub usable: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// All devices: the processor, then the CUDA cards, or why there are none.
pub fn compute_devices() -> Vec<DeviceInfo> {
    let usable = |device: &ComputeDevice| DeviceInfo {
        id: device.id(),
        name: device.name().to_owned(),
        precisions: device.precisions(),
        usable: true,
        reason: None,
    };
    let unusable = |id: DeviceChoice, name: String, reason: String| DeviceInfo {
        id: id.to_string(),
        name,
        precisions: Vec::new(),
        usable: false,
        reason: Some(reason),
    };
    let mut devices = vec![match ComputeDevice::cpu(None) {
        Ok(device) => usable(&device),
        Err(error) => unusable(DeviceChoice::Cpu, processor_name(), error.to_string()),
    }];
    for ordinal in 0.. {
        match open_cuda(ordinal) {
            Ok(device) => devices.push(usable(&device)),
            // Past the last card the reason is only that there is no such card.
            Err(_) if ordinal > 0 => break,
            Err(reason) => {
                devices.push(unusable(DeviceChoice::Cuda(0), "CUDA".to_owned(), reason));
                break;
            }
        }
    }
    devices
}

#[cfg(target_arch = "x86_64")]
fn processor_name() -> String {
    let brand = raw_cpuid::CpuId::new().get_processor_brand_string();
    brand.map_or_else(|| "x86-64 processor".to_owned(), |brand| brand.as_str().trim().to_owned())
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_name() -> String {
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
        assert!(compute_devices()[0].usable);
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
