//! Looking at a live session without a window: telling how it goes, and at the end what was measured.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use pastiche_inference::DeviceChoice;
use pastiche_pipeline::live::{LiveCommand, LiveEvent, LiveSession, LiveSummary, ProcessSize, SourceState};
use serde::Serialize;

use super::live::HeadlessArgs;
use crate::{
    args::{ProgressMode, find_style},
    bench_figures::rounded,
    failure::Outcome,
    report::print_json,
    terminal::tell,
};

const PROGRESS_PERIOD: Duration = Duration::from_secs(1);
/// How long the session may take to end; closing a recording is the longest part.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);
/// Silence in a recording that is more than a hitch.
const LEAST_LOSS_SECONDS: f64 = 1.0;
/// Sizes that `--cycle-sizes` goes round.
const CYCLED_SIZES: [ProcessSize; 3] =
    [ProcessSize::Fixed(320, 240), ProcessSize::Source, ProcessSize::Fixed(480, 360)];

/// What was measured.
#[derive(Serialize)]
struct Measurement {
    /// Since the command began.
    seconds: f64,
    frames: u64,
    fps: f64,
    latency_ms: Latency,
    /// To get a frame ready, median of the last seconds.
    capture_ms: f64,
    /// To paint a frame, median of the last seconds.
    inference_ms: f64,
    /// Since the command began.
    first_frame_ms: Option<f64>,
    /// Of changes of style.
    #[serde(skip_serializing_if = "Option::is_none")]
    style_change_ms: Option<StyleChanges>,
    dropped: u64,
    width: u32,
    height: u32,
    device: String,
    precision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<Recorded>,
}

#[derive(Serialize)]
struct StyleChanges {
    p50: f64,
    p95: f64,
    max: f64,
    count: u64,
}

#[derive(Serialize)]
struct Latency {
    p50: f64,
    p95: f64,
}

#[derive(Serialize, Clone)]
struct Recorded {
    path: String,
    frames: u64,
    dropped: u64,
    seconds: f64,
    /// Silence in the place of the microphone's sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    sound_lost_seconds: Option<f64>,
}

/// A line of `--progress json`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    /// Every second.
    Progress { seconds: f64, frames: u64, fps: f64, capture_fps: f64, latency_ms: Latency, dropped: u64 },
    /// When something happens to the source.
    Source { seconds: f64, state: &'static str, text: &'a str },
    /// At the end.
    Summary(&'a Measurement),
}

/// Looks at a session that nobody sees.
pub(super) struct Watch {
    begun: Instant,
    progress: ProgressMode,
    next_progress: Instant,
    /// The styles to go round, the period, and when the next one is due.
    styles: Option<(Vec<PathBuf>, Cycle)>,
    sizes: Option<Cycle>,
    recorded: Option<Recorded>,
    source: SourceState,
    failed: Option<String>,
    /// Whether a recording or a virtual camera is all that it is for.
    has_one_output: bool,
}

/// Something that is done again and again.
struct Cycle {
    period: Duration,
    next: Instant,
    count: usize,
}

impl Cycle {
    fn new(period_ms: u64, now: Instant) -> Self {
        let period = Duration::from_millis(period_ms.max(1));
        Self { period, next: now + period, count: 0 }
    }

    /// How often it was due before, where it is due.
    fn due(&mut self, now: Instant) -> Option<usize> {
        if now < self.next {
            return None;
        }
        self.next = now + self.period;
        self.count += 1;
        Some(self.count)
    }
}

impl Watch {
    pub(super) fn new(begun: Instant, args: &HeadlessArgs, device: DeviceChoice) -> Result<Self> {
        let styles = match args.cycle_styles {
            None => None,
            Some(period_ms) => {
                let paths = ["great_wave", "stained_glass", "starry_night"]
                    .map(|name| find_style(name, None, device));
                Some((paths.into_iter().collect::<Result<Vec<_>>>()?, Cycle::new(period_ms, begun)))
            }
        };
        Ok(Self {
            begun,
            progress: args.progress,
            next_progress: begun + PROGRESS_PERIOD,
            styles,
            sizes: args.cycle_sizes.map(|period_ms| Cycle::new(period_ms, begun)),
            recorded: None,
            source: SourceState::Opening,
            failed: None,
            has_one_output: args.record.is_some() != args.virtual_camera.is_some(),
        })
    }

    /// The styles that it will go round.
    pub(super) fn styles(&self) -> Option<Vec<PathBuf>> {
        self.styles.as_ref().map(|(styles, _)| styles.clone())
    }

    /// Whether the only thing that it is for has failed.
    pub(super) fn is_in_vain(&self) -> bool {
        self.has_one_output && self.failed.is_some()
    }

    pub(super) fn look_at(&mut self, session: &LiveSession) -> Result<()> {
        session.drain_events().into_iter().for_each(|event| self.hear(event));
        // Nobody looks at the pictures, but a viewer would take them.
        drop(session.take_shown());
        let now = Instant::now();
        if let Some((paths, cycle)) = &mut self.styles
            && let Some(count) = cycle.due(now)
        {
            session.send(LiveCommand::SetStyle(Some(paths[count % paths.len()].clone())));
        }
        if let Some(count) = self.sizes.as_mut().and_then(|cycle| cycle.due(now)) {
            session.send(LiveCommand::SetProcessSize(CYCLED_SIZES[count % CYCLED_SIZES.len()]));
        }
        self.follow(session)?;
        if let SourceState::Lost { reason, retrying: false } = session.status().source {
            bail!(reason);
        }
        Ok(())
    }

    /// Tells what changes.
    fn follow(&mut self, session: &LiveSession) -> Result<()> {
        let status = session.status();
        let (state, text) = match &status.source {
            SourceState::Opening => ("opening", ""),
            SourceState::Running { name, .. } => ("running", name.as_str()),
            SourceState::Lost { reason, .. } => ("lost", reason.as_str()),
        };
        let json = self.progress == ProgressMode::Json;
        if json && self.source != status.source {
            print_json(&Line::Source { seconds: self.seconds(), state, text })?;
        }
        self.source = status.source.clone();
        if Instant::now() < self.next_progress {
            return Ok(());
        }
        self.next_progress += PROGRESS_PERIOD;
        let figures = status.statistics;
        let latency_ms =
            Latency { p50: rounded(figures.latency_ms.p50), p95: rounded(figures.latency_ms.p95) };
        match self.progress {
            ProgressMode::None => {}
            ProgressMode::Auto => tell(format_args!(
                "{:.0} s: {} frames, {:.1} fps, latency {:.0} ms, {} dropped",
                self.seconds(),
                figures.frames,
                figures.fps,
                figures.latency_ms.p50,
                figures.dropped
            )),
            ProgressMode::Json => print_json(&Line::Progress {
                seconds: self.seconds(),
                frames: figures.frames,
                fps: rounded(figures.fps),
                capture_fps: rounded(figures.capture_fps),
                latency_ms,
                dropped: figures.dropped,
            })?,
        }
        Ok(())
    }

    fn hear(&mut self, event: LiveEvent) {
        match event {
            LiveEvent::Error(text) => {
                tell(format_args!("warning: {text}"));
                self.failed = Some(text);
            }
            LiveEvent::CardReplaced { reason } => tell(format_args!("warning: {reason}")),
            LiveEvent::StyleChanged { name, took } => {
                log::info!("style {} after {:.0} ms", name.unwrap_or_default(), took.as_secs_f64() * 1e3);
            }
            LiveEvent::SourceLost { reason } => tell(format_args!("no pictures: {reason}")),
            LiveEvent::SourceBack { name } => tell(format_args!("the pictures are back: {name}")),
            LiveEvent::SoundLost { reason } => tell(format_args!("recording without sound: {reason}")),
            LiveEvent::SoundBack { name } => tell(format_args!("the sound is back: {name}")),
            LiveEvent::RecordingSaved { path, frames, dropped, duration, sound_lost } => {
                tell(format_args!("recorded {frames} frames, {dropped} dropped: {}", path.display()));
                self.recorded = Some(Recorded {
                    path: path.to_string_lossy().into_owned(),
                    frames,
                    dropped,
                    seconds: rounded(duration.as_secs_f64()),
                    sound_lost_seconds: sound_lost.map(|lost| rounded(lost.as_secs_f64())),
                });
            }
            _ => {}
        }
    }

    /// Ends the session and prints what was measured.
    pub(super) fn conclude(mut self, session: LiveSession) -> Result<Outcome> {
        let seconds = self.seconds();
        let (summary, events) = session.shutdown_with_events(SHUTDOWN_LIMIT);
        events.into_iter().for_each(|event| self.hear(event));
        let measurement = self.measurement(seconds, &summary);
        if measurement.frames == 0 {
            let why = self.failed.unwrap_or_else(|| match summary.status.source {
                SourceState::Lost { reason, .. } => reason,
                _ => "the time was too short".to_owned(),
            });
            bail!("not one picture was painted: {why}");
        }
        if self.progress == ProgressMode::Json {
            print_json(&Line::Summary(&measurement))?;
        } else {
            print_json(&measurement)?;
        }
        if let Some(why) = self.failed {
            bail!("not all that was asked for could be done: {why}");
        }
        match self.recorded.and_then(|recorded| recorded.sound_lost_seconds) {
            Some(lost) if lost >= LEAST_LOSS_SECONDS => {
                tell(format_args!(
                    "the recording has {lost:.1} s of silence where the microphone gave no sound"
                ));
                Ok(Outcome::DoneInPart)
            }
            _ => Ok(Outcome::Done),
        }
    }

    fn measurement(&self, seconds: f64, summary: &LiveSummary) -> Measurement {
        let latency =
            |p: pastiche_pipeline::live::Percentiles| Latency { p50: rounded(p.p50), p95: rounded(p.p95) };
        let status = &summary.status;
        let (width, height) = status.size.unwrap_or_default();
        Measurement {
            seconds: rounded(seconds),
            frames: summary.frames,
            fps: rounded(summary.fps),
            latency_ms: latency(summary.latency_ms),
            capture_ms: rounded(status.statistics.capture_ms),
            inference_ms: rounded(status.statistics.inference_ms),
            first_frame_ms: summary.first_frame_ms.map(rounded),
            style_change_ms: (summary.style_changes > 0).then(|| {
                let Latency { p50, p95 } = latency(summary.style_change_ms);
                let (max, count) = (rounded(summary.style_change_max_ms), summary.style_changes);
                StyleChanges { p50, p95, max, count }
            }),
            dropped: summary.dropped,
            width,
            height,
            device: status.engine.as_ref().map_or_else(String::new, |engine| engine.device.clone()),
            precision: status.engine.as_ref().map_or_else(String::new, |engine| engine.precision.to_owned()),
            recording: self.recorded.clone(),
        }
    }

    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}
