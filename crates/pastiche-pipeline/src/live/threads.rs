//! Threads that are named, told to stop, and never waited for without a limit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{LiveError, LiveEvent, shared::Shared};

/// How often a thread that should end is looked at.
const POLL: Duration = Duration::from_millis(2);

/// A thread of a session.
pub(super) struct Thread<T = ()> {
    name: &'static str,
    handle: JoinHandle<Result<T, String>>,
}

impl<T: Send + 'static> Thread<T> {
    /// Starts `body`; a panic in it is told as an event.
    pub(super) fn start(
        name: &'static str,
        shared: &Arc<Shared>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, LiveError> {
        let shared = Arc::clone(shared);
        let run = move || {
            catch_unwind(AssertUnwindSafe(body)).map_err(|panic| {
                let message = crate::stages::panic_message(panic.as_ref());
                shared.tell(LiveEvent::Error(
                    LiveError::Crashed { name, message: message.clone() }.to_string(),
                ));
                message
            })
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(run);
        Ok(Self { name, handle: handle.map_err(|source| LiveError::NoThread { name, source })? })
    }

    pub(super) fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits until `deadline` for its end.
    pub(super) fn join_by(self, deadline: Instant) -> Result<T, LiveError> {
        let Self { name, handle } = self;
        let begun = Instant::now();
        while !handle.is_finished() {
            if Instant::now() >= deadline {
                return Err(LiveError::Stuck { name, limit: begun.elapsed() });
            }
            thread::sleep(POLL);
        }
        let ended = handle.join().unwrap_or_else(|panic| Err(crate::stages::panic_message(panic.as_ref())));
        ended.map_err(|message| LiveError::Crashed { name, message })
    }
}

/// Keeps a thread running: when it is dropped, the thread's [`StopSignal`] tells.
pub(super) struct RunningGuard(#[expect(dead_code, reason = "dropping it is the message")] Sender<()>);

/// Tells a thread to stop, also while it sleeps.
pub(super) struct StopSignal(Receiver<()>);

/// A guard, and the signal that it gives when it is dropped.
pub(super) fn stop_signal() -> (RunningGuard, StopSignal) {
    let (sender, receiver) = bounded(0);
    (RunningGuard(sender), StopSignal(receiver))
}

impl StopSignal {
    pub(super) fn is_given(&self) -> bool {
        self.sleep(Duration::ZERO)
    }

    /// Sleeps for `duration`; true where it was told to stop.
    pub(super) fn sleep(&self, duration: Duration) -> bool {
        self.0.recv_timeout(duration) == Err(RecvTimeoutError::Disconnected)
    }

    /// Sleeps until `time`; true where it was told to stop.
    pub(super) fn sleep_until(&self, time: Instant) -> bool {
        self.sleep(time.saturating_duration_since(Instant::now()))
    }
}
