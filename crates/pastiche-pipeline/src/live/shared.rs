//! What the threads of a session share: the picture to show, the status, events and figures.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pastiche_frame::Frame;

use super::{
    LiveEvent, LiveStatus, LiveSummary, Shown, SourceState,
    meters::{Histogram, RateMeter, Window},
};
use crate::LatestSlot;

/// Events that are kept for one who does not ask.
const MAX_EVENTS: usize = 256;

/// A frame on its way from the source to the engine.
pub(super) struct Captured {
    pub(super) frame: Frame,
    /// When the camera gave it, or when the file's clock asked for it.
    pub(super) at: Instant,
    pub(super) generation: u64,
    /// The same picture as the last one of this generation.
    pub(super) still: bool,
}

pub(super) struct Shared {
    pub(super) captured: LatestSlot<Captured>,
    pub(super) shown: LatestSlot<Shown>,
    pub(super) paused: AtomicBool,
    /// The number of the source that counts.
    generation: AtomicU64,
    /// The number of the virtual camera that counts.
    virtual_camera: AtomicU64,
    status: Mutex<LiveStatus>,
    events: Mutex<VecDeque<LiveEvent>>,
    figures: Mutex<Figures>,
    wake: Box<dyn Fn() + Send + Sync>,
    started: Instant,
}

/// What is measured on the way.
#[derive(Default)]
struct Figures {
    capture_rate: RateMeter,
    paint_rate: RateMeter,
    capture: Window,
    inference: Window,
    latency: Window,
    all_latency: Histogram,
    all_style_changes: Histogram,
    frames: u64,
    first_painted: Option<Instant>,
    last_painted: Option<Instant>,
    style_change: Option<Duration>,
}

impl Shared {
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            captured: LatestSlot::new(),
            shown: LatestSlot::new(),
            paused: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            virtual_camera: AtomicU64::new(0),
            status: Mutex::default(),
            events: Mutex::default(),
            figures: Mutex::default(),
            wake: Box::new(wake),
            started: Instant::now(),
        }
    }

    pub(super) fn wake(&self) {
        (self.wake)();
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(super) fn tell(&self, event: LiveEvent) {
        let mut events = lock(&self.events);
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
        drop(events);
        self.wake();
    }

    pub(super) fn drain_events(&self) -> Vec<LiveEvent> {
        lock(&self.events).drain(..).collect()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut LiveStatus)) {
        change(&mut lock(&self.status));
        self.wake();
    }

    /// The number of the source that counts.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Makes way for another source, and returns its number.
    pub(super) fn next_generation(&self) -> u64 {
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        self.update(|status| status.source = SourceState::Opening);
        lock(&self.figures).capture_rate = RateMeter::default();
        generation
    }

    /// Makes way for another virtual camera, or none, and returns its number.
    pub(super) fn next_virtual_camera(&self) -> u64 {
        let mut status = lock(&self.status);
        status.virtual_camera = None;
        let number = self.virtual_camera.fetch_add(1, Ordering::AcqRel) + 1;
        drop(status);
        self.wake();
        number
    }

    /// Notes where a virtual camera shows, unless another one has taken its place.
    pub(super) fn set_virtual_camera(&self, number: u64, path: Option<PathBuf>) {
        self.update(|status| {
            if number == self.virtual_camera.load(Ordering::Acquire) {
                status.virtual_camera = path;
            }
        });
    }

    /// Notes what a source does, and tells it, unless another source has taken its place.
    pub(super) fn set_source(&self, generation: u64, state: SourceState) {
        if generation != self.generation() {
            return;
        }
        let mut status = lock(&self.status);
        let event = match (&status.source, &state) {
            (SourceState::Lost { .. }, SourceState::Running { name, .. }) => {
                Some(LiveEvent::SourceBack { name: name.clone() })
            }
            (SourceState::Opening, SourceState::Running { name, .. }) => {
                Some(LiveEvent::SourceStarted { name: name.clone() })
            }
            (SourceState::Lost { reason: before, .. }, SourceState::Lost { reason, .. })
                if before == reason =>
            {
                None
            }
            (_, SourceState::Lost { reason, .. }) => Some(LiveEvent::SourceLost { reason: reason.clone() }),
            _ => None,
        };
        status.source = state;
        drop(status);
        match event {
            Some(event) => self.tell(event),
            None => self.wake(),
        }
    }

    /// Hands a frame to the engine.
    pub(super) fn put_captured(&self, captured: Captured, took: Duration) {
        let mut figures = lock(&self.figures);
        figures.capture_rate.tick(captured.at);
        figures.capture.record(took);
        drop(figures);
        self.captured.put(captured);
    }

    /// Notes that a frame is painted, and returns how many were before it.
    pub(super) fn note_painted(&self, captured_at: Instant, inference: Duration) -> u64 {
        let now = Instant::now();
        let latency = now.duration_since(captured_at);
        let mut figures = lock(&self.figures);
        figures.paint_rate.tick(now);
        figures.inference.record(inference);
        figures.latency.record(latency);
        figures.all_latency.record(latency);
        figures.first_painted.get_or_insert(now);
        figures.last_painted = Some(now);
        figures.frames += 1;
        figures.frames - 1
    }

    pub(super) fn note_style_change(&self, took: Duration) {
        let mut figures = lock(&self.figures);
        figures.style_change = Some(took);
        figures.all_style_changes.record(took);
    }

    /// Forgets how long painting took, since it will take another time from now on.
    pub(super) fn forget_inference(&self) {
        lock(&self.figures).inference.clear();
    }

    pub(super) fn status(&self) -> LiveStatus {
        let mut status = lock(&self.status).clone();
        let now = Instant::now();
        let mut figures = lock(&self.figures);
        let statistics = &mut status.statistics;
        statistics.capture_fps = figures.capture_rate.fps(now);
        statistics.fps = figures.paint_rate.fps(now);
        statistics.capture_ms = figures.capture.percentiles().p50;
        statistics.inference_ms = figures.inference.percentiles().p50;
        statistics.latency_ms = figures.latency.percentiles();
        statistics.dropped = self.captured.dropped();
        statistics.frames = figures.frames;
        statistics.first_frame_ms = figures.first_painted.map(|first| milliseconds(first - self.started));
        statistics.style_change_ms = figures.style_change.map(milliseconds);
        status
    }

    pub(super) fn summary(&self) -> LiveSummary {
        let status = self.status();
        let figures = lock(&self.figures);
        let duration = match (figures.first_painted, figures.last_painted) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        };
        let intervals = figures.frames.saturating_sub(1) as f64;
        LiveSummary {
            duration,
            frames: figures.frames,
            fps: if duration.is_zero() { 0.0 } else { intervals / duration.as_secs_f64() },
            latency_ms: figures.all_latency.percentiles(),
            style_change_ms: figures.all_style_changes.percentiles(),
            style_change_max_ms: figures.all_style_changes.max_ms(),
            style_changes: figures.all_style_changes.total(),
            first_frame_ms: status.statistics.first_frame_ms,
            dropped: status.statistics.dropped,
            status,
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is sound after every single change, so a poisoned one can still be read.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
