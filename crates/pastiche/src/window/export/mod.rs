//! The queue of exports: what is to be made, how far it is, and a thread that makes one after the other.

mod queue;
mod worker;

use std::{path::PathBuf, time::Duration};

use pastiche_inference::Controls;
use pastiche_pipeline::{Progress, VideoJobOptions, live::EngineOptions};

pub(crate) use queue::ExportQueue;
pub(crate) use worker::ExportThread;

/// Which export is meant; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct JobId(pub(crate) u64);

/// What is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExportRequest {
    /// The style's file.
    pub(crate) style: PathBuf,
    /// What the style is called.
    pub(crate) style_title: String,
    pub(crate) engine: EngineOptions,
    pub(crate) controls: Controls,
    /// The size that the network works at; that of the result where nothing is said.
    pub(crate) process_size: Option<(u32, u32)>,
    /// The file of the network that enlarges, where something is to be; the installed one where nothing is said.
    pub(crate) upscaler: Option<PathBuf>,
    /// The same as for `pastiche video`.
    pub(crate) video: VideoJobOptions,
}

/// One export in the queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) request: ExportRequest,
    pub(crate) state: JobState,
}

/// How far an export is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JobState {
    Waiting,
    Running {
        /// Unknown before the first frame.
        progress: Option<Progress>,
        paused: bool,
        /// Whether it was asked to stop.
        stopping: bool,
    },
    Done(ExportOutcome),
    Cancelled {
        /// Whether the file with what was done is there.
        kept: bool,
    },
    Failed(String),
}

impl JobState {
    /// Whether nothing more happens to it by itself.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Cancelled { .. } | Self::Failed(_))
    }
}

/// What an export has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExportOutcome {
    pub(crate) frames: u64,
    pub(crate) elapsed: Duration,
    pub(crate) bytes: u64,
}

/// What the one who makes exports tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExportEvent {
    Progress(JobId, Progress),
    Done(JobId, ExportOutcome),
    /// Stopped on request, with what was done in the file or nothing worth keeping.
    Cancelled(JobId, bool),
    Failed(JobId, String),
}

/// One who makes one export at a time.
pub(crate) trait Exporter {
    /// Begins with `request`; the one before is over.
    fn start(&mut self, id: JobId, request: ExportRequest);
    /// Holds the export that runs, or lets it go on.
    fn set_paused(&mut self, paused: bool);
    /// Stops the export that runs, and keeps what is done.
    fn cancel(&mut self);
    /// What has happened since the last time.
    fn drain_events(&mut self) -> Vec<ExportEvent>;
}
