//! Style networks on candle: their operations with gradients, their descriptions, their weights.
//!
//! A network is data, a [`NetworkDescription`]; a [`Network`] joins one with its weights and runs it. Start with
//! [`WeightsFile::open`] for a style from a file, or [`Network::random`] for a fresh one:
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use pastiche_nn::{Network, networks};
//!
//! let network = Network::random(networks::transformer_net(8), 0, &Device::Cpu)?;
//! let picture = (Tensor::rand(0f32, 1f32, (1, 3, 32, 48), &Device::Cpu)? * 255.0)?;
//! assert_eq!(network.forward(&picture)?.dims(), [1, 3, 32, 48]);
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! [`Plan`] compiles a network for inference on the processor, [`FrozenNetwork`] prepares a loss network for training.
//!
//! Tensors are (N, C, H, W), `f32`, pictures RGB on 0-255. On the CPU the operations are our own ([`ops`]) and run on
//! the rayon pool of the caller; results do not depend on the number of threads.

mod blocked;
#[cfg(any(feature = "cuda", test))]
pub mod cuda;
mod description;
mod device;
mod duplicates;
mod error;
mod fold;
mod frozen;
mod kernels;
mod network;
pub mod networks;
pub mod ops;
pub mod plan;
mod population;
mod random;
mod simd;
mod transfer;
pub mod weights;

#[cfg(feature = "cuda")]
pub use cuda::{
    CudaError, CudaPlan, CudaPrecision,
    training::adam::{AdamUpdate, adam_on_card},
};
pub use description::{
    BatchNorm, Convolution, Initialisation, Layer, NetworkDescription, Norm, Output, Padding, ParameterSpec,
};
pub use device::{DeviceChoice, DeviceError, OpenDevice, ParseDeviceError, processor_name};
pub use error::WeightsError;
pub use frozen::FrozenNetwork;
pub use kernels::pad::{Margins, PadMode};
pub use network::{Features, Network};
pub use networks::Architecture;
pub use plan::{Canvas, CompiledNetwork, Picture, Plan, PlanError, Products};
pub use simd::{Level, UnknownLevel};
pub use transfer::{Figures, Uploads};
pub use weights::WeightsFile;
