//! CUDA cards by our own plan, linked in.
#![allow(
    unsafe_code,
    reason = "what the driver tells of a card before it is opened, cudarc gives without checks"
)]

use candle_core::{
    CudaDevice, Device,
    cuda_backend::cudarc::driver::{
        DriverError, result,
        sys::{self, CUdevice_attribute as Attribute},
    },
};
use pastiche_nn::{CudaError, CudaPlan, CudaPrecision, Network};

use super::{Card, CardError, CardInfo, CardPlan, CardPrecision, Cards};

/// The unit of [`CudaError::OutOfMemory`].
const MEGABYTE: u64 = 1_000_000;

/// The CUDA cards of this machine.
#[derive(Debug, Clone, Copy)]
pub struct CudaCards;

impl Cards for CudaCards {
    fn list(&self) -> Result<Vec<CardInfo>, CardError> {
        let described = || -> Result<Vec<CardInfo>, DriverError> {
            result::init()?;
            let driver = driver_version()?;
            (0..result::device::get_count()?).map(|number| describe(number, driver)).collect()
        };
        described().map_err(|error| CardError::Failed {
            reason: format!("the NVIDIA driver shows no CUDA card ({error}): install or update it"),
        })
    }

    fn open(&self, number: usize) -> Result<Box<dyn Card>, CardError> {
        // With a stream of its own, since the default stream is a different one on every thread.
        let device = Device::new_cuda_with_stream(number).and_then(|device| device.as_cuda_device().cloned());
        let device = device.map_err(|error| CardError::Failed {
            reason: format!("the driver does not open it ({error}): close other programs that use it, or update the NVIDIA driver"),
        })?;
        Ok(Box::new(OpenCard(device)))
    }
}

/// Major and minor version of CUDA that the driver knows.
fn driver_version() -> Result<(u32, u32), DriverError> {
    let mut version = 0;
    // SAFETY: it may be written to.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    // 13010 stands for 13.1.
    let version = version.unsigned_abs();
    Ok((version / 1000, version % 1000 / 10))
}

fn describe(number: i32, driver: (u32, u32)) -> Result<CardInfo, DriverError> {
    let device = result::device::get(number)?;
    // SAFETY: `get` gave the device.
    let memory_bytes = unsafe { result::device::total_mem(device) }? as u64;
    // SAFETY: as above.
    let attribute = |attribute| unsafe { result::device::get_attribute(device, attribute) };
    let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let capability = (major.unsigned_abs(), minor.unsigned_abs());
    Ok(CardInfo { name: result::device::get_name(device)?, memory_bytes, capability, driver })
}

#[derive(Debug)]
struct OpenCard(CudaDevice);

impl Card for OpenCard {
    fn place(&self, network: &Network, precision: CardPrecision) -> Result<Box<dyn CardPlan>, CardError> {
        let precision = match precision {
            CardPrecision::F32 => CudaPrecision::F32,
            CardPrecision::F16 => CudaPrecision::F16,
        };
        Ok(Box::new(CudaPlan::new(network, &self.0, precision)?))
    }
}

impl CardPlan for CudaPlan {
    fn weight_bytes(&self) -> u64 {
        Self::weight_bytes(self)
    }

    fn memory_bytes(&self, (height, width): (usize, usize)) -> u64 {
        Self::memory_bytes(self, height, width)
    }

    fn release(&mut self) {
        Self::release(self);
    }

    fn paint(&mut self, pixels: &[u8], size: (usize, usize), painting: &mut [f32]) -> Result<(), CardError> {
        Ok(Self::paint(self, pixels, size, painting)?)
    }

    fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CardError> {
        Ok(Self::submit(self, pixels, size)?)
    }

    fn collect(&mut self, painting: &mut [u8]) -> Result<(), CardError> {
        Ok(Self::collect(self, painting)?)
    }
}

impl From<CudaError> for CardError {
    fn from(error: CudaError) -> Self {
        match error {
            CudaError::OutOfMemory { needed, free } => {
                Self::OutOfMemory { needed: needed * MEGABYTE, free: free * MEGABYTE }
            }
            CudaError::Lost { doing, source } => Self::Lost { reason: format!("while {doing} ({source})") },
            other => Self::Failed { reason: other.to_string() },
        }
    }
}
