//! The engine: picks a device, loads a style, turns a frame into a painted frame.
//!
//! ```
//! use pastiche_frame::{Frame, PixelFormat};
//! use pastiche_inference::{ComputeDevice, Controls, DeviceChoice, Style, Stylizer, StylizerOptions};
//!
//! let device = ComputeDevice::open(DeviceChoice::Cpu)?;
//! let style = Style::random("transformer_net")?;
//! let mut stylizer = Stylizer::new(style, &device, &StylizerOptions::default())?;
//! stylizer.set_controls(Controls { strength: 0.8, ..Controls::default() })?;
//!
//! let photo = Frame::from_data(50, 37, PixelFormat::Rgb8, vec![128; 50 * 37 * 3]);
//! let painting = stylizer.stylize(photo)?;
//! assert_eq!((painting.width(), painting.height()), (50, 37));
//! # Ok::<(), pastiche_inference::InferenceError>(())
//! ```
//!
//! Invariants: the output has the input's size, time and colour space; a picture depends only on its input and the
//! controls, and with smoothing on what came before since the last [`Stylizer::reset`]; a `Stylizer` belongs to one
//! thread, which thereby owns the device.

pub mod card;
mod controls;
mod device;
mod engine;
mod error;
mod library;
mod memory;
mod picture;
mod placed;
mod precision;
mod resize;
mod row;
mod smoothing;
mod style;
mod stylizer;
mod upscaler;

pub use controls::{Controls, ControlsError};
pub use device::{ComputeDevice, DeviceInfo, compute_devices, compute_devices_among};
pub use error::InferenceError;
pub use library::{StyleEntry, StyleLibrary};
pub use pastiche_nn::{DeviceChoice, ParseDeviceError};
pub use placed::PlacedStyle;
pub use precision::{ParsePrecisionError, Precision};
pub use resize::resized;
pub use row::FrameRow;
pub use smoothing::Past;
pub use style::Style;
pub use stylizer::{MAX_SIDE, MIN_SIDE, Stylizer, StylizerOptions};
pub use upscaler::Upscaler;
