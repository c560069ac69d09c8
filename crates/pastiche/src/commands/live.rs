//! `pastiche live`: a camera, a video in a loop or a photograph, restyled as it comes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Args;
use pastiche_media::{CameraChoice, CameraOptions, IMAGE_ENDINGS, MicrophoneChoice};
use pastiche_pipeline::live::{
    EngineOptions, LiveCommand, LiveEvent, LiveOptions, LiveSession, LiveSource, LiveSummary, ProcessSize,
    RecordingOptions, SourceState,
};
use serde::Serialize;

use crate::{
    args::{
        ControlArgs, DeviceArgs, OverwriteArgs, PictureSize, ProcessSizeArgs, ProgressMode, SmoothingArgs,
        find_style, refuse_existing, refuse_input,
    },
    bench_figures::rounded,
    failure::{Outcome, wrong_usage},
    interrupt::Interrupt,
    report::print_json,
    terminal::tell,
    window::{self, Given, RendererChoice, WindowOptions},
};

/// Without `--style`.
const DEFAULT_STYLE: &str = "starry_night";
/// How often a session without a window looks at itself.
const POLL: Duration = Duration::from_millis(10);
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);
/// How long the session may take to end; closing a recording is the longest part.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);
/// Sizes that `--cycle-sizes` goes round.
const CYCLED_SIZES: [ProcessSize; 3] =
    [ProcessSize::Fixed(320, 240), ProcessSize::Source, ProcessSize::Fixed(480, 360)];

/// Restyle a camera, a video in a loop or a photograph as it comes.
#[derive(Args)]
pub(crate) struct LiveArgs {
    /// A video, played in a loop, or a photograph; what was shown the last time, or the camera, unless given.
    file: Option<PathBuf>,

    /// The camera: its number or a part of its name (see `pastiche devices`); the first unless given.
    #[arg(long, value_name = "N|NAME", conflicts_with = "file")]
    camera: Option<CameraChoice>,

    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file; the last one used, or
    /// starry_night, unless given.
    #[arg(short, long, value_name = "NAME|FILE")]
    style: Option<String>,

    /// Which network to take where a style comes with several (see `pastiche styles`).
    #[arg(long, value_name = "ARCH")]
    architecture: Option<String>,

    #[command(flatten)]
    controls: ControlArgs,

    #[command(flatten)]
    smoothing: SmoothingArgs,

    /// The picture's width and height; the source's unless given.
    #[arg(long, value_name = "WxH")]
    size: Option<PictureSize>,

    #[command(flatten)]
    process_size: ProcessSizeArgs,

    /// Show the source as in a mirror.
    #[arg(long)]
    mirror: bool,

    /// Record this microphone's sound too: its name, a part of it, or its id (see `pastiche devices`); the system's own unless
    /// given. Recordings are silent otherwise.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "system")]
    microphone: Option<MicrophoneChoice>,

    #[command(flatten)]
    device: DeviceArgs,

    /// What draws the window; the one that works unless given.
    #[arg(long, value_name = "NAME", value_enum, conflicts_with = "headless")]
    renderer: Option<RendererChoice>,

    /// Run without a window, and print what was measured as JSON.
    #[arg(long)]
    headless: bool,

    #[command(flatten)]
    without_window: HeadlessArgs,
}

/// What makes sense without a window only.
#[derive(Args)]
struct HeadlessArgs {
    /// Stop after this many seconds; at Ctrl-C unless given.
    #[arg(long, value_name = "N", requires = "headless", value_parser = parse_seconds)]
    seconds: Option<Duration>,

    /// Record what is painted to this file.
    #[arg(long, value_name = "OUT.mp4", requires = "headless")]
    record: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// Show what is painted as a camera to other programs: the device (such as /dev/video9) of v4l2loopback.
    #[arg(long, value_name = "DEVICE", requires = "headless")]
    virtual_camera: Option<PathBuf>,

    /// How progress is told.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::None, requires = "headless")]
    progress: ProgressMode,

    /// For endurance tests: take another bundled style every N milliseconds.
    #[arg(long, value_name = "N", requires = "headless", hide = true)]
    cycle_styles: Option<u64>,

    /// For endurance tests: let the network work at another size every N milliseconds.
    #[arg(long, value_name = "N", requires = "headless", hide = true)]
    cycle_sizes: Option<u64>,
}

/// What was measured.
#[derive(Serialize)]
struct Measurement {
    /// Since the command began.
    seconds: f64,
    frames: u64,
    fps: f64,
    latency_ms: Latency,
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

impl LiveArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let begun = Instant::now();
        if !self.headless {
            window::open(WindowOptions { renderer: self.renderer, given: self.given()? })?;
            return Ok(Outcome::Done);
        }
        let options = self.options()?;
        let record = self.without_window.record.as_deref();
        if self.microphone.is_some() && record.is_none() {
            return Err(wrong_usage("without a window --microphone needs --record; say where to record to"));
        }
        if let Some(output) = record {
            refuse_existing(output, self.without_window.overwrite.overwrite)?;
            self.file.iter().try_for_each(|input| refuse_input(input, output))?;
        }
        let interrupt = Interrupt::watch("ending the session")?;
        let session = LiveSession::start(options, || {})?;
        if let Some(path) = record {
            let microphone = self.microphone.clone();
            let options = RecordingOptions { microphone, ..RecordingOptions::new(path) };
            session.send(LiveCommand::StartRecording(options));
        }
        if let Some(device) = &self.without_window.virtual_camera {
            session.send(LiveCommand::StartVirtualCamera(Some(device.clone())));
        }
        let mut watch = Watch::new(begun, &self.without_window)?;
        if let Some((styles, _)) = &watch.styles {
            session.send(LiveCommand::PrepareStyles(styles.clone()));
        }
        let end = self.without_window.seconds.map(|seconds| begun + seconds);
        while !interrupt.cancel().is_cancelled() && end.is_none_or(|end| Instant::now() < end) {
            watch.look_at(&session)?;
            std::thread::sleep(POLL);
        }
        watch.conclude(session)?;
        Ok(if interrupt.cancel().is_cancelled() { Outcome::Interrupted } else { Outcome::Done })
    }

    /// What a session without a window starts with.
    fn options(&self) -> Result<LiveOptions> {
        let source = self.source()?.map_or_else(|| self.camera_source(CameraChoice::First), Ok)?;
        let style = self.style.as_deref().unwrap_or(DEFAULT_STYLE);
        Ok(LiveOptions {
            style: Some(find_style(style, self.architecture.as_deref())?),
            engine: EngineOptions {
                device: self.device.choice(),
                threads: self.device.threads(),
                precision: self.device.precision,
            },
            controls: self.controls.controls(Some(&self.smoothing)),
            process_size: self.fixed_process_size()?.unwrap_or_default(),
            size: self.picture_size()?,
            mirror: self.mirror,
            ..LiveOptions::new(source)
        })
    }

    /// What the window is told; it remembers the rest.
    fn given(&self) -> Result<Given> {
        let style = self.style.as_deref().map(|style| find_style(style, self.architecture.as_deref()));
        Ok(Given {
            source: self.source()?,
            style: style.transpose()?,
            strength: self.controls.strength,
            keep_colors: self.controls.keep_colors,
            smoothing: self.smoothing.smoothing,
            process_size: self.fixed_process_size()?,
            size: self.picture_size()?,
            mirror: self.mirror,
            microphone: self.microphone.clone(),
            device: self.device.device,
            threads: self.device.threads(),
            precision: self.device.precision,
        })
    }

    /// The source that was asked for.
    fn source(&self) -> Result<Option<LiveSource>> {
        match (&self.file, &self.camera) {
            (Some(file), _) => Ok(Some(file_source(file))),
            (None, Some(camera)) => self.camera_source(camera.clone()).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn camera_source(&self, camera: CameraChoice) -> Result<LiveSource> {
        Ok(LiveSource::Camera(CameraOptions { camera, size: self.picture_size()?, frame_rate: None }))
    }

    fn picture_size(&self) -> Result<Option<(u32, u32)>> {
        self.size.map(PictureSize::sides).transpose()
    }

    fn fixed_process_size(&self) -> Result<Option<ProcessSize>> {
        let size = self.process_size.process_size()?;
        Ok(size.map(|(width, height)| ProcessSize::Fixed(width, height)))
    }
}

/// A photograph by its name's ending; all else is tried as a video.
fn file_source(path: &Path) -> LiveSource {
    let extension = path.extension().unwrap_or_default();
    let still = IMAGE_ENDINGS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    if still { LiveSource::Still(path.to_owned()) } else { LiveSource::Video(path.to_owned()) }
}

/// Looks at a session that nobody sees.
struct Watch {
    begun: Instant,
    progress: ProgressMode,
    next_progress: Instant,
    /// The styles to go round, the period, and when the next one is due.
    styles: Option<(Vec<PathBuf>, Cycle)>,
    sizes: Option<Cycle>,
    recorded: Option<Recorded>,
    source: SourceState,
    failed: Option<String>,
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
    fn new(begun: Instant, args: &HeadlessArgs) -> Result<Self> {
        let styles = match args.cycle_styles {
            None => None,
            Some(period_ms) => {
                let paths = ["great_wave", "starry_night"].map(|name| find_style(name, None));
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
        })
    }

    fn look_at(&mut self, session: &LiveSession) -> Result<()> {
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
    fn conclude(mut self, session: LiveSession) -> Result<()> {
        let seconds = self.seconds();
        let (summary, events) = session.shutdown_with_events(SHUTDOWN_LIMIT)?;
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
        match self.failed {
            Some(why) => bail!("not all that was asked for could be done: {why}"),
            None => Ok(()),
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

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a number of seconds; give one such as 10".to_owned())
}
