//! Opening the window with the session behind it.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use eframe::{NativeOptions, Renderer};
use egui::ViewportBuilder;
use pastiche_inference::{DeviceChoice, Precision, StyleEntry, StyleLibrary};
use pastiche_media::{CameraChoice, CameraInfo, MicrophoneChoice, list_cameras};
use pastiche_pipeline::live::{EngineOptions, LiveOptions, LiveSession, LiveSource, ProcessSize};

use super::{
    app::{App, Parts, TITLE},
    export::ExportThread,
    icons,
    services::{ServiceThread, Session},
    settings::{Settings, SourceChoice},
    settings_file, text, theme,
};
use crate::terminal::tell;

/// What draws the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RendererChoice {
    /// Vulkan, Metal or Direct3D.
    Wgpu,
    /// OpenGL.
    Glow,
}

/// What the command line says about the window.
pub(crate) struct WindowOptions {
    /// The one that works where nothing is said.
    pub(crate) renderer: Option<RendererChoice>,
    /// What to show, and how; as it was the last time where nothing is said.
    pub(crate) given: Given,
}

impl WindowOptions {
    /// Everything as it was the last time.
    pub(crate) fn new(renderer: Option<RendererChoice>) -> Self {
        Self { renderer, given: Given::default() }
    }
}

/// What was said on the command line; the rest is remembered.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) source: Option<LiveSource>,
    /// The style's file.
    pub(crate) style: Option<PathBuf>,
    pub(crate) strength: Option<f32>,
    pub(crate) keep_colors: bool,
    pub(crate) smoothing: Option<f32>,
    pub(crate) process_size: Option<ProcessSize>,
    /// The picture's width and height.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) mirror: bool,
    pub(crate) microphone: Option<MicrophoneChoice>,
    pub(crate) device: Option<DeviceChoice>,
    pub(crate) threads: Option<usize>,
    pub(crate) precision: Precision,
}

/// Ctrl-C, or whatever asks from outside.
#[derive(Clone, Default)]
struct Interrupt {
    is_asked: Arc<AtomicBool>,
    /// The window to wake, once there is one: it may have nothing to paint.
    window: Arc<Mutex<Option<egui::Context>>>,
}

impl Interrupt {
    fn ask(&self) {
        self.is_asked.store(true, Ordering::Release);
        if let Some(context) = &*self.window.lock().unwrap_or_else(PoisonError::into_inner) {
            context.request_repaint();
        }
    }

    fn wakes(&self, context: &egui::Context) {
        *self.window.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.clone());
    }
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// Nothing here can draw a window, or the system gives no threads.
pub(crate) fn open(options: WindowOptions) -> Result<()> {
    let quit = Interrupt::default();
    let handler = quit.clone();
    ctrlc::set_handler(move || handler.ask()).context("cannot watch for Ctrl-C")?;
    let (first, second) = match options.renderer {
        Some(RendererChoice::Wgpu) => (Renderer::Wgpu, None),
        Some(RendererChoice::Glow) => (Renderer::Glow, None),
        None => (Renderer::Wgpu, Some(Renderer::Glow)),
    };
    match run(&options, first, &quit) {
        Err(error) if second.is_some() && is_about_drawing(&error) => {
            tell(format_args!("{}", text::renderer_fallback("wgpu", &error.to_string(), "glow")));
            run(&options, Renderer::Glow, &quit).map_err(told)
        }
        result => result.map_err(told),
    }
}

fn is_about_drawing(error: &eframe::Error) -> bool {
    matches!(error, eframe::Error::Wgpu(_))
}

fn told(error: eframe::Error) -> anyhow::Error {
    let has_display =
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let reason = if cfg!(target_os = "linux") && !has_display() {
        "there is no display: neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned()
    } else {
        error.to_string()
    };
    anyhow!(
        "the window cannot be opened ({reason}); without one, `pastiche video` and `pastiche live --headless` work"
    )
}

fn run(options: &WindowOptions, renderer: Renderer, quit: &Interrupt) -> Result<(), eframe::Error> {
    let native = NativeOptions {
        renderer,
        viewport: ViewportBuilder::default()
            .with_title(TITLE)
            .with_app_id("pastiche")
            .with_icon(icons::window_icon())
            .with_inner_size(theme::WINDOW_SIZE)
            .with_min_inner_size(theme::WINDOW_MIN_SIZE)
            .with_clamp_size_to_monitor_size(true)
            .with_drag_and_drop(true),
        ..NativeOptions::default()
    };
    let quit = quit.clone();
    eframe::run_native(
        TITLE,
        native,
        Box::new(move |creation| {
            let renderer = if creation.gl.is_some() { "glow" } else { "wgpu" };
            let app = build(&creation.egui_ctx, options, renderer, quit)?;
            Ok(Box::new(app))
        }),
    )
}

/// Joins the window to what works behind it.
fn build(
    context: &egui::Context,
    options: &WindowOptions,
    renderer: &'static str,
    quit: Interrupt,
) -> Result<App, Box<dyn std::error::Error + Send + Sync>> {
    quit.wakes(context);
    let wake = {
        let context = context.clone();
        move || context.request_repaint()
    };
    let demo = demo_clip();
    let mut settings = settings_file::load();
    let cameras = list_cameras().unwrap_or_else(|error| {
        log::info!("{error}");
        Vec::new()
    });
    let mut extra_styles = Vec::new();
    let given = &options.given;
    apply_given(&mut settings, given, &cameras);
    let library = StyleLibrary::discover(settings.device_choice());
    if let Some(path) = &given.style {
        let known = library.styles().iter().find(|style| style.path == *path);
        let style = known.cloned().map_or_else(|| StyleEntry::read(path), Ok)?;
        settings.style = Some(style.name.clone());
        if known.is_none() {
            extra_styles.push(style);
        }
    }
    let started = Instant::now();
    let parts = Parts {
        settings,
        styles: library.styles().to_vec(),
        extra_styles,
        cameras,
        services: Box::new(ServiceThread::start(demo.clone(), wake.clone())?),
        exporter: Box::new(ExportThread::start(wake.clone())?),
        demo,
        default_folder: default_folder(),
        engine_defaults: EngineOptions {
            threads: given.threads,
            precision: given.precision,
            ..EngineOptions::default()
        },
        size: given.size,
        renderer,
        clock: Box::new(move || started.elapsed()),
        asked_to_quit: Box::new(move || quit.is_asked.load(Ordering::Acquire)),
    };
    let start = |live: LiveOptions| -> Result<Box<dyn Session>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(LiveSession::start(live, wake)?))
    };
    App::new(context, parts, start)
}

/// The command line goes before what was remembered.
fn apply_given(settings: &mut Settings, given: &Given, cameras: &[CameraInfo]) {
    if let Some(source) = &given.source {
        settings.source = match source {
            LiveSource::Video(path) => SourceChoice::Video(absolute(path)),
            LiveSource::Still(path) => SourceChoice::Still(absolute(path)),
            LiveSource::Camera(options) => camera_choice(&options.camera, cameras),
        };
    }
    settings.strength = given.strength.unwrap_or(settings.strength);
    settings.keep_colors |= given.keep_colors;
    settings.smoothing = given.smoothing.unwrap_or(settings.smoothing);
    settings.resolution = given.process_size.map_or(settings.resolution, Into::into);
    settings.mirror |= given.mirror;
    if let Some(microphone) = &given.microphone {
        settings.microphone = microphone.clone().into();
    }
    if let Some(device) = given.device {
        settings.device = device.to_string();
    }
}

/// The camera that is meant; one that is not there is waited for.
fn camera_choice(choice: &CameraChoice, cameras: &[CameraInfo]) -> SourceChoice {
    match (choice.find(cameras), choice) {
        (Some(camera), _) => camera.into(),
        (None, CameraChoice::Id(id)) => SourceChoice::Camera { name: String::new(), id: Some(*id) },
        (None, CameraChoice::Name(name)) => SourceChoice::Camera { name: name.clone(), id: None },
        (None, CameraChoice::Known { id, name }) => {
            SourceChoice::Camera { name: name.clone(), id: Some(*id) }
        }
        (None, CameraChoice::First) => SourceChoice::Any,
    }
}

/// What is remembered must hold wherever the program is started the next time.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The clip that comes with the program: beside it, in its installation's `share` folder, or above it in a source tree.
fn demo_clip() -> Option<PathBuf> {
    let program = env::current_exe().ok()?.canonicalize().ok()?;
    let folder = program.parent()?;
    let places = ["assets/harbour.mp4", "../share/pastiche/assets/harbour.mp4", "../../assets/harbour.mp4"];
    places.into_iter().find_map(|place| folder.join(place).canonicalize().ok())
}

/// Where recordings go unless the user says otherwise.
fn default_folder() -> PathBuf {
    let videos = directories::UserDirs::new()
        .map(|dirs| dirs.video_dir().unwrap_or_else(|| dirs.home_dir()).to_owned());
    videos.or_else(|| env::current_dir().ok()).unwrap_or_default().join(TITLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::settings::Resolution;

    #[test]
    fn what_is_not_said_is_as_it_was() {
        let remembered = Settings {
            source: SourceChoice::Still("/photo.png".into()),
            strength: 0.3,
            smoothing: 0.4,
            keep_colors: true,
            mirror: true,
            resolution: Resolution::Fixed(320, 240),
            device: "cpu".to_owned(),
            ..Settings::default()
        };
        let mut settings = remembered.clone();
        apply_given(&mut settings, &Given::default(), &[]);
        assert_eq!(settings, remembered);

        let given = Given { strength: Some(1.0), device: Some(DeviceChoice::Auto), ..Given::default() };
        apply_given(&mut settings, &given, &[]);
        assert_eq!(settings, Settings { strength: 1.0, device: "auto".to_owned(), ..remembered });
    }

    #[test]
    fn a_camera_is_remembered_by_what_finds_it_again() {
        let cameras = [0, 2].map(|id| CameraInfo { id, name: "Twin".to_owned() });
        let chosen = |text: &str| camera_choice(&text.parse().unwrap_or_default(), &cameras);
        let camera = |name: &str, id| SourceChoice::Camera { name: name.to_owned(), id };
        assert_eq!(chosen("2"), camera("Twin", Some(2)));
        assert_eq!(chosen("twin"), camera("Twin", Some(0)));
        assert_eq!((chosen("Other"), chosen("7")), (camera("Other", None), camera("", Some(7))));
    }
}
