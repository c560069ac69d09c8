//! What a live session shows, and how.

use std::path::PathBuf;

use pastiche_inference::{Controls, DeviceChoice, Precision};
use pastiche_media::{CameraOptions, MicrophoneChoice};

/// Where the pictures come from.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveSource {
    /// A camera; one that is lost is picked up again when it returns.
    Camera(CameraOptions),
    /// A video file, in a loop and at its own rate.
    Video(PathBuf),
    /// A photograph.
    Still(PathBuf),
}

/// How large the network works. Smaller is faster and coarser; the picture shown keeps its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessSize {
    /// The largest that holds [`AUTO_FPS`](super::AUTO_FPS) frames a second here, measured, and changed calmly.
    #[default]
    Auto,
    /// As large as the picture.
    Source,
    /// This width and height.
    Fixed(u32, u32),
}

/// What a [`LiveSession`](super::LiveSession) starts with. All of it can be changed later by a
/// [`LiveCommand`](super::LiveCommand).
#[derive(Debug, Clone, PartialEq)]
pub struct LiveOptions {
    /// Where the pictures come from.
    pub source: LiveSource,
    /// The style's file; without one, the source is shown as it is.
    pub style: Option<PathBuf>,
    /// What the network runs on.
    pub engine: EngineOptions,
    /// How the painting is mixed with the source.
    pub controls: Controls,
    /// How large the network works.
    pub process_size: ProcessSize,
    /// The picture's width and height; the source's where nothing is said.
    pub size: Option<(u32, u32)>,
    /// Shows the source as in a mirror, in recordings too.
    pub mirror: bool,
    /// Keeps each painted frame's source beside it, for a comparison: [`Shown::source`](super::Shown::source).
    pub compare: bool,
}

impl LiveOptions {
    /// `source` as it is, with everything else by default.
    pub fn new(source: LiveSource) -> Self {
        Self {
            source,
            style: None,
            engine: EngineOptions::default(),
            controls: Controls::default(),
            process_size: ProcessSize::default(),
            size: None,
            mirror: false,
            compare: false,
        }
    }
}

/// What the network runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// The device.
    pub device: DeviceChoice,
    /// Threads of the processor; all where nothing is said.
    pub threads: Option<usize>,
    /// The number type to compute in.
    pub precision: Precision,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { device: DeviceChoice::Auto, threads: None, precision: Precision::Auto }
    }
}

/// What to record, and how. The size is that of the first frame recorded; frames of another one are fitted into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingOptions {
    /// The MP4 file to write. It plays while it is written, up to its last seconds, whatever becomes of the program.
    pub path: PathBuf,
    /// The video encoder by name; the best that works here where nothing is said.
    pub encoder: Option<String>,
    /// The encoder's constant quality; lower is better.
    pub crf: Option<u8>,
    /// The encoder's balance of speed and size.
    pub preset: Option<String>,
    /// The microphone whose sound is recorded too; without one the recording is silent. One that is lost is picked up again
    /// when it returns.
    pub microphone: Option<MicrophoneChoice>,
}

impl RecordingOptions {
    /// A silent recording to `path` with everything else by default.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), encoder: None, crf: None, preset: None, microphone: None }
    }
}
