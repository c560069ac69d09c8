//! Opening the window with the session behind it.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use eframe::{NativeOptions, Renderer};
use egui::ViewportBuilder;
use pastiche_inference::{StyleEntry, StyleLibrary};
use pastiche_media::{CameraChoice, CameraInfo, list_cameras};
use pastiche_pipeline::live::{EngineOptions, LiveOptions, LiveSession, LiveSource};

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
    pub(crate) live: Option<LiveOptions>,
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// Nothing here can draw a window, or the system gives no threads.
pub(crate) fn open(options: WindowOptions) -> Result<()> {
    let quit = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&quit);
    ctrlc::set_handler(move || asked.store(true, Ordering::Release)).context("cannot watch for Ctrl-C")?;
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
    anyhow!(
        "the window cannot be opened ({error}); without one, `pastiche video` and `pastiche live --headless` work"
    )
}

fn run(options: &WindowOptions, renderer: Renderer, quit: &Arc<AtomicBool>) -> Result<(), eframe::Error> {
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
    let quit = Arc::clone(quit);
    eframe::run_native(
        TITLE,
        native,
        Box::new(move |creation| {
            let app = build(&creation.egui_ctx, options, quit)?;
            Ok(Box::new(app))
        }),
    )
}

/// Joins the window to what works behind it.
fn build(
    context: &egui::Context,
    options: &WindowOptions,
    quit: Arc<AtomicBool>,
) -> Result<App, Box<dyn std::error::Error + Send + Sync>> {
    let wake = {
        let context = context.clone();
        move || context.request_repaint()
    };
    let demo = demo_clip();
    let library = StyleLibrary::discover();
    let mut settings = settings_file::load();
    let cameras = list_cameras().unwrap_or_else(|error| {
        log::info!("{error}");
        Vec::new()
    });
    let mut extra_styles = Vec::new();
    if let Some(live) = &options.live {
        apply_live(&mut settings, live, &cameras);
        if let Some(path) = &live.style {
            let known = library.styles().iter().find(|style| style.path == *path);
            let style = known.cloned().map_or_else(|| StyleEntry::read(path), Ok)?;
            settings.style = Some(style.name.clone());
            if known.is_none() {
                extra_styles.push(style);
            }
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
        engine_defaults: options.live.as_ref().map_or_else(EngineOptions::default, |live| live.engine),
        size: options.live.as_ref().and_then(|live| live.size),
        clock: Box::new(move || started.elapsed()),
        asked_to_quit: Box::new(move || quit.load(Ordering::Acquire)),
    };
    let start = |live: LiveOptions| -> Result<Box<dyn Session>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(LiveSession::start(live, wake)?))
    };
    App::new(context, parts, start)
}

/// The command line goes before what was remembered.
fn apply_live(settings: &mut Settings, live: &LiveOptions, cameras: &[CameraInfo]) {
    settings.source = match &live.source {
        LiveSource::Video(path) => SourceChoice::Video(absolute(path)),
        LiveSource::Still(path) => SourceChoice::Still(absolute(path)),
        LiveSource::Camera(options) => match &options.camera {
            CameraChoice::First => SourceChoice::Any,
            choice => SourceChoice::Camera(
                choice.find(cameras).map_or_else(|| choice.to_string(), |camera| camera.name.clone()),
            ),
        },
    };
    settings.strength = live.controls.strength;
    settings.keep_colors = live.controls.keep_colors;
    settings.smoothing = live.controls.smoothing;
    settings.resolution = live.process_size.into();
    settings.mirror = live.mirror;
    settings.device = live.engine.device.to_string();
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
