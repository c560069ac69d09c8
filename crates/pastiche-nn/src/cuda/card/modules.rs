//! The kernels as PTX, and loading them.

use candle_core::{
    CudaDevice,
    cuda_backend::cudarc::{
        driver::{CudaFunction, CudaModule},
        nvrtc::Ptx,
    },
};
use std::sync::Arc;

use super::CudaError;

/// One `.cu` file, compiled for the two architectures of `build.rs`.
pub(crate) struct Source {
    /// For compute capability 7.5.
    pub(crate) ptx_75: &'static str,
    /// For compute capability 8.0 and up.
    pub(crate) ptx_80: &'static str,
}

/// The [`Source`] of a `.cu` file, by its stem.
macro_rules! source {
    ($stem:literal) => {
        $crate::cuda::card::modules::Source {
            ptx_75: include_str!(concat!(env!("OUT_DIR"), "/", $stem, ".75.ptx")),
            ptx_80: include_str!(concat!(env!("OUT_DIR"), "/", $stem, ".80.ptx")),
        }
    };
}
pub(crate) use source;

/// A `.cu` file on a card.
#[derive(Debug, Clone)]
pub(crate) struct Loaded(Arc<CudaModule>);

impl Source {
    /// Has the driver make the card's own code.
    ///
    /// # Errors
    /// The driver is too old for the PTX, or the card is.
    pub(crate) fn load(&self, device: &CudaDevice) -> Result<Loaded, CudaError> {
        let stream = device.cuda_stream();
        let context = stream.context();
        let doing = "loading the kernels";
        let (major, _) = context.compute_capability().map_err(CudaError::driver(doing))?;
        let ptx = if major >= 8 { self.ptx_80 } else { self.ptx_75 };
        Ok(Loaded(context.load_module(Ptx::from_src(ptx)).map_err(CudaError::driver(doing))?))
    }
}

impl Loaded {
    /// The kernel of that name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn kernel(&self, name: &str) -> Result<CudaFunction, CudaError> {
        self.0.load_function(name).map_err(CudaError::driver("looking up a kernel"))
    }
}
