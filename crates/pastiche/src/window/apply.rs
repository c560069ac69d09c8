//! Carrying out what is asked for.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use egui::{Context, ViewportCommand};
use pastiche_media::{CameraChoice, CameraInfo, CameraOptions};
use pastiche_pipeline::{
    VideoJobOptions,
    live::{EngineOptions, LiveCommand, LiveOptions, LiveSource, RecordingOptions, SourceState},
};

use super::{
    app::App,
    commands::{Action, AppCommand, ExportCommand},
    export::ExportRequest,
    services::{Pick, Request},
    settings::{SourceChoice, ThemeChoice},
    state::{Dialog, ExportDraft, Screen, StyleView},
};

/// A recording's name where there is no style to name it after.
const UNSTYLED: &str = "pastiche";
/// How often is looked for a camera that is waited for.
const LOOK_PERIOD_SECONDS: f64 = 2.0;

impl App {
    /// Does what a widget, a key or a file asks for.
    pub(super) fn apply(&mut self, context: &Context, command: AppCommand) {
        match command {
            AppCommand::Do(action) => self.act(context, action),
            AppCommand::ShowScreen(screen) => self.show_screen(screen),
            AppCommand::SetSource(source) => self.set_source(source),
            AppCommand::SetStyle(name) => self.set_style(&name),
            AppCommand::SearchStyles(words) => self.state.style_search = words,
            AppCommand::SetStrength(strength) => {
                self.state.settings.strength = strength;
                self.send_controls();
            }
            AppCommand::SetKeepColors(on) => {
                self.state.settings.keep_colors = on;
                self.send_controls();
            }
            AppCommand::SetSmoothing(smoothing) => {
                self.state.settings.smoothing = smoothing;
                self.send_controls();
            }
            AppCommand::SetProcessSize(size) => {
                self.state.settings.resolution = size.into();
                self.send(LiveCommand::SetProcessSize(size));
            }
            AppCommand::SetDevice(device) => {
                self.state.settings.device = device;
                self.send(LiveCommand::SetEngine(self.engine_options()));
                // Another network may suit it better.
                self.services.request(Request::ListStyles(self.state.settings.device_choice()));
            }
            AppCommand::SetMirror(on) => {
                self.state.settings.mirror = on;
                self.send(LiveCommand::SetMirror(on));
            }
            AppCommand::SetSplit(split) => self.state.settings.split = split,
            AppCommand::SetMicrophone(microphone) => self.state.settings.microphone = microphone,
            AppCommand::RefreshMicrophones => self.services.request(Request::ListMicrophones),
            AppCommand::RefreshCameras => self.services.request(Request::ListCameras),
            AppCommand::Drop(paths) => {
                for path in paths {
                    self.services.request(Request::Inspect(path));
                }
            }
            AppCommand::InstallStyle(path) => {
                self.state.dialog = None;
                self.services.request(Request::InstallStyle(path));
            }
            AppCommand::Reveal(path) => self.services.request(Request::Reveal(path)),
            AppCommand::Export(command) => self.export(command),
            AppCommand::CloseDialog => self.state.dialog = None,
            AppCommand::FinishAndQuit => self.finish_and_quit(),
            AppCommand::DismissNotice(id) => self.state.notices.retain(|notice| notice.id != id),
            AppCommand::DismissWelcome => self.dismiss_welcome(),
        }
    }

    fn act(&mut self, context: &Context, action: Action) {
        let settings = &mut self.state.settings;
        match action {
            Action::TogglePause => self.send(LiveCommand::SetPaused(!self.state.status.paused)),
            Action::PreviousStyle => self.step_style(-1),
            Action::NextStyle => self.step_style(1),
            Action::ToggleRecording => self.toggle_recording(),
            Action::TakeSnapshot => {
                let path = self.new_file("png");
                self.send(LiveCommand::Snapshot(path));
            }
            Action::ToggleVirtualCamera => self.send(match self.state.status.virtual_camera {
                None => LiveCommand::StartVirtualCamera(None),
                Some(_) => LiveCommand::StopVirtualCamera,
            }),
            Action::ToggleCompare => {
                settings.compare = !settings.compare;
                let compare = settings.compare;
                self.send(LiveCommand::SetCompare(compare));
            }
            Action::ToggleOverlay => settings.overlay = !settings.overlay,
            Action::ToggleFullscreen => self.set_fullscreen(!self.state.fullscreen),
            Action::ToggleTheme => {
                settings.theme = match settings.theme {
                    ThemeChoice::Dark => ThemeChoice::Light,
                    ThemeChoice::Light => ThemeChoice::Dark,
                };
            }
            Action::OpenFile => self.services.request(Request::Pick(Pick::File)),
            Action::AddStyle => self.services.request(Request::Pick(Pick::Style)),
            Action::ChooseFolder => self.services.request(Request::Pick(Pick::Folder)),
            Action::ShowShortcuts => self.state.dialog = Some(Dialog::Shortcuts),
            Action::Leave => self.leave(context),
            Action::Quit => self.viewport_commands.push(ViewportCommand::Close),
        }
    }

    /// Closes what lies on top: a list, a dialog, the full screen.
    fn leave(&mut self, context: &Context) {
        if egui::Popup::is_any_open(context) {
            egui::Popup::close_all(context);
        } else if self.state.dialog.is_some() {
            if self.state.dialog != Some(Dialog::Finishing) {
                self.state.dialog = None;
            }
        } else if self.state.fullscreen {
            self.set_fullscreen(false);
        }
    }

    fn set_fullscreen(&mut self, on: bool) {
        self.state.fullscreen = on;
        self.viewport_commands.push(ViewportCommand::Fullscreen(on));
    }

    fn show_screen(&mut self, screen: Screen) {
        self.state.screen = screen;
        // The clip that is shown is the one to export, unless another was chosen before.
        let shown = self.state.shown_video().cloned();
        if let (Screen::Export, None, Some(path)) = (screen, &self.state.draft, shown) {
            self.services.request(Request::Inspect(path));
        }
    }

    pub(super) fn send(&mut self, command: LiveCommand) {
        if let Some(session) = &mut self.session {
            session.send(command);
        }
    }

    fn send_controls(&mut self) {
        self.send(LiveCommand::SetControls(self.state.settings.controls()));
    }

    /// What the session starts with.
    pub(super) fn live_options(&self) -> LiveOptions {
        let settings = &self.state.settings;
        LiveOptions {
            style: self.state.style().map(|style| style.path.clone()),
            engine: self.engine_options(),
            controls: settings.controls(),
            process_size: settings.resolution.into(),
            mirror: settings.mirror,
            size: self.size,
            compare: settings.compare,
            ..LiveOptions::new(self.live_source(&self.state.source))
        }
    }

    fn engine_options(&self) -> EngineOptions {
        EngineOptions { device: self.state.settings.device_choice(), ..self.engine_defaults }
    }

    fn live_source(&self, source: &SourceChoice) -> LiveSource {
        let size = self.size;
        let camera = |camera| LiveSource::Camera(CameraOptions { camera, size, ..CameraOptions::default() });
        match source {
            SourceChoice::Camera { name, id } => camera(match id {
                Some(id) if name.is_empty() => CameraChoice::Id(*id),
                Some(id) => CameraChoice::Known { id: *id, name: name.clone() },
                None => CameraChoice::Name(name.clone()),
            }),
            SourceChoice::Video(path) => LiveSource::Video(path.clone()),
            SourceChoice::Still(path) => LiveSource::Still(path.clone()),
            SourceChoice::Demo => match &self.state.demo {
                Some(clip) => LiveSource::Video(clip.clone()),
                None => camera(CameraChoice::First),
            },
            SourceChoice::Any => camera(CameraChoice::First),
        }
    }

    /// What is shown at the start: what the settings say, a camera, or the demo clip with a greeting.
    pub(super) fn choose_first_source(&mut self) {
        let state = &mut self.state;
        state.source = match &state.settings.source {
            SourceChoice::Any => match state.cameras.first() {
                Some(camera) => camera.into(),
                None if state.demo.is_some() => SourceChoice::Demo,
                None => SourceChoice::Any,
            },
            SourceChoice::Video(path) | SourceChoice::Still(path) if !path.exists() => {
                if state.demo.is_some() { SourceChoice::Demo } else { SourceChoice::Any }
            }
            chosen => chosen.clone(),
        };
        state.welcome = !state.settings.welcomed && state.source == SourceChoice::Demo;
    }

    pub(super) fn set_source(&mut self, source: SourceChoice) {
        let runs = matches!(self.state.status.source, SourceState::Running { .. });
        // A camera is not opened a second time beside itself: the system gives it once.
        let is_shown = matches!(source, SourceChoice::Camera { .. }) && source == self.state.source;
        if !(is_shown && runs) {
            self.send(LiveCommand::SetSource(self.live_source(&source)));
        }
        self.state.settings.source = source.clone();
        self.state.source = source;
        self.dismiss_welcome();
    }

    /// Whether the demo clip stands in for a camera.
    fn waits_for_camera(&self) -> bool {
        self.state.settings.source == SourceChoice::Any && self.state.source == SourceChoice::Demo
    }

    /// Looks now and then for the camera that is waited for.
    pub(super) fn look_for_camera(&mut self, context: &Context) {
        if !self.waits_for_camera() {
            return;
        }
        if self.now_seconds >= self.next_look_seconds {
            self.next_look_seconds = self.now_seconds + LOOK_PERIOD_SECONDS;
            self.services.request(Request::ListCameras);
        }
        context.request_repaint_after(Duration::from_secs_f64(LOOK_PERIOD_SECONDS));
    }

    /// Takes over which cameras there are; the first that is waited for takes the demo clip's place.
    pub(super) fn take_cameras(&mut self, cameras: Vec<CameraInfo>) {
        self.state.cameras = cameras;
        if let Some(camera) = self.state.cameras.first().filter(|_| self.waits_for_camera()) {
            self.state.source = camera.into();
            self.state.welcome = false;
            self.send(LiveCommand::SetSource(self.live_source(&self.state.source)));
        }
    }

    fn dismiss_welcome(&mut self) {
        if self.state.welcome {
            self.state.welcome = false;
            self.state.settings.welcomed = true;
        }
    }

    pub(super) fn set_style(&mut self, name: &str) {
        let Some(style) = self.state.styles.iter().find(|style| style.name == name) else { return };
        let path = style.path.clone();
        self.state.settings.style = Some(name.to_owned());
        self.send(LiveCommand::SetStyle(Some(path)));
        self.prepare_neighbours();
        self.name_output();
    }

    /// The styles that the next keys ask for are got ready.
    pub(super) fn prepare_neighbours(&mut self) {
        let neighbours = [1, -1].map(|steps| self.neighbour(steps).map(|style| style.path.clone()));
        let mut paths: Vec<PathBuf> = neighbours.into_iter().flatten().collect();
        paths.dedup();
        if let Some(session) = &mut self.session {
            session.prepare_styles(paths);
        }
    }

    /// The style `steps` further down the list, round and round.
    fn neighbour(&self, steps: isize) -> Option<&StyleView> {
        let styles = &self.state.styles;
        let chosen = self.state.settings.style.as_deref();
        let now = styles.iter().position(|style| Some(style.name.as_str()) == chosen).unwrap_or(0);
        let next = (now as isize + steps).checked_rem_euclid(styles.len() as isize)?;
        styles.get(next as usize)
    }

    fn step_style(&mut self, steps: isize) {
        if let Some(name) = self.neighbour(steps).map(|style| style.name.clone()) {
            self.set_style(&name);
        }
    }

    fn toggle_recording(&mut self) {
        if self.state.status.recording.is_some() {
            self.send(LiveCommand::StopRecording);
            return;
        }
        let path = self.new_file("mp4");
        let microphone = self.state.settings.microphone.choice();
        let options = RecordingOptions { microphone, ..RecordingOptions::new(path) };
        self.send(LiveCommand::StartRecording(options));
    }

    /// A new file in the user's folder, named after the style. A name is given out once, also while its file is not there
    /// yet.
    fn new_file(&mut self, extension: &str) -> PathBuf {
        let stem = self.state.settings.style.clone().unwrap_or_else(|| UNSTYLED.to_owned());
        let taken: Vec<&Path> = self.given_names.iter().map(PathBuf::as_path).collect();
        let path = self.services.new_file(&self.state.folder, &stem, extension, &taken);
        self.given_names.push(path.clone());
        path
    }

    /// Takes over the folder that the settings say.
    pub(super) fn update_folder(&mut self) {
        let chosen = self.state.settings.folder.clone();
        self.state.folder = chosen.unwrap_or_else(|| self.default_folder.clone());
        self.name_output();
    }

    /// Names the export after the video and the style, unless the user has named it.
    pub(super) fn name_output(&mut self) {
        let Some(draft) = self.state.draft.as_ref().filter(|draft| !draft.output_chosen) else { return };
        let input = draft.input.file_stem().unwrap_or_default().to_string_lossy();
        let style = self.state.settings.style.as_deref().unwrap_or(UNSTYLED);
        let stem = format!("{input} - {style}");
        let jobs = self.exports.jobs().iter();
        let taken: Vec<&Path> = jobs.map(|job| job.request.video.output.as_path()).collect();
        let output = self.services.new_file(&self.state.folder, &stem, "mp4", &taken);
        if let Some(draft) = &mut self.state.draft {
            draft.output = output;
        }
    }

    fn export(&mut self, command: ExportCommand) {
        let settings = &mut self.state.settings;
        match command {
            ExportCommand::ChooseVideo => self.services.request(Request::Pick(Pick::Video)),
            ExportCommand::ChooseOutput => {
                if let Some(draft) = &self.state.draft {
                    self.services.request(Request::Pick(Pick::Output(draft.output.clone())));
                }
            }
            ExportCommand::SetRange { start_seconds, end_seconds } => {
                if let Some(draft) = &mut self.state.draft {
                    draft.set_range(start_seconds, end_seconds);
                }
            }
            ExportCommand::SetSize(size) => settings.export_size = size,
            ExportCommand::SetUpscale(upscale) => settings.export_upscale = upscale,
            ExportCommand::SetQuality(quality) => settings.quality = quality,
            ExportCommand::SetEncoder(encoder) => settings.encoder = encoder,
            ExportCommand::SetAudio(audio) => settings.audio = audio,
            ExportCommand::Add => self.add_export(),
            ExportCommand::Pause(id) => self.exports.set_paused(id, true),
            ExportCommand::Resume(id) => self.exports.set_paused(id, false),
            ExportCommand::Cancel(id) => self.exports.cancel(id),
            ExportCommand::Retry(id) => self.exports.retry(id),
            ExportCommand::Remove(id) => self.exports.remove(id),
        }
        self.state.jobs = self.exports.jobs().to_vec();
    }

    fn add_export(&mut self) {
        let (Some(draft), Some(style)) = (&self.state.draft, self.state.style()) else { return };
        let request = ExportRequest {
            style: style.path.clone(),
            style_title: style.title.clone(),
            engine: self.engine_options(),
            controls: self.state.settings.controls(),
            process_size: self.state.settings.resolution.of_export(),
            upscaler: self.state.upscaler().map(|upscaler| upscaler.path.clone()),
            video: self.video_options(draft),
        };
        self.exports.add(request);
        if let Some(draft) = &mut self.state.draft {
            draft.output_chosen = false;
        }
        self.name_output();
    }

    fn video_options(&self, draft: &ExportDraft) -> VideoJobOptions {
        let settings = &self.state.settings;
        VideoJobOptions {
            input: draft.input.clone(),
            output: draft.output.clone(),
            start: draft.job_start(),
            duration: draft.job_duration(),
            size: settings.export_size.of(draft.width, draft.height),
            upscale: settings.export_upscale.factor(),
            encoder: settings.encoder.clone(),
            crf: Some(settings.quality.crf()),
            audio: settings.audio.mode(),
            ..VideoJobOptions::default()
        }
    }
}
