//! The camera's thread: it owns the camera, and may hang in the system's hands for as long as the camera does.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use nokhwa::{
    NokhwaError,
    utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType},
};
use pastiche_frame::{Frame, FramePool};

use super::{
    CameraMode, CameraOptions,
    list::{CameraInfo, list_cameras},
    mode,
    pictures::PictureDecoder,
};
use crate::{MediaError, error::Result};

/// The formats that are decoded here.
const FORMATS: [FrameFormat; 6] = [
    FrameFormat::MJPEG,
    FrameFormat::YUYV,
    FrameFormat::NV12,
    FrameFormat::GRAY,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

/// A camera that gives nothing but damaged pictures for this long is given up, and opened anew.
const DAMAGE_LIMIT: Duration = Duration::from_secs(4);

/// What the camera's thread tells.
pub(super) enum Report {
    Running(CameraMode),
    Frame {
        frame: Frame,
        at: Instant,
        took: Duration,
    },
    /// A picture that cannot be decoded, as the first ones of many cameras.
    Damaged,
    /// The last report of this thread.
    Failed(MediaError),
}

/// Starts the thread. It ends after the next picture when the receiver is dropped.
pub(super) fn start(
    options: CameraOptions,
    size: Option<(u32, u32)>,
    pool: FramePool,
) -> Result<Receiver<Report>> {
    let (reports, receiver) = bounded(1);
    let body = move || {
        // The bindings panic where a camera goes away in a moment that they did not expect.
        let run = || capture(&options, size, &pool, &reports);
        let failed = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(MediaError::CameraFailed {
                camera: options.camera.to_string(),
                reason: "its driver ended unexpectedly".to_owned(),
            })
        });
        if let Err(error) = failed {
            // Where nobody listens any more, nobody needs to know.
            let _ = reports.send(Report::Failed(error));
        }
    };
    thread::Builder::new()
        .name("camera".to_owned())
        .spawn(body)
        .map(|_| receiver)
        .map_err(|error| MediaError::Cameras { reason: error.to_string() })
}

/// Hands out pictures until nobody takes them.
fn capture(
    options: &CameraOptions,
    size: Option<(u32, u32)>,
    pool: &FramePool,
    reports: &Sender<Report>,
) -> Result<()> {
    let cameras = list_cameras()?;
    let chosen = options.camera.find(&cameras).ok_or_else(|| MediaError::CameraMissing {
        wanted: options.camera.to_string(),
        found: names(&cameras),
    })?;
    let failed = |error: NokhwaError| failure(&chosen.name, &error);
    let (mut camera, mode) = open(chosen.id, options).map_err(failed)?;
    let mut decoder = PictureDecoder::new(mode.format(), (mode.width(), mode.height()), size)
        .map_err(|source| MediaError::CameraPicture { camera: chosen.name.clone(), source })?;
    let (width, height) = size.unwrap_or((mode.width(), mode.height()));
    let running = CameraMode {
        name: chosen.name.clone(),
        width,
        height,
        frame_rate: mode.frame_rate(),
        format: mode.format().to_string(),
    };
    // It is told with the first picture that can be shown.
    let mut running = Some(running);
    let mut decoded = Instant::now();
    loop {
        let raw = camera.frame_raw().map_err(failed)?;
        let at = Instant::now();
        let frame = decoder
            .decode(&raw, pool)
            .map_err(|source| MediaError::CameraPicture { camera: chosen.name.clone(), source })?;
        let report = match frame {
            Some(frame) => {
                decoded = at;
                if let Some(running) = running.take()
                    && reports.send(Report::Running(running)).is_err()
                {
                    return Ok(());
                }
                Report::Frame { frame, at, took: at.elapsed() }
            }
            None if at.duration_since(decoded) < DAMAGE_LIMIT => Report::Damaged,
            None => {
                let reason = "none of its pictures can be decoded".to_owned();
                return Err(MediaError::CameraFailed { camera: chosen.name.clone(), reason });
            }
        };
        // Whatever it is, this tells whether anybody still listens; where nobody does, the camera is let go.
        if reports.send(report).is_err() {
            return Ok(());
        }
    }
}

/// Opens a camera in the mode nearest to what is asked for, streaming.
fn open(id: u32, options: &CameraOptions) -> Result<(nokhwa::Camera, CameraFormat), NokhwaError> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    let mut camera = nokhwa::Camera::new(CameraIndex::Index(id), any)?;
    let mut modes = camera.compatible_camera_formats()?;
    modes.retain(|mode| FORMATS.contains(&mode.format()));
    if let Some(wanted) = mode::nearest(&modes, options.size, options.frame_rate)
        && wanted != camera.camera_format()
    {
        let exactly = RequestedFormatType::Exact(wanted);
        camera.set_camera_requset(RequestedFormat::with_formats(exactly, &FORMATS))?;
    }
    camera.open_stream()?;
    let mode = camera.camera_format();
    Ok((camera, mode))
}

/// The bindings flatten what the system said to text.
fn failure(camera: &str, error: &NokhwaError) -> MediaError {
    let reason = error.to_string();
    let camera = camera.to_owned();
    if ["os error 16", "busy"].iter().any(|sign| reason.contains(sign)) {
        MediaError::CameraBusy { camera }
    } else if ["os error 19", "os error 6)", "os error 2)"].iter().any(|sign| reason.contains(sign)) {
        MediaError::CameraGone { camera }
    } else {
        MediaError::CameraFailed { camera, reason }
    }
}

fn names(cameras: &[CameraInfo]) -> String {
    let names: Vec<String> =
        cameras.iter().map(|camera| format!("{} ({})", camera.id, camera.name)).collect();
    if names.is_empty() {
        "no camera is plugged in".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_said_is_told_apart() {
        let read = |code: i32| {
            let text = std::io::Error::from_raw_os_error(code).to_string();
            failure("C920", &NokhwaError::ReadFrameError(text))
        };
        assert!(matches!(read(16), MediaError::CameraBusy { .. }));
        assert!(matches!(read(19), MediaError::CameraGone { .. }));
        assert!(matches!(read(5), MediaError::CameraFailed { .. }));
        assert!(matches!(read(22), MediaError::CameraFailed { .. }));
    }
}
