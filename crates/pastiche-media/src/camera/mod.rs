//! Cameras.

mod list;

pub use list::{CameraChoice, CameraInfo, CameraOptions, list_cameras};
