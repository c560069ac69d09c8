//! Pictures as a camera for other programs.

use std::path::{Path, PathBuf};

use pastiche_frame::Frame;

use crate::{MediaError, error::Result};

/// A device that other programs take for a camera: one of v4l2loopback's on Linux.
pub struct VirtualCamera {
    path: PathBuf,
    size: (u32, u32),
    output: imp::Output,
}

impl VirtualCamera {
    /// Opens `device`, or the first that takes pictures, for pictures of `size`, whose sides must be even.
    ///
    /// # Errors
    /// This system has no virtual cameras, there is none, or it does not take pictures of that size.
    pub fn open(device: Option<&Path>, size: (u32, u32)) -> Result<Self> {
        crate::init();
        let (path, output) = imp::open(device, size)?;
        Ok(Self { path, size, output })
    }

    /// The device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Width and height of the pictures.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Shows a frame of [`Self::size`]; one line more at an odd side is cut off.
    ///
    /// # Errors
    /// The device does not take it.
    pub fn show(&mut self, frame: &Frame) -> Result<()> {
        self.output.show(frame, self.size).map_err(|reason| imp::failure(&self.path, reason))
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::{
        io::Write,
        path::{Path, PathBuf},
    };

    use ffmpeg::{format::Pixel, frame};
    use ffmpeg_next as ffmpeg;
    use pastiche_frame::{ColorMatrix, Frame};
    use v4l::{Device, Format, FourCC, capability::Flags, video::Output as _};

    use super::{MediaError, Result};
    use crate::scale::YuvConverter;

    pub(super) struct Output {
        device: Device,
        converter: YuvConverter,
        bytes: Vec<u8>,
    }

    pub(super) fn failure(path: &Path, reason: String) -> MediaError {
        MediaError::VirtualCamera { reason, path: path.to_owned() }
    }

    pub(super) fn open(device: Option<&Path>, size: (u32, u32)) -> Result<(PathBuf, Output)> {
        let path = match device {
            Some(path) => path.to_owned(),
            None => first().ok_or(MediaError::NoVirtualCamera {
                remedy: "load the kernel module v4l2loopback: modprobe v4l2loopback exclusive_caps=1",
            })?,
        };
        let failed = |error: std::io::Error| failure(&path, error.to_string());
        let device = Device::with_path(&path).map_err(failed)?;
        if !device.query_caps().map_err(failed)?.capabilities.contains(Flags::VIDEO_OUTPUT) {
            return Err(failure(&path, "it is a camera, and takes no pictures".to_owned()));
        }
        let (width, height) = size;
        let wanted = Format::new(width, height, FourCC::new(b"YUYV"));
        let given = device.set_format(&wanted).map_err(failed)?;
        if (given.width, given.height, given.fourcc) != (width, height, wanted.fourcc) {
            return Err(failure(&path, format!("it takes {}x{} only", given.width, given.height)));
        }
        // BT.601, as programs take a camera's pictures for.
        let converter = YuvConverter::new(Pixel::YUYV422, width, height, ColorMatrix::Bt601)
            .map_err(|error| failure(&path, error.to_string()))?;
        Ok((path, Output { device, converter, bytes: Vec::new() }))
    }

    /// The first device that takes pictures.
    fn first() -> Option<PathBuf> {
        let mut paths: Vec<PathBuf> =
            v4l::context::enum_devices().iter().map(|node| node.path().to_owned()).collect();
        paths.sort();
        let takes_pictures = |path: &PathBuf| {
            let caps = Device::with_path(path).and_then(|device| device.query_caps());
            caps.is_ok_and(|caps| caps.capabilities.contains(Flags::VIDEO_OUTPUT))
        };
        paths.into_iter().find(takes_pictures)
    }

    impl Output {
        pub(super) fn show(&mut self, frame: &Frame, (width, height): (u32, u32)) -> Result<(), String> {
            self.converter.convert(frame).map_err(|error| error.to_string())?;
            let picture: &frame::Video = self.converter.picture();
            let (row_bytes, stride_bytes) = (2 * width as usize, picture.stride(0));
            self.bytes.clear();
            for row in picture.data(0).chunks(stride_bytes).take(height as usize) {
                self.bytes.extend_from_slice(&row[..row_bytes]);
            }
            self.device.write_all(&self.bytes).map_err(|error| error.to_string())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::path::{Path, PathBuf};

    use pastiche_frame::Frame;

    use super::{MediaError, Result};

    pub(super) enum Output {}

    pub(super) fn failure(path: &Path, reason: String) -> MediaError {
        MediaError::VirtualCamera { reason, path: path.to_owned() }
    }

    pub(super) fn open(_device: Option<&Path>, _size: (u32, u32)) -> Result<(PathBuf, Output)> {
        Err(MediaError::NoVirtualCamera {
            remedy: "they are made on Linux only; here, let OBS Studio capture the window and start its virtual camera",
        })
    }

    impl Output {
        pub(super) fn show(&mut self, _frame: &Frame, _size: (u32, u32)) -> Result<(), String> {
            match *self {}
        }
    }
}
