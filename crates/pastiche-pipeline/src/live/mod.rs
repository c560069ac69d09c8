//! A live session: a camera, a video in a loop or a photograph, painted as it comes.
//!
//! ```no_run
//! use std::time::Duration;
//! use pastiche_pipeline::live::{LiveCommand, LiveOptions, LiveSession, LiveSource};
//!
//! let source = LiveSource::Camera(Default::default());
//! let options = LiveOptions { style: Some("starry_night.safetensors".into()), ..LiveOptions::new(source) };
//! let session = LiveSession::start(options, || println!("there is something new"))?;
//! session.send(LiveCommand::SetMirror(true));
//! if let Some(shown) = session.take_shown() {
//!     println!("{}x{}", shown.painted.width(), shown.painted.height());
//! }
//! let summary = session.shutdown(Duration::from_secs(5))?;
//! println!("{:.1} frames a second", summary.fps);
//! # Ok::<(), pastiche_pipeline::live::LiveError>(())
//! ```
//!
//! Invariants: a frame that is late is dropped and counted, so latency never grows; nothing that a session is asked to
//! do blocks the one who asks; what goes wrong is told as an event and the session goes on; a recording never holds up
//! the picture, plays at every moment, and is whole when the session ends.

mod auto_size;
mod command;
mod engine;
mod error;
mod event;
mod loader;
mod meters;
mod options;
mod painter;
mod recorder;
mod session;
mod shared;
mod shelf;
mod sound;
mod source;
mod status;
mod threads;
mod virtual_camera;

pub use command::LiveCommand;
pub use error::LiveError;
pub use event::LiveEvent;
pub use options::{EngineOptions, LiveOptions, LiveSource, ProcessSize, RecordingOptions};
pub use session::LiveSession;
pub use status::{
    EngineStatus, LiveStatistics, LiveStatus, LiveSummary, Percentiles, RecordingStatus, Shown, SourceState,
};

/// Frames a second that [`ProcessSize::Auto`] holds.
pub const AUTO_FPS: f64 = 20.0;
