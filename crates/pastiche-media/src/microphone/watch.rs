//! A microphone under watch: it may be missing, busy, or vanish, and comes back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use cpal::{ErrorKind, traits::StreamTrait};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select};

use super::{
    MicrophoneChoice, Sound,
    capture::{self, QUEUED_PIECES, Signs},
    list,
};
use crate::{MediaError, error::Result};

/// A microphone that gives no sound for this long is stuck.
const STALL_LIMIT: Duration = Duration::from_secs(2);
/// How often is looked.
const POLL: Duration = Duration::from_millis(200);
/// How long after a failure it is tried again.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// What happens to a microphone.
#[derive(Debug)]
pub enum MicrophoneEvent {
    /// It is listened to from now on, for the first time or again.
    Running {
        /// What people call it.
        name: String,
    },
    /// A piece of sound.
    Sound(Sound),
    /// It gives no more sound. It is tried again until it does.
    Lost(MediaError),
}

/// A microphone that is opened, watched, and opened again when it was lost.
///
/// The device has a thread of its own, which may hang for as long as the device does. Dropping this lets go of it.
pub struct Microphone {
    events: Receiver<MicrophoneEvent>,
    /// Dropping it tells the thread to end.
    _running: Sender<()>,
}

impl Microphone {
    /// Begins to listen; opening it goes on behind.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(choice: MicrophoneChoice) -> Result<Self> {
        let (sender, events) = bounded(QUEUED_PIECES);
        let (running, stop) = bounded(0);
        let body = move || while tried(&choice, &sender, &stop) {};
        thread::Builder::new()
            .name("microphone".to_owned())
            .spawn(body)
            .map_err(|error| MediaError::Microphones { reason: error.to_string() })?;
        Ok(Self { events, _running: running })
    }

    /// What happened next, where something has.
    pub fn next_event(&self) -> Option<MicrophoneEvent> {
        self.events.try_recv().ok()
    }
}

/// Listens until the microphone is lost, and tells whether to try again after a while.
fn tried(choice: &MicrophoneChoice, events: &Sender<MicrophoneEvent>, stop: &Receiver<()>) -> bool {
    // The bindings panic where a device goes away in a moment that they did not expect.
    let listened = catch_unwind(AssertUnwindSafe(|| listen(choice, events, stop))).unwrap_or_else(|_| {
        let reason = "its driver ended unexpectedly".to_owned();
        Err(MediaError::MicrophoneFailed { microphone: choice.to_string(), reason })
    });
    let Err(error) = listened else { return false };
    events.send(MicrophoneEvent::Lost(error)).is_ok()
        && stop.recv_timeout(RETRY_PERIOD) == Err(RecvTimeoutError::Timeout)
}

/// Listens until it is told to stop.
fn listen(choice: &MicrophoneChoice, events: &Sender<MicrophoneEvent>, stop: &Receiver<()>) -> Result<()> {
    list::quiet();
    let (device, name) = choice.find()?;
    let failed = |error: cpal::Error| failure(&name, &error);
    let signs = Arc::new(Signs::default());
    let (failures, failures_told) = bounded(1);
    let stream = capture::listen(&device, events.clone(), &signs, failures).map_err(failed)?;
    stream.play().map_err(failed)?;
    let (mut pieces, mut heard) = (0, Instant::now());
    loop {
        select! {
            recv(stop) -> _ => return Ok(()),
            recv(failures_told) -> error => {
                let error = error.unwrap_or_else(|_| ErrorKind::StreamInvalidated.into());
                return Err(failed(error));
            }
            default(POLL) => {}
        }
        let now_pieces = signs.pieces.load(Ordering::Acquire);
        if now_pieces > pieces {
            if pieces == 0 && events.send(MicrophoneEvent::Running { name: name.clone() }).is_err() {
                return Ok(());
            }
            (pieces, heard) = (now_pieces, Instant::now());
        } else if heard.elapsed() > STALL_LIMIT {
            return Err(MediaError::MicrophoneStalled { microphone: name });
        }
    }
}

fn failure(microphone: &str, error: &cpal::Error) -> MediaError {
    let microphone = microphone.to_owned();
    match error.kind() {
        ErrorKind::DeviceBusy => MediaError::MicrophoneBusy { microphone },
        ErrorKind::DeviceNotAvailable => MediaError::MicrophoneGone { microphone },
        _ => {
            let reason = error.to_string();
            MediaError::MicrophoneFailed { microphone, reason: reason.trim_end_matches('.').to_owned() }
        }
    }
}
