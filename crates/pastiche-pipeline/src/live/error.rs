//! What can go wrong with a session as a whole.

use std::time::Duration;

use pastiche_inference::ControlsError;

/// Why a session could not start or end. What goes wrong on the way is a
/// [`LiveEvent::Error`](super::LiveEvent::Error) or a [`SourceState::Lost`](super::SourceState::Lost).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The system gave no thread.
    #[error("cannot start the {name} thread; close other programs and try again: {source}")]
    NoThread {
        /// The thread's name.
        name: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A control is outside its range.
    #[error(transparent)]
    Controls(#[from] ControlsError),
    /// A thread did not end in time, so it was left behind.
    #[error("the {name} thread did not end within {:.1} s; its device may be stuck", limit.as_secs_f64())]
    Stuck {
        /// The thread's name.
        name: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// A thread ended by itself: a defect in the program.
    #[error("the {name} thread crashed, which is a defect in the program; please report it: {message}")]
    Crashed {
        /// The thread's name.
        name: &'static str,
        /// What the panic said.
        message: String,
    },
}
