//! One picture on its way through the program: its pixels, what they mean, and when it is shown.
//!
//! A [`Frame`] owns its pixels and is moved, never cloned, from the camera or decoder to the screen or encoder. Its
//! buffer comes out of a [`FramePool`] and goes back there when the frame is dropped, so that a running job
//! allocates nothing per frame.
//!
//! ```
//! use pastiche_frame::{FramePool, PixelFormat, Rational, Timestamp};
//!
//! let pool = FramePool::new(4);
//! let mut frame = pool.take(640, 480, PixelFormat::Rgb8);
//! frame.timestamp = Timestamp::new(3, Rational::new(1, 25)?);
//! assert_eq!(frame.stride_bytes(), 640 * 3);
//! assert_eq!(frame.timestamp.as_secs_f64(), 0.12);
//! # Ok::<(), pastiche_frame::RationalError>(())
//! ```
//!
//! Invariants: rows are stored without gaps from top to bottom; `data.len() == stride_bytes * height`; neither side is 0.

mod color;
mod frame;
mod pool;
mod rotation;
mod time;

pub use color::{ColorMatrix, ColorRange, ColorSpace, PixelFormat};
pub use frame::Frame;
pub use pool::FramePool;
pub use rotation::{Orientation, Rotation};
pub use time::{Rational, RationalError, Timestamp};
