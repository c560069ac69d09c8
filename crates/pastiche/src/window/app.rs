//! The window's program: takes in what has happened, draws, and carries out what is asked for.

use std::{path::PathBuf, time::Duration};

use egui::{Context, Event, Key, ThemePreference, Ui, ViewportCommand};
use pastiche_inference::StyleEntry;
use pastiche_media::CameraInfo;
use pastiche_pipeline::live::{EngineOptions, LiveOptions};

use super::{
    commands::{self, Action, AppCommand},
    export::{ExportQueue, Exporter},
    panels,
    picture::FrameTexture,
    services::{Request, Services, Session},
    settings::{Settings, ThemeChoice},
    state::{Dialog, Picture, State, WindowFigures},
    text, theme,
};

/// Settings are written this long after the last change.
const SAVE_AFTER_SECONDS: f64 = 1.0;
/// Finishing before closing takes no longer than this; a recording that takes longer to be closed does not play.
const FINISH_WITHIN_SECONDS: f64 = 20.0;
/// The session gets this long to close its devices and files.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(8);
/// How often is looked while the window waits for work to finish.
const POLL: Duration = Duration::from_millis(50);
/// How much of the window's figures is the newest one.
const NEWEST: f64 = 0.1;

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) styles: Vec<StyleEntry>,
    /// Styles that are in no folder of styles, but on the command line.
    pub(crate) extra_styles: Vec<StyleEntry>,
    pub(crate) cameras: Vec<CameraInfo>,
    /// The clip that comes with the program.
    pub(crate) demo: Option<PathBuf>,
    /// Where recordings go unless the settings say otherwise.
    pub(crate) default_folder: PathBuf,
    /// Threads and precision, which the command line may set.
    pub(crate) engine_defaults: EngineOptions,
    /// The picture's width and height, which the command line may set.
    pub(crate) size: Option<(u32, u32)>,
    /// What draws the window.
    pub(crate) renderer: &'static str,
    pub(crate) services: Box<dyn Services>,
    pub(crate) exporter: Box<dyn Exporter>,
    /// Time that passes, to measure with.
    pub(crate) clock: Box<dyn Fn() -> Duration>,
    /// Whether the program is asked from outside to finish and quit.
    pub(crate) asked_to_quit: Box<dyn Fn() -> bool>,
}

/// The window.
pub(crate) struct App {
    pub(crate) state: State,
    pub(super) session: Option<Box<dyn Session>>,
    pub(super) services: Box<dyn Services>,
    pub(super) exports: ExportQueue,
    pub(super) extra_styles: Vec<StyleEntry>,
    pub(super) default_folder: PathBuf,
    pub(super) engine_defaults: EngineOptions,
    pub(super) size: Option<(u32, u32)>,
    clock: Box<dyn Fn() -> Duration>,
    asked_to_quit: Box<dyn Fn() -> bool>,
    painted: FrameTexture,
    source: FrameTexture,
    /// egui's clock, which tests hold.
    pub(super) now_seconds: f64,
    /// When to look for a camera again.
    pub(super) next_look_seconds: f64,
    /// Since when the settings differ from the file's.
    changed_since_seconds: Option<f64>,
    saved: Settings,
    /// Since when work is being finished, to close after it.
    finishing_since_seconds: Option<f64>,
    pub(super) next_notice: u64,
    /// The style to choose when it is in the list.
    pub(super) wanted_style: Option<String>,
    /// The names of recordings and snapshots that were asked for.
    pub(super) given_names: Vec<PathBuf>,
    /// What egui is to do with the window.
    pub(super) viewport_commands: Vec<ViewportCommand>,
}

impl App {
    /// The window as the settings left it. `start` begins the session.
    ///
    /// # Errors
    /// As `start`.
    pub(crate) fn new<E>(
        context: &Context,
        parts: Parts,
        start: impl FnOnce(LiveOptions) -> Result<Box<dyn Session>, E>,
    ) -> Result<Self, E> {
        let Parts {
            settings,
            styles,
            extra_styles,
            cameras,
            demo,
            default_folder,
            engine_defaults,
            size,
            renderer,
            services,
            exporter,
            clock,
            asked_to_quit,
        } = parts;
        let figures = WindowFigures { renderer, ..WindowFigures::default() };
        theme::install(context);
        let mut app = Self {
            saved: settings.clone(),
            state: State { settings, cameras, demo, figures, ..State::default() },
            session: None,
            services,
            exports: ExportQueue::new(exporter),
            extra_styles,
            default_folder,
            engine_defaults,
            size,
            clock,
            asked_to_quit,
            painted: FrameTexture::new("painted"),
            source: FrameTexture::new("source"),
            now_seconds: 0.0,
            next_look_seconds: 0.0,
            changed_since_seconds: None,
            finishing_since_seconds: None,
            next_notice: 1,
            wanted_style: None,
            given_names: Vec::new(),
            viewport_commands: Vec::new(),
        };
        app.take_styles(styles);
        app.choose_first_source();
        app.services.request(Request::ListHardware);
        app.services.request(Request::ListMicrophones);
        app.session = Some(start(app.live_options())?);
        app.prepare_neighbours();
        app.update_folder();
        Ok(app)
    }

    /// Takes in what happened, whether or not the window is seen.
    fn update(&mut self, context: &Context) {
        self.now_seconds = context.input(|input| input.time);
        self.apply_theme(context);
        self.take_events();
        self.take_replies(context);
        self.exports.update();
        self.state.jobs = self.exports.jobs().to_vec();
        if let Some(session) = &self.session {
            self.state.status = session.status();
        }
        self.expire_notices(context);
        self.look_for_camera(context);
        if (self.asked_to_quit)() && self.finishing_since_seconds.is_none() {
            self.finish_and_quit();
        }
        self.answer_close_request(context);
        self.close_when_finished(context);
    }

    /// Shows the newest picture.
    fn take_picture(&mut self, context: &Context) {
        let Some(shown) = self.session.as_mut().and_then(|session| session.take_shown()) else { return };
        let started = (self.clock)();
        let painted = self.painted.show(context, &shown.painted);
        let source = shown.source.as_ref().map(|frame| self.source.show(context, frame));
        self.state.picture = Some(Picture { painted, source });
        let upload_ms = ((self.clock)() - started).as_secs_f64() * 1e3;
        smooth(&mut self.state.figures.upload_ms, upload_ms);
    }

    /// What the keyboard and dropped files ask for.
    fn take_input(&mut self, context: &Context, commands: &mut Vec<AppCommand>) {
        let dropped: Vec<PathBuf> = context
            .input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        if !dropped.is_empty() {
            commands.push(AppCommand::Drop(dropped));
        }
        self.state.files_hover = context.input(|input| !input.raw.hovered_files.is_empty());
        // A key belongs to the widget that has the focus, or to the list that is open.
        let is_taken = context.memory(|memory| memory.focused().is_some())
            || egui::Popup::is_any_open(context)
            || self.state.dialog.is_some();
        context.input(|input| {
            for event in &input.events {
                let Event::Key { key, pressed: true, repeat: false, modifiers, .. } = event else { continue };
                let meant = |action: &Action| {
                    action.shortcuts().iter().any(|shortcut| {
                        shortcut.logical_key == *key && modifiers.matches_logically(shortcut.modifiers)
                    })
                };
                let always = *key == Key::Escape || modifiers.command;
                if let Some(action) = commands::WITH_KEYS.iter().find(|action| meant(action))
                    && (always || !is_taken)
                {
                    commands.push((*action).into());
                }
            }
        });
    }

    /// Writes the settings a while after the last change.
    fn save_settings(&mut self, context: &Context) {
        if self.state.settings == self.saved {
            self.changed_since_seconds = None;
            return;
        }
        let since = *self.changed_since_seconds.get_or_insert(self.now_seconds);
        let left = since + SAVE_AFTER_SECONDS - self.now_seconds;
        if left <= 0.0 {
            self.save_now();
        } else {
            context.request_repaint_after(Duration::from_secs_f64(left));
        }
    }

    fn save_now(&mut self) {
        self.changed_since_seconds = None;
        if self.state.settings == self.saved {
            return;
        }
        self.saved = self.state.settings.clone();
        if let Err(reason) = self.services.save_settings(&self.saved) {
            self.fail(reason);
        }
    }

    /// A window that is asked to close while work goes on asks back.
    fn answer_close_request(&mut self, context: &Context) {
        if !context.input(|input| input.viewport().close_requested()) || !self.is_busy() {
            return;
        }
        self.viewport_commands.push(ViewportCommand::CancelClose);
        if self.finishing_since_seconds.is_none() {
            let recording = self.state.status.recording.is_some();
            self.state.dialog = Some(Dialog::Quit { recording, exports: self.state.unfinished_exports() });
        }
    }

    /// Whether closing now would cut something off.
    fn is_busy(&self) -> bool {
        let overdue = self
            .finishing_since_seconds
            .is_some_and(|since| self.now_seconds - since > FINISH_WITHIN_SECONDS);
        !overdue && (self.state.status.recording.is_some() || self.state.unfinished_exports() > 0)
    }

    /// Ends what goes on so that it plays, and then closes the window.
    pub(super) fn finish_and_quit(&mut self) {
        if self.state.status.recording.as_ref().is_some_and(|recording| !recording.closing) {
            self.send(pastiche_pipeline::live::LiveCommand::StopRecording);
        }
        self.exports.cancel_all();
        self.finishing_since_seconds = Some(self.now_seconds);
        self.state.dialog = Some(Dialog::Finishing);
    }

    fn close_when_finished(&mut self, context: &Context) {
        if self.finishing_since_seconds.is_none() {
            return;
        }
        if self.is_busy() {
            context.request_repaint_after(POLL);
        } else {
            self.viewport_commands.push(ViewportCommand::Close);
        }
    }

    fn apply_theme(&self, context: &Context) {
        context.set_theme(match self.state.settings.theme {
            ThemeChoice::Dark => ThemePreference::Dark,
            ThemeChoice::Light => ThemePreference::Light,
        });
    }

    /// Ends the session; a recording is closed so that it plays.
    fn shut_down(&mut self) {
        self.save_now();
        if let Some(session) = self.session.take()
            && let Err(reason) = session.shutdown(SHUTDOWN_LIMIT)
        {
            log::error!("{reason}");
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, context: &Context, _frame: &mut eframe::Frame) {
        self.update(context);
        for command in self.viewport_commands.drain(..) {
            context.send_viewport_cmd(command);
        }
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let context = ui.ctx().clone();
        self.take_picture(&context);
        if let Some(seconds) = frame.info().cpu_usage {
            smooth(&mut self.state.figures.draw_ms, f64::from(seconds) * 1e3);
        }
        let mut commands = Vec::new();
        self.take_input(&context, &mut commands);
        panels::window_ui(ui, &self.state, &mut commands);
        if !commands.is_empty() {
            // What a command changes is drawn with the next paint.
            context.request_repaint();
        }
        for command in commands {
            self.apply(&context, command);
        }
        self.save_settings(&context);
        for command in self.viewport_commands.drain(..) {
            context.send_viewport_cmd(command);
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        theme::STAGE.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.shut_down();
    }
}

/// What the window is called.
pub(crate) const TITLE: &str = text::APP;

fn smooth(figure: &mut f64, newest: f64) {
    *figure = if *figure == 0.0 { newest } else { *figure * (1.0 - NEWEST) + newest * NEWEST };
}
