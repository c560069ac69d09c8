//! The handle to a live session.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::{
    LiveCommand, LiveError, LiveEvent, LiveOptions, LiveStatus, LiveSummary, RecordingStatus, Shown,
    engine::{Engine, EngineThread},
    loader,
    shared::Shared,
    threads::Thread,
};

/// Commands that may wait while a frame is painted: more than anybody can ask for in that time.
const QUEUED_COMMANDS: usize = 1024;
/// Styles and pictures that may wait for the loader.
const QUEUED_JOBS: usize = 64;

/// A running session. It ends when it is shut down; when it is only dropped, it ends without telling how.
pub struct LiveSession {
    shared: Arc<Shared>,
    commands: Sender<LiveCommand>,
    engine: EngineThread,
    loader: Thread,
}

impl LiveSession {
    /// Starts the session's threads; opening the source, the device and the style goes on behind them.
    ///
    /// `wake` is called, on any of those threads, when there is a new picture, status or event. It must return at once.
    ///
    /// # Errors
    /// A control is outside its range, or the system gives no thread.
    pub fn start(options: LiveOptions, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, LiveError> {
        options.controls.validate()?;
        let shared = Arc::new(Shared::new(wake));
        let (commands, to_obey) = bounded(QUEUED_COMMANDS);
        let (jobs, to_do) = bounded(QUEUED_JOBS);
        let (loaded, to_take) = bounded(1);
        let loader = {
            let shared_too = Arc::clone(&shared);
            Thread::start("loader", &shared, move || loader::run(&shared_too, &to_do, &loaded))?
        };
        let engine = Engine::new(Arc::clone(&shared), jobs, &options);
        let LiveOptions { source, style, .. } = options;
        let engine = Thread::start("engine", &shared, move || engine.run(source, style, &to_obey, &to_take))?;
        Ok(Self { shared, commands, engine, loader })
    }

    /// Asks for a change. Never blocks.
    pub fn send(&self, command: LiveCommand) {
        if let LiveCommand::StartRecording(options) = &command {
            // So that whoever looks at the status next knows that one was asked for.
            self.shared.update(|status| {
                status.recording.get_or_insert_with(|| RecordingStatus::new(&options.path));
            });
        }
        match self.commands.try_send(command) {
            // Without an engine there is nobody to ask, and its end was told.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                let message = "too much was asked for at once; wait a moment and ask again".to_owned();
                self.shared.tell(LiveEvent::Error(message));
            }
        }
    }

    /// The newest painted picture, where there is one that was not taken before.
    pub fn take_shown(&self) -> Option<Shown> {
        self.shared.shown.take()
    }

    /// How the session stands.
    pub fn status(&self) -> LiveStatus {
        self.shared.status()
    }

    /// What has happened since this was last asked, the oldest first. Only the newest few hundred are kept.
    pub fn drain_events(&self) -> Vec<LiveEvent> {
        self.shared.drain_events()
    }

    /// Ends the session within `limit`: a recording is closed so that it plays.
    ///
    /// # Errors
    /// A thread crashed, or did not end in time and was left behind.
    pub fn shutdown(self, limit: Duration) -> Result<LiveSummary, LiveError> {
        let (shared, ends) = self.end_by(Instant::now() + limit);
        ends.into_iter().collect::<Result<(), LiveError>>()?;
        Ok(shared.summary())
    }

    /// As [`Self::shutdown`], with what happened until the end, such as the end of a recording. What did not end well is
    /// told by an event, too.
    pub fn shutdown_with_events(self, limit: Duration) -> (LiveSummary, Vec<LiveEvent>) {
        let (shared, ends) = self.end_by(Instant::now() + limit);
        for error in ends.into_iter().filter_map(Result::err) {
            // A crash was told when it happened.
            if matches!(error, LiveError::Stuck { .. }) {
                shared.tell(LiveEvent::Error(error.to_string()));
            }
        }
        (shared.summary(), shared.drain_events())
    }

    /// Waits for all threads, also where one of them does not end well.
    fn end_by(self, deadline: Instant) -> (Arc<Shared>, Vec<Result<(), LiveError>>) {
        let Self { shared, commands, engine, loader } = self;
        drop(commands);
        let (left, engine) = match engine.join_by(deadline) {
            Ok(left) => (left, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let threads = left.into_iter().chain([loader]);
        let ends = [engine].into_iter().chain(threads.map(|thread| thread.join_by(deadline))).collect();
        (shared, ends)
    }
}
