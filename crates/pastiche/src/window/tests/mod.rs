//! The window with a session, services and an exporter that do what the test says; egui's clock moves by steps.

mod closing;
mod controls;
mod exports;
mod files;
mod keyboard;
mod screens;

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use egui::{Pos2, Rect, accesskit::Role, vec2};
use egui_kittest::{Harness, Node, kittest::Queryable};
use pastiche_frame::{Frame, PixelFormat};
use pastiche_inference::StyleEntry;
use pastiche_media::{CameraInfo, MediaInfo, VideoInfo};
use pastiche_pipeline::live::{
    EngineOptions, EngineStatus, LiveCommand, LiveEvent, LiveOptions, LiveStatistics, LiveStatus,
    Percentiles, Shown, SourceState,
};

use super::{
    app::{App, Parts},
    export::{ExportEvent, ExportRequest, Exporter, JobId},
    services::{Reply, Request, Services, Session},
    settings::Settings,
    state::{DeviceView, UpscalerView},
};

/// What the window has asked for, and what it will be told.
#[derive(Default)]
pub(super) struct World {
    pub(super) options: Option<LiveOptions>,
    pub(super) sent: Vec<LiveCommand>,
    /// The styles to get ready that were told last.
    pub(super) prepared: Vec<PathBuf>,
    pub(super) status: LiveStatus,
    pub(super) events: Vec<LiveEvent>,
    pub(super) shown: Option<Shown>,
    pub(super) is_shut_down: bool,
    pub(super) requests: Vec<Request>,
    pub(super) replies: Vec<Reply>,
    pub(super) saved: Vec<Settings>,
    pub(super) started: Vec<(JobId, ExportRequest)>,
    pub(super) export_events: Vec<ExportEvent>,
    pub(super) export_switches: Vec<&'static str>,
    pub(super) is_asked_to_quit: bool,
}

type Shared = Rc<RefCell<World>>;

struct Fake(Shared);

impl Session for Fake {
    fn send(&mut self, command: LiveCommand) {
        self.0.borrow_mut().sent.push(command);
    }

    fn prepare_styles(&mut self, paths: Vec<PathBuf>) {
        self.0.borrow_mut().prepared = paths;
    }

    fn take_shown(&mut self) -> Option<Shown> {
        self.0.borrow_mut().shown.take()
    }

    fn status(&self) -> LiveStatus {
        self.0.borrow().status.clone()
    }

    fn drain_events(&mut self) -> Vec<LiveEvent> {
        std::mem::take(&mut self.0.borrow_mut().events)
    }

    fn shutdown(self: Box<Self>, _limit: Duration) -> Result<(), String> {
        self.0.borrow_mut().is_shut_down = true;
        Ok(())
    }
}

impl Services for Fake {
    fn request(&mut self, request: Request) {
        self.0.borrow_mut().requests.push(request);
    }

    fn drain_replies(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.0.borrow_mut().replies)
    }

    fn new_file(&mut self, folder: &Path, stem: &str, extension: &str, taken: &[&Path]) -> PathBuf {
        let name = |number: usize| folder.join(format!("{stem} {number}.{extension}"));
        (1..).map(name).find(|path| !taken.contains(&path.as_path())).unwrap()
    }

    fn save_settings(&mut self, settings: &Settings) -> Result<(), String> {
        self.0.borrow_mut().saved.push(settings.clone());
        Ok(())
    }
}

impl Exporter for Fake {
    fn start(&mut self, id: JobId, request: ExportRequest) {
        self.0.borrow_mut().started.push((id, request));
    }

    fn set_paused(&mut self, paused: bool) {
        self.0.borrow_mut().export_switches.push(if paused { "pause" } else { "resume" });
    }

    fn cancel(&mut self) {
        self.0.borrow_mut().export_switches.push("cancel");
    }

    fn drain_events(&mut self) -> Vec<ExportEvent> {
        std::mem::take(&mut self.0.borrow_mut().export_events)
    }
}

/// The window under test.
pub(super) struct Window {
    pub(super) harness: Harness<'static, App>,
    pub(super) world: Shared,
}

/// How a window starts.
pub(super) struct Start {
    pub(super) settings: Settings,
    pub(super) has_camera: bool,
}

impl Default for Start {
    fn default() -> Self {
        Self { settings: Settings { welcomed: true, ..Settings::default() }, has_camera: true }
    }
}

impl Window {
    /// With the bundled styles, a camera, and a session that paints.
    pub(super) fn open() -> Self {
        Self::start(Start::default())
    }

    pub(super) fn start(start: Start) -> Self {
        let world = Shared::default();
        world.borrow_mut().status = running_status();
        world.borrow_mut().shown = Some(shown());
        let shared = Rc::clone(&world);
        let builder = Harness::builder().with_size(vec2(1024.0, 640.0)).with_max_steps(16);
        let mut harness = builder.build_eframe(move |creation| {
            let camera = CameraInfo { id: 0, name: "Front Camera".to_owned() };
            let fake = || Box::new(Fake(Rc::clone(&shared)));
            let asked = Rc::clone(&shared);
            let parts = Parts {
                settings: start.settings,
                styles: bundled_styles(),
                extra_styles: Vec::new(),
                cameras: if start.has_camera { vec![camera] } else { Vec::new() },
                demo: Some("/demo/harbour.mp4".into()),
                default_folder: "/videos".into(),
                engine_defaults: EngineOptions::default(),
                size: None,
                renderer: "glow",
                services: fake(),
                exporter: fake(),
                clock: Box::new(|| Duration::ZERO),
                asked_to_quit: Box::new(move || asked.borrow().is_asked_to_quit),
            };
            let session = fake();
            App::new(&creation.egui_ctx, parts, |options| {
                shared.borrow_mut().options = Some(options);
                Ok::<_, String>(session as Box<dyn Session>)
            })
            .unwrap()
        });
        world.borrow_mut().replies.push(Reply::Hardware {
            devices: vec![DeviceView { id: "cpu".into(), name: "Some Processor".into() }],
            encoders: vec!["libx264".into(), "mpeg4".into()],
            upscalers: vec![four_times()],
        });
        for style in bundled_styles() {
            let picture = gradient(160, 120, [90, 130, 200], [230, 200, 120]);
            world.borrow_mut().replies.push(Reply::Thumbnail { name: style.name, picture });
        }
        harness.run();
        Self { harness, world }
    }

    pub(super) fn app(&self) -> &App {
        self.harness.state()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.app().state.settings
    }

    /// Clicks the one widget of this role and name.
    pub(super) fn click(&mut self, role: Role, label: &str) {
        self.node(role, label).click();
        self.harness.run();
    }

    /// Clicks a button after which the window never rests, for something turns in it.
    pub(super) fn click_button_and_step(&mut self, label: &str) {
        self.node(Role::Button, label).click();
        self.harness.run_steps(3);
    }

    pub(super) fn click_button(&mut self, label: &str) {
        self.click(Role::Button, label);
    }

    pub(super) fn node<'a>(&'a self, role: Role, label: &'a str) -> Node<'a> {
        self.harness.get_by_role_and_label(role, label)
    }

    /// What was sent to the session since this was last asked.
    pub(super) fn sent(&self) -> Vec<LiveCommand> {
        std::mem::take(&mut self.world.borrow_mut().sent)
    }

    /// What was asked of the services since this was last asked.
    pub(super) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.world.borrow_mut().requests)
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        self.world.borrow_mut().replies.push(reply);
        self.harness.run();
    }

    /// Changes how the session stands.
    pub(super) fn set_status(&mut self, change: impl FnOnce(&mut LiveStatus)) {
        change(&mut self.world.borrow_mut().status);
        self.harness.run();
    }

    pub(super) fn press(&mut self, key: egui::Key) {
        self.harness.key_press(key);
        self.harness.run();
    }

    /// Drops files on the window.
    pub(super) fn drop_files(&mut self, paths: &[&str]) {
        let files = paths.iter().map(|path| Arc::new(Dropped(path.into())) as egui::DroppedFileHandle);
        let files: Vec<_> = files.collect();
        self.harness.input_mut().dropped_files = files;
        self.harness.step();
        self.harness.input_mut().dropped_files.clear();
        self.harness.run();
    }

    /// Drags from one point to another.
    pub(super) fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.drag_at(from);
        self.harness.step();
        self.harness.hover_at(to);
        self.harness.step();
        self.harness.drop_at(to);
        self.harness.run();
    }

    pub(super) fn rect(&self, role: Role, label: &str) -> Rect {
        self.node(role, label).rect()
    }

    /// A video of ten seconds on the export screen.
    pub(super) fn open_video(&mut self) {
        self.reply(Reply::Video { path: "/clips/boats.mp4".into(), info: Box::new(video_info()) });
    }
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not read in tests".to_owned())
    }
}

pub(super) fn bundled_styles() -> Vec<StyleEntry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    ["great_wave", "starry_night"]
        .map(|name| StyleEntry::read(&folder.join(format!("{name}.swift.safetensors"))).unwrap())
        .into()
}

/// The network that enlarges and comes with the program.
pub(super) fn four_times() -> UpscalerView {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/upscalers/x4.safetensors");
    UpscalerView { factor: 4, path }
}

pub(super) fn running_status() -> LiveStatus {
    LiveStatus {
        source: SourceState::Running { name: "Front Camera".into(), width: 640, height: 480 },
        style: Some("starry_night".into()),
        size: Some((640, 480)),
        process_size: Some((480, 360)),
        engine: Some(EngineStatus {
            device: "cpu".into(),
            device_name: "Some Processor".into(),
            precision: "f32",
            threads: 2,
            note: None,
        }),
        statistics: LiveStatistics {
            capture_fps: 30.0,
            fps: 28.0,
            capture_ms: 2.4,
            inference_ms: 33.0,
            latency_ms: Percentiles { p50: 41.0, p95: 58.0 },
            dropped: 3,
            ..LiveStatistics::default()
        },
        ..LiveStatus::default()
    }
}

/// A picture and its source that are easily told apart.
pub(super) fn shown() -> Shown {
    Shown {
        painted: gradient(640, 480, [24, 52, 110], [238, 190, 84]),
        source: Some(gradient(640, 480, [60, 60, 60], [220, 220, 220])),
        generation: 0,
        sequence: 1,
    }
}

/// From one colour at the top left to another at the bottom right.
fn gradient(width: u32, height: u32, from: [u8; 3], to: [u8; 3]) -> Frame {
    /// In steps, which make small files.
    const BAND: u32 = 40;
    let mut data = Vec::with_capacity((width * height * 3) as usize);
    for row in 0..height {
        for column in 0..width {
            let share = ((row / BAND + column / BAND) * BAND) as f32 / (width + height) as f32;
            data.extend(
                (0..3).map(|i| (f32::from(from[i]) * (1.0 - share) + f32::from(to[i]) * share) as u8),
            );
        }
    }
    Frame::from_data(width, height, PixelFormat::Rgb8, data)
}

pub(super) fn video_info() -> MediaInfo {
    MediaInfo {
        container: "mp4".into(),
        duration: Some(Duration::from_secs(10)),
        bytes: 1_000_000,
        video: Some(VideoInfo {
            codec: "h264".into(),
            width: 1280,
            height: 720,
            frame_rate: pastiche_frame::Rational::new(25, 1).ok(),
            time_base: pastiche_frame::Rational::MICROSECONDS,
            duration: Some(Duration::from_secs(10)),
            frame_count: Some(250),
            pixel_format: "yuv420p".into(),
            color_space: pastiche_frame::ColorSpace::default(),
            rotation: pastiche_frame::Rotation::None,
            mirrored: false,
        }),
        audio: vec![pastiche_media::AudioInfo {
            codec: "aac".into(),
            sample_rate_hz: 48_000,
            channels: 2,
            channel_layout: "stereo".into(),
        }],
    }
}
