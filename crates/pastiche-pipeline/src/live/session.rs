//! The handle to a live session.

use std::time::Duration;

use super::{LiveCommand, LiveError, LiveEvent, LiveOptions, LiveStatus, LiveSummary, Shown};

/// A running session. It ends when it is shut down; when it is only dropped, it ends without telling how.
pub struct LiveSession {}

impl LiveSession {
    /// Starts the session's threads; opening the source, the device and the style goes on behind them.
    ///
    /// `wake` is called, on any of those threads, when there is a new picture, status or event. It must return at once.
    ///
    /// # Errors
    /// A control is outside its range, or the system gives no thread.
    pub fn start(options: LiveOptions, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, LiveError> {
        let _ = (options, wake);
        todo!()
    }

    /// Asks for a change. Never blocks.
    pub fn send(&self, command: LiveCommand) {
        let _ = command;
        todo!()
    }

    /// The newest painted picture, where there is one that was not taken before.
    pub fn take_shown(&self) -> Option<Shown> {
        todo!()
    }

    /// How the session stands.
    pub fn status(&self) -> LiveStatus {
        todo!()
    }

    /// What has happened since this was last asked, the oldest first. Only the newest few hundred are kept.
    pub fn drain_events(&self) -> Vec<LiveEvent> {
        todo!()
    }

    /// Ends the session within `limit`: a recording is closed so that it plays.
    ///
    /// # Errors
    /// A thread crashed, or did not end in time and was left behind.
    pub fn shutdown(self, limit: Duration) -> Result<LiveSummary, LiveError> {
        let _ = limit;
        todo!()
    }
}
