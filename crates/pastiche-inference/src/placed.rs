//! A style on its device, apart from what paints with it.

use crate::{ComputeDevice, InferenceError, Precision, Style, engine::Engine};

/// A style placed on a device: what takes time to get ready. A [`Stylizer`](crate::Stylizer) exchanges one for another
/// between two frames.
pub struct PlacedStyle {
    pub(crate) device: ComputeDevice,
    pub(crate) engine: Engine,
    precision: Precision,
}

impl PlacedStyle {
    /// Places `style` on `device`, with the threads of the rayon pool that it is called in.
    ///
    /// # Errors
    /// The device lacks the precision or the memory.
    pub fn new(style: &Style, device: &ComputeDevice, precision: Precision) -> Result<Self, InferenceError> {
        let precision = precision.resolve(device, style.architecture())?;
        let engine = Engine::new(&style.network, device, precision)?;
        Ok(Self { device: device.clone(), engine, precision })
    }

    /// The device that it is on.
    pub const fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// The number type that it computes in.
    pub const fn precision(&self) -> &'static str {
        self.precision.name()
    }

    /// Bytes of memory, of the device's or the computer's, that its weights take.
    pub fn weight_bytes(&self) -> u64 {
        self.engine.weight_bytes()
    }
}
