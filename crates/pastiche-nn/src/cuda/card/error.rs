//! What can go wrong with a card.

use candle_core::cuda_backend::cudarc::driver::{DriverError, sys::CUresult};

use crate::PlanError;

/// Why a network cannot be compiled for a card or cannot run on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CudaError {
    /// The network, or the picture's size, is none that plans can take.
    #[error(transparent)]
    Network(#[from] PlanError),
    /// The card's memory does not suffice.
    #[error(
        "the card's memory does not suffice: {needed} MB are needed and {free} MB are free; paint smaller \
         (`--process-size`), or close other programs that use the card"
    )]
    OutOfMemory {
        /// Megabytes that are needed.
        needed: u64,
        /// Megabytes that are free.
        free: u64,
    },
    /// The driver has no memory left, in the card or, for what it exchanges with it, in the machine.
    #[error("no memory is left for {doing} ({source}): close other programs, or use `--device cpu`")]
    NoRoom {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        source: DriverError,
    },
    /// The card is gone, or a fault on it has ended everything that ran there.
    #[error(
        "the CUDA card was lost while {doing} ({source}): start the program again; `--device cpu` works without it"
    )]
    Lost {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        source: DriverError,
    },
    /// The driver cannot load the kernels.
    #[error(
        "the driver cannot load the program's kernels ({source}): update the NVIDIA driver; cards from compute capability \
         7.5 on (GeForce RTX 20) are supported"
    )]
    Kernels {
        /// What the driver said.
        source: DriverError,
    },
    /// The driver refused something else.
    #[error("the CUDA driver failed while {doing} ({source}): update the driver, or use `--device cpu`")]
    Driver {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        source: DriverError,
    },
    /// cuDNN refused something.
    #[error("cuDNN failed while {doing} ({message}): check that cuDNN 9 is installed, or use `--device cpu`")]
    Cudnn {
        /// What was being done.
        doing: &'static str,
        /// What cuDNN said.
        message: String,
    },
    /// Frames were handed in or asked for out of turn.
    #[error("{what}")]
    OutOfTurn {
        /// What is wrong.
        what: &'static str,
    },
}

impl CudaError {
    /// A function for `map_err`: sorts what the driver says by what the user can do about it.
    pub(crate) fn driver(doing: &'static str) -> impl Fn(DriverError) -> Self {
        move |source| match source.0 {
            CUresult::CUDA_ERROR_INVALID_PTX
            | CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
            | CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
            | CUresult::CUDA_ERROR_JIT_COMPILER_NOT_FOUND => Self::Kernels { source },
            CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE
            | CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
            | CUresult::CUDA_ERROR_LAUNCH_FAILED
            | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
            | CUresult::CUDA_ERROR_ECC_UNCORRECTABLE
            | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
            | CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
            | CUresult::CUDA_ERROR_INVALID_PC
            | CUresult::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | CUresult::CUDA_ERROR_ASSERT
            | CUresult::CUDA_ERROR_CONTEXT_IS_DESTROYED
            | CUresult::CUDA_ERROR_SYSTEM_NOT_READY
            | CUresult::CUDA_ERROR_UNKNOWN => Self::Lost { doing, source },
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => Self::NoRoom { doing, source },
            _ => Self::Driver { doing, source },
        }
    }
}
