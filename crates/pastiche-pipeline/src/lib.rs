//! The threads that join media and the engine: a file job, and a live session.
//!
//! Start with [`VideoJob`] for videos, [`restyle_image`] for photographs, and [`live::LiveSession`] for a camera.
//!
//! ```no_run
//! use pastiche_inference::{ComputeDevice, DeviceChoice, Style, Stylizer, StylizerOptions};
//! use pastiche_pipeline::{Cancel, VideoJob, VideoJobOptions};
//!
//! let job = VideoJob::open(VideoJobOptions {
//!     input: "in.mp4".into(),
//!     output: "out.mp4".into(),
//!     ..VideoJobOptions::default()
//! })?;
//! let device = ComputeDevice::open(DeviceChoice::Auto)?;
//! let style = Style::load("starry-night.safetensors".as_ref())?;
//! let mut stylizer = Stylizer::new(style, &device, &StylizerOptions::default())?;
//! let print = |progress: &pastiche_pipeline::Progress| println!("{} frames", progress.frames_done);
//! let summary = job.run(&mut stylizer, print, &Cancel::new())?;
//! println!("{} frames in {:?}", summary.frames, summary.elapsed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: decoding, restyling and encoding overlap; every frame that is decoded is encoded, in order; memory holds
//! a handful of frames however long the video; a failure in any stage ends the job and leaves no output behind; a
//! cancelled job leaves one that plays, and so does one whose input breaks off or whose output's drive takes no more.
//! A [`ResumableJob`] leaves finished parts instead, or nothing where there are none.

mod cancel;
mod error;
pub mod live;
mod parts;
mod progress;
mod queue;
mod reader;
mod restyle;
mod resumable;
mod sequence;
mod slot;
mod speed;
mod stages;
mod still;
mod summary;
mod video;

pub use cancel::Cancel;
pub use error::PipelineError;
pub use parts::remove_unfinished;
pub use progress::Progress;
pub use queue::{BoundedQueue, QueueClosed, QueueReceiver, QueueSender};
pub use restyle::Painters;
pub use resumable::{NetworkSums, Resumable, ResumableJob};
pub use sequence::SequenceJob;
pub use slot::LatestSlot;
pub use stages::{Ending, Sink, StageError, StageNames, Transform, run_stages};
pub use still::{OutputSize, restyle_image};
pub use summary::{Losses, VideoSummary};
pub use video::{VideoJob, VideoJobOptions};
