//! A camera under watch: it may hang, vanish or be busy, and comes back.

use std::{
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use pastiche_frame::{Frame, FramePool};

use super::{
    CameraOptions,
    worker::{self, Report},
};
use crate::{MediaError, error::Result};

/// A running camera that gives no picture for this long is stuck.
const STALL_LIMIT: Duration = Duration::from_millis(1200);
/// Opening takes longer: some cameras need seconds until the first picture.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// How long after a failure it is tried again.
const RETRY_PERIOD: Duration = Duration::from_millis(500);
/// A busy camera may be one that this program itself is about to let go, so at first it is not told, but tried again.
const LETTING_GO: Duration = Duration::from_secs(1);
/// How soon.
const BUSY_PERIOD: Duration = Duration::from_millis(100);

/// What a camera gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraMode {
    /// What its maker calls it.
    pub name: String,
    /// Of the frames, in pixels.
    pub width: u32,
    /// Of the frames, in pixels.
    pub height: u32,
    /// What it says to give; what it gives depends on the light too.
    pub frame_rate: u32,
    /// How its pictures come, such as `MJPEG`.
    pub format: String,
}

/// What happens to a camera.
#[derive(Debug)]
pub enum CameraEvent {
    /// It gives pictures from now on, for the first time or again.
    Running(CameraMode),
    /// A picture.
    Frame {
        /// RGB; its time is not set.
        frame: Frame,
        /// When the camera gave it.
        at: Instant,
        /// How long it took to decode.
        took: Duration,
    },
    /// It gives no more pictures. It is tried again until it does.
    Lost(MediaError),
}

/// A camera that is opened, watched, and opened again when it was lost.
///
/// It belongs to one thread; the camera itself has another, which may hang for as long as the camera does. Dropping this
/// lets go of the camera at its next picture.
pub struct Camera {
    options: CameraOptions,
    size: Option<(u32, u32)>,
    pool: FramePool,
    worker: Option<Receiver<Report>>,
    /// Known once it has run.
    mode: Option<CameraMode>,
    stalled: bool,
    /// When it last gave a sign of life, or was tried.
    heard: Instant,
    /// When it was asked for.
    asked: Instant,
    retry_at: Instant,
    /// The picture that told that a stuck camera goes on.
    held: Option<CameraEvent>,
}

impl Camera {
    /// A camera that will be opened by the first [`Self::next_event`]; frames have `size`, or what the camera gives.
    pub fn new(options: CameraOptions, size: Option<(u32, u32)>, pool: FramePool) -> Self {
        let now = Instant::now();
        Self {
            options,
            size,
            pool,
            worker: None,
            mode: None,
            stalled: false,
            heard: now,
            asked: now,
            retry_at: now,
            held: None,
        }
    }

    /// Waits up to `limit` for what happens next.
    pub fn next_event(&mut self, limit: Duration) -> Option<CameraEvent> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        let Some(worker) = &self.worker else { return self.reopen(limit) };
        match worker.recv_timeout(limit) {
            // A damaged picture is no sign of life.
            Ok(Report::Damaged) | Err(RecvTimeoutError::Timeout) => self.check_stall(),
            Ok(Report::Running(mode)) => Some(self.take_mode(mode)),
            Ok(Report::Frame { frame, at, took }) => {
                Some(self.take_frame(CameraEvent::Frame { frame, at, took }))
            }
            Ok(Report::Failed(MediaError::CameraBusy { .. })) if self.asked.elapsed() < LETTING_GO => {
                self.worker = None;
                self.retry_at = Instant::now() + BUSY_PERIOD;
                None
            }
            Ok(Report::Failed(error)) => Some(self.lose(error)),
            Err(RecvTimeoutError::Disconnected) => {
                let camera = self.name();
                let reason = "its thread has ended".to_owned();
                Some(self.lose(MediaError::CameraFailed { camera, reason }))
            }
        }
    }

    fn reopen(&mut self, limit: Duration) -> Option<CameraEvent> {
        let wait = self.retry_at.saturating_duration_since(Instant::now());
        thread::sleep(wait.min(limit));
        if wait > limit {
            return None;
        }
        self.heard = Instant::now();
        self.mode = None;
        match self.start() {
            Ok(worker) => {
                self.worker = Some(worker);
                None
            }
            Err(error) => Some(self.lose(error)),
        }
    }

    fn start(&self) -> Result<Receiver<Report>> {
        worker::start(self.options.clone(), self.size, self.pool.clone())
    }

    fn take_mode(&mut self, mode: CameraMode) -> CameraEvent {
        self.heard = Instant::now();
        self.mode = Some(mode.clone());
        self.stalled = false;
        CameraEvent::Running(mode)
    }

    /// A frame, after the news that a stuck camera goes on.
    fn take_frame(&mut self, frame: CameraEvent) -> CameraEvent {
        self.heard = Instant::now();
        match (std::mem::take(&mut self.stalled), &self.mode) {
            (true, Some(mode)) => {
                self.held = Some(frame);
                CameraEvent::Running(mode.clone())
            }
            _ => frame,
        }
    }

    fn lose(&mut self, error: MediaError) -> CameraEvent {
        self.worker = None;
        self.stalled = false;
        self.retry_at = Instant::now() + RETRY_PERIOD;
        CameraEvent::Lost(error)
    }

    /// A stuck camera is not opened anew: the system would not give it twice. Its thread goes on with its next picture,
    /// or fails when it is unplugged.
    fn check_stall(&mut self) -> Option<CameraEvent> {
        let limit = if self.mode.is_some() { STALL_LIMIT } else { OPEN_LIMIT };
        if self.stalled || self.heard.elapsed() < limit {
            return None;
        }
        self.stalled = true;
        Some(CameraEvent::Lost(MediaError::CameraStalled { camera: self.name() }))
    }

    fn name(&self) -> String {
        self.mode.as_ref().map_or_else(|| self.options.camera.to_string(), |mode| mode.name.clone())
    }
}
