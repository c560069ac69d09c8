//! Which cameras there are, and which one is meant.

use std::{convert::Infallible, fmt, str::FromStr};

use nokhwa::utils::{ApiBackend, CameraIndex};

use crate::{MediaError, error::Result};

/// A camera that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// The system's number for it, which may change when it is plugged in again.
    pub id: u32,
    /// What its maker calls it.
    pub name: String,
}

/// Which camera is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CameraChoice {
    /// The first that there is.
    #[default]
    First,
    /// The one with this number.
    Id(u32),
    /// The first whose name has this in it, in any case.
    Name(String),
    /// One that was chosen from a list: that with this number where it still has this name, else the first of this name.
    Known {
        /// Its number then.
        id: u32,
        /// Its name.
        name: String,
    },
}

/// Which camera, and what it should give. A camera gives what is nearest to that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CameraOptions {
    /// Which camera.
    pub camera: CameraChoice,
    /// Width and height; 640x480 where nothing is said.
    pub size: Option<(u32, u32)>,
    /// Frames a second; 30 where nothing is said.
    pub frame_rate: Option<u32>,
}

/// Lists the cameras that can be asked for pictures, by their numbers.
///
/// # Errors
/// The system does not tell.
pub fn list_cameras() -> Result<Vec<CameraInfo>> {
    ask_for_permission();
    let found =
        nokhwa::query(ApiBackend::Auto).map_err(|error| MediaError::Cameras { reason: error.to_string() })?;
    let camera = |info: nokhwa::utils::CameraInfo| match info.index() {
        CameraIndex::Index(id) if gives_pictures(*id) => {
            Some(CameraInfo { id: *id, name: info.human_name() })
        }
        _ => None,
    };
    let mut cameras: Vec<CameraInfo> = found.into_iter().filter_map(camera).collect();
    cameras.sort_by_key(|camera| camera.id);
    Ok(cameras)
}

/// macOS gives no camera to a program that has not asked, once; the answer comes later, and what is opened before it is
/// tried again.
#[cfg(target_os = "macos")]
fn ask_for_permission() {
    static ASKED: std::sync::Once = std::sync::Once::new();
    ASKED.call_once(|| {
        nokhwa::nokhwa_initialize(|is_granted| {
            if !is_granted {
                log::warn!("the system does not let this program use cameras");
            }
        });
    });
}

#[cfg(not(target_os = "macos"))]
fn ask_for_permission() {}

/// Whether the device is one for pictures: a webcam has others beside it, for metadata, and a virtual camera takes pictures.
#[cfg(target_os = "linux")]
fn gives_pictures(id: u32) -> bool {
    let capabilities = v4l::Device::new(id as usize).and_then(|device| device.query_caps());
    // One that does not answer stays in the list; whoever chooses it is told why.
    capabilities.map_or(true, |known| known.capabilities.contains(v4l::capability::Flags::VIDEO_CAPTURE))
}

#[cfg(not(target_os = "linux"))]
fn gives_pictures(_id: u32) -> bool {
    true
}

impl CameraChoice {
    /// The one among `cameras` that is meant.
    pub fn find<'a>(&self, cameras: &'a [CameraInfo]) -> Option<&'a CameraInfo> {
        match self {
            Self::First => cameras.first(),
            Self::Id(id) => cameras.iter().find(|camera| camera.id == *id),
            Self::Name(name) => {
                let wanted = name.to_lowercase();
                cameras.iter().find(|camera| camera.name.to_lowercase().contains(&wanted))
            }
            Self::Known { id, name } => cameras
                .iter()
                .find(|camera| camera.id == *id && camera.name == *name)
                .or_else(|| cameras.iter().find(|camera| camera.name == *name)),
        }
    }
}

/// A number means the camera with that number, all else is a name.
impl FromStr for CameraChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl fmt::Display for CameraChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("a camera"),
            Self::Id(id) => write!(f, "camera {id}"),
            Self::Name(name) | Self::Known { name, .. } => write!(f, "camera {name:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_chosen_by_number_or_by_a_part_of_their_name() {
        let camera = |id, name: &str| CameraInfo { id, name: name.to_owned() };
        let cameras = [camera(0, "Integrated Camera"), camera(2, "HD Pro Webcam C920")];
        let found = |text: &str| text.parse::<CameraChoice>().unwrap().find(&cameras).map(|camera| camera.id);
        assert_eq!(found("2"), Some(2));
        assert_eq!(found("1"), None);
        assert_eq!(found("webcam"), Some(2));
        assert_eq!(found("Logitech"), None);
        let known = |id, name: &str| {
            let twins = [camera(0, "Twin"), camera(2, "Twin"), camera(4, "Other")];
            CameraChoice::Known { id, name: name.to_owned() }.find(&twins).map(|camera| camera.id)
        };
        assert_eq!(known(2, "Twin"), Some(2));
        assert_eq!((known(4, "Twin"), known(7, "Other"), known(0, "Gone")), (Some(0), Some(4), None));
        assert_eq!(CameraChoice::First.find(&cameras).unwrap().id, 0);
        assert_eq!(CameraChoice::First.find(&[]), None);
    }
}
