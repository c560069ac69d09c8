//! Cameras.

mod list;
mod mode;
mod pictures;
mod watch;
mod worker;

pub use list::{CameraChoice, CameraInfo, CameraOptions, list_cameras};
pub use watch::{Camera, CameraEvent, CameraMode};
