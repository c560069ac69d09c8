//! What the window asks of the world outside: files, folders, cameras, devices. Answers come later, so that no panel
//! ever waits; tests put others in their place.

mod thread;
mod thumbnail;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use pastiche_frame::Frame;
use pastiche_inference::{DeviceChoice, StyleEntry};
use pastiche_media::{CameraInfo, MediaInfo, MicrophoneInfo};
use pastiche_pipeline::live::{LiveCommand, LiveEvent, LiveSession, LiveStatus, Shown};

use super::{
    settings::Settings,
    state::{DeviceView, UpscalerView},
};

pub(crate) use thread::ServiceThread;

/// A question or an errand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    ListCameras,
    ListMicrophones,
    /// Those installed, in the networks that suit the device.
    ListStyles(DeviceChoice),
    /// Devices, encoders and networks that enlarge.
    ListHardware,
    /// Paint a small picture in the style of this file.
    PaintThumbnail {
        name: String,
        path: PathBuf,
    },
    /// Find out what a file is.
    Inspect(PathBuf),
    /// Copy a style file to the user's styles.
    InstallStyle(PathBuf),
    /// Let the user choose a file or folder.
    Pick(Pick),
    /// Show where a file is.
    Reveal(PathBuf),
}

/// What is chosen in a dialog of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Anything that can be opened.
    File,
    Video,
    Style,
    Folder,
    /// A name for an export.
    Output(PathBuf),
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Cameras(Vec<CameraInfo>),
    Microphones(Vec<MicrophoneInfo>),
    Styles(Vec<StyleEntry>),
    Hardware {
        devices: Vec<DeviceView>,
        encoders: Vec<String>,
        upscalers: Vec<UpscalerView>,
    },
    Thumbnail {
        name: String,
        picture: Frame,
    },
    /// A file is a video.
    Video {
        path: PathBuf,
        info: Box<MediaInfo>,
    },
    /// A file is a photograph.
    Still(PathBuf),
    /// A file is a style.
    Style(StyleEntry),
    /// A file is nothing we know.
    Unknown(PathBuf),
    StyleInstalled {
        name: String,
        title: String,
    },
    /// What was chosen; nothing is told where the dialog was closed.
    Picked(Pick, PathBuf),
    /// Something that was asked for did not work.
    Failed(String),
}

/// Whoever answers.
pub(crate) trait Services {
    /// Asks; the answer comes with one of the next [`Self::drain_replies`].
    fn request(&mut self, request: Request);
    /// The answers since the last time.
    fn drain_replies(&mut self) -> Vec<Reply>;
    /// A name for a new file `stem.extension` in `folder` that neither a file nor one of `taken` has.
    fn new_file(&mut self, folder: &Path, stem: &str, extension: &str, taken: &[&Path]) -> PathBuf;
    /// Remembers the settings.
    ///
    /// # Errors
    /// In one line, where they could not be written.
    fn save_settings(&mut self, settings: &Settings) -> Result<(), String>;
}

/// The session that paints, as the window sees it.
pub(crate) trait Session {
    fn send(&mut self, command: LiveCommand);
    /// Gets styles ready that may be asked for next.
    fn prepare_styles(&mut self, paths: Vec<PathBuf>);
    fn take_shown(&mut self) -> Option<Shown>;
    fn status(&self) -> LiveStatus;
    fn drain_events(&mut self) -> Vec<LiveEvent>;
    /// Ends within `limit`; a recording is closed so that it plays.
    ///
    /// # Errors
    /// In one line, where something had to be left behind.
    fn shutdown(self: Box<Self>, limit: Duration) -> Result<(), String>;
}

impl Session for LiveSession {
    fn send(&mut self, command: LiveCommand) {
        Self::send(self, command);
    }

    fn prepare_styles(&mut self, paths: Vec<PathBuf>) {
        Self::send(self, LiveCommand::PrepareStyles(paths));
    }

    fn take_shown(&mut self) -> Option<Shown> {
        Self::take_shown(self)
    }

    fn status(&self) -> LiveStatus {
        Self::status(self)
    }

    fn drain_events(&mut self) -> Vec<LiveEvent> {
        Self::drain_events(self)
    }

    fn shutdown(self: Box<Self>, limit: Duration) -> Result<(), String> {
        Self::shutdown(*self, limit).map(drop).map_err(|error| error.to_string())
    }
}
