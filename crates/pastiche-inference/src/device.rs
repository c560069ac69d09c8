//! Where networks run: the processor, or a CUDA card.

use candle_core::Device;
use pastiche_nn::{DeviceChoice, DeviceError, Level, OpenDevice, processor_name};
use serde::Serialize;

use crate::{InferenceError, Precision};

/// An opened device, and how it will compute.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    opened: OpenDevice,
    level: Option<Level>,
}

impl ComputeDevice {
    /// Opens a device. For [`DeviceChoice::Auto`], [`Self::note`] says why it is the one that it is.
    ///
    /// # Errors
    /// A device that was asked for by name cannot be used, or the environment variable `PASTICHE_CPU` names no instruction
    /// set.
    pub fn open(choice: DeviceChoice) -> Result<Self, InferenceError> {
        let opened =
            choice.open().map_err(|DeviceError { id, reason }| InferenceError::Device { id, reason })?;
        let level = if opened.device().is_cpu() {
            Some(Level::best().map_err(|source| InferenceError::Processor { source })?)
        } else {
            None
        };
        Ok(Self { opened, level })
    }

    /// What it computes in, without loss of speed: as `--precision` names it.
    pub(crate) fn precisions(&self) -> Vec<&'static str> {
        let bf16 = self.level.is_some_and(Level::has_bf16);
        [Precision::F32].into_iter().chain(bf16.then_some(Precision::Bf16)).map(Precision::name).collect()
    }

    /// What tensors are made on.
    pub(crate) fn device(&self) -> &Device {
        self.opened.device()
    }

    /// The processor's instruction set to compute with, where this is the processor.
    pub(crate) fn level(&self) -> Option<Level> {
        self.level
    }

    /// `cpu`, `cuda:0`, ...
    pub fn id(&self) -> String {
        self.opened.id()
    }

    /// What its maker calls it.
    pub fn name(&self) -> &str {
        self.opened.name()
    }

    /// Why `auto` took this device, where there is something to say.
    pub fn note(&self) -> Option<&str> {
        self.opened.note()
    }
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
    let unusable = |id: DeviceChoice, name: String, error: InferenceError| {
        let reason = match error {
            InferenceError::Device { reason, .. } => reason,
            other => other.to_string(),
        };
        DeviceInfo { id: id.to_string(), name, precisions: Vec::new(), usable: false, reason: Some(reason) }
    };
    let mut devices = vec![match ComputeDevice::open(DeviceChoice::Cpu) {
        Ok(device) => usable(&device),
        Err(error) => unusable(DeviceChoice::Cpu, processor_name(), error),
    }];
    for ordinal in 0.. {
        match ComputeDevice::open(DeviceChoice::Cuda(ordinal)) {
            Ok(device) => devices.push(usable(&device)),
            // Past the last card there is no other; why a later one does not open is not told.
            Err(_) if ordinal > 0 => break,
            Err(reason) => {
                devices.push(unusable(DeviceChoice::Cuda(0), "CUDA".to_owned(), reason));
                break;
            }
        }
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_listed_first_and_usable() {
        assert_eq!(ComputeDevice::open(DeviceChoice::Cpu).unwrap().id(), "cpu");
        let processor = &compute_devices()[0];
        assert!(processor.usable && processor.id == "cpu");
        assert_eq!(processor.precisions[0], "f32");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_cuda_says_so() {
        let card = &compute_devices()[1];
        assert!(!card.usable);
        assert!(card.reason.as_deref().unwrap().starts_with("this build has no CUDA support"), "{card:?}");
        let error = ComputeDevice::open(DeviceChoice::Cuda(1)).unwrap_err().to_string();
        assert!(error.contains("cuda:1") && error.contains("--device cpu"), "{error}");
    }
}
