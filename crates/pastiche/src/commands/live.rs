//! `pastiche live`: a camera, a video in a loop or a photograph, restyled as it comes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use pastiche_media::{CameraChoice, CameraOptions, MicrophoneChoice, is_read_image};
use pastiche_pipeline::live::{
    EngineOptions, LiveCommand, LiveOptions, LiveSession, LiveSource, ProcessSize, RecordingOptions,
};

use super::live_watch::Watch;
use crate::{
    args::{
        ControlArgs, DEFAULT_STYLE, DeviceArgs, OverwriteArgs, PictureSize, ProcessSizeArgs, ProgressMode,
        SmoothingArgs, find_style, refuse_existing, refuse_input,
    },
    failure::{Outcome, wrong_usage},
    interrupt::Interrupt,
    window::{self, Given, RendererChoice, WindowOptions},
};

/// How often a session without a window looks at itself.
const POLL: Duration = Duration::from_millis(10);

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

    /// Which network to take where a style comes with several (see `pastiche styles`); the one that suits the device unless
    /// given.
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
pub(super) struct HeadlessArgs {
    /// Stop after this many seconds; at Ctrl-C unless given.
    #[arg(long, value_name = "N", requires = "headless", value_parser = parse_seconds)]
    seconds: Option<Duration>,

    /// Record what is painted to this file.
    #[arg(long, value_name = "OUT.mp4", requires = "headless")]
    pub(super) record: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// Show what is painted as a camera to other programs: the device (such as /dev/video9) of v4l2loopback.
    #[arg(long, value_name = "DEVICE", requires = "headless")]
    pub(super) virtual_camera: Option<PathBuf>,

    /// How progress is told.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::None, requires = "headless")]
    pub(super) progress: ProgressMode,

    /// For endurance tests: take another bundled style every N milliseconds.
    #[arg(long, value_name = "N", requires = "headless", hide = true)]
    pub(super) cycle_styles: Option<u64>,

    /// For endurance tests: let the network work at another size every N milliseconds.
    #[arg(long, value_name = "N", requires = "headless", hide = true)]
    pub(super) cycle_sizes: Option<u64>,
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
        let mut watch = Watch::new(begun, &self.without_window, self.device.choice())?;
        if let Some(styles) = watch.styles() {
            session.send(LiveCommand::PrepareStyles(styles));
        }
        // A time that no clock reaches is no end.
        let end = self.without_window.seconds.and_then(|seconds| begun.checked_add(seconds));
        let mut watched = Ok(());
        while watched.is_ok()
            && !watch.is_in_vain()
            && !interrupt.cancel().is_cancelled()
            && end.is_none_or(|end| Instant::now() < end)
        {
            watched = watch.look_at(&session);
            std::thread::sleep(POLL);
        }
        // However it ends, a recording is closed.
        let concluded = watch.conclude(session);
        let outcome = watched.and(concluded)?;
        Ok(if interrupt.cancel().is_cancelled() { Outcome::Interrupted } else { outcome })
    }

    /// What a session without a window starts with.
    fn options(&self) -> Result<LiveOptions> {
        let source = self.source()?.map_or_else(|| self.camera_source(CameraChoice::First), Ok)?;
        let style = self.style.as_deref().unwrap_or(DEFAULT_STYLE);
        Ok(LiveOptions {
            style: Some(find_style(style, self.architecture.as_deref(), self.device.choice())?),
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
        let style = self
            .style
            .as_deref()
            .map(|style| find_style(style, self.architecture.as_deref(), self.device.choice()));
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
    if is_read_image(path) { LiveSource::Still(path.to_owned()) } else { LiveSource::Video(path.to_owned()) }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a number of seconds; give one such as 10".to_owned())
}
