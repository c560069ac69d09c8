//! How a live session stands.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use pastiche_frame::Frame;

/// A painted picture to show.
#[derive(Debug)]
pub struct Shown {
    /// The picture, RGB. Its buffer goes back to its pool when it is dropped.
    pub painted: Frame,
    /// What it was painted from, of the same size; only where a comparison is asked for.
    pub source: Option<Frame>,
    /// How many sources there were before this one: what belongs to an earlier one is out of date.
    pub generation: u64,
    /// Counts the pictures of the session.
    pub sequence: u64,
}

/// How the session stands: a snapshot, cheap to take.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveStatus {
    /// What the source does.
    pub source: SourceState,
    /// The name of the style that is shown; `None`: the source as it is.
    pub style: Option<String>,
    /// The name of the style that is being loaded.
    pub loading: Option<String>,
    /// Width and height of the pictures; unknown before the first.
    pub size: Option<(u32, u32)>,
    /// Width and height that the network works at; unknown before the first painted picture.
    pub process_size: Option<(u32, u32)>,
    /// Where the network runs, once a style is loaded.
    pub engine: Option<EngineStatus>,
    /// Whether it stands still.
    pub paused: bool,
    /// The recording that runs.
    pub recording: Option<RecordingStatus>,
    /// The virtual camera that shows what is painted.
    pub virtual_camera: Option<PathBuf>,
    /// How fast it goes.
    pub statistics: LiveStatistics,
}

/// What a source does.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SourceState {
    /// It is being opened.
    #[default]
    Opening,
    /// It gives pictures.
    Running {
        /// The camera's name, or the file's.
        name: String,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// It gives none: busy, unplugged, stuck, or a file that cannot be read. A camera is tried again and again.
    Lost {
        /// Why, in one line.
        reason: String,
        /// Whether it is tried again.
        retrying: bool,
    },
}

/// Where the network runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStatus {
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// What the device's maker calls it.
    pub device_name: String,
    /// The number type that it computes in.
    pub precision: &'static str,
    /// Threads of the processor.
    pub threads: usize,
    /// Why `auto` took this device, where there is something to say.
    pub note: Option<String>,
}

/// How a recording stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingStatus {
    /// The file.
    pub path: PathBuf,
    /// Frames written.
    pub frames: u64,
    /// Painted frames that the encoder was too slow for.
    pub dropped: u64,
    /// How long it is.
    pub duration: Duration,
    /// Whether it is being closed.
    pub closing: bool,
}

impl RecordingStatus {
    /// A recording to `path` that is about to begin.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), frames: 0, dropped: 0, duration: Duration::ZERO, closing: false }
    }
}

/// How fast a session goes: over the last seconds, except where something else is said.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LiveStatistics {
    /// Frames a second that the source gives, measured, whatever it says to give.
    pub capture_fps: f64,
    /// Frames a second that are painted.
    pub fps: f64,
    /// To get a frame from the source ready, median.
    pub capture_ms: f64,
    /// To paint a frame, median.
    pub inference_ms: f64,
    /// From a frame's capture until it is ready to be shown.
    pub latency_ms: Percentiles,
    /// Frames that came while another was being painted, since the session's start.
    pub dropped: u64,
    /// Frames painted, since the session's start.
    pub frames: u64,
    /// From the session's start until the first painted frame.
    pub first_frame_ms: Option<f64>,
    /// From the last change of style until the first frame in it.
    pub style_change_ms: Option<f64>,
}

/// The middle and the slow end of a series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Percentiles {
    /// Half are at most this.
    pub p50: f64,
    /// 95 in 100 are at most this.
    pub p95: f64,
}

/// What a session has done, from its start to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSummary {
    /// From the first painted frame to the last.
    pub duration: Duration,
    /// Frames painted.
    pub frames: u64,
    /// Frames a second, over all.
    pub fps: f64,
    /// From a frame's capture until it is ready to be shown, over all.
    pub latency_ms: Percentiles,
    /// Changes of style: from the command until the first frame so painted, over all; zero where there were none.
    pub style_change_ms: Percentiles,
    /// The slowest of them.
    pub style_change_max_ms: f64,
    /// How many there were.
    pub style_changes: u64,
    /// From the session's start until the first painted frame.
    pub first_frame_ms: Option<f64>,
    /// Frames that came while another was being painted.
    pub dropped: u64,
    /// How it stood at the end.
    pub status: LiveStatus,
}
