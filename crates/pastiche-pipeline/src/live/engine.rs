//! The engine's thread: it owns the device, takes commands between two frames, and hands what it paints to those who
//! want it.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, never, select_biased};
use pastiche_frame::{Frame, FramePool};

use super::{
    EngineOptions, LiveCommand, LiveEvent, LiveOptions, LiveSource, Shown, SourceState,
    loader::{Job, Loaded, StyleRequest},
    painter::{Painter, copied, mirror},
    recorder::Recorder,
    shared::{Captured, Shared},
    shelf::ReadyStyle,
    source::SourceLoop,
    threads::{RunningGuard, Thread, stop_signal},
    virtual_camera::VirtualCameraOutput,
};

/// Painted pictures and their sources, in the viewer's, the slot's and the engine's hands.
const POOLED_FRAMES: usize = 8;

/// The engine's state.
pub(super) struct Engine {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    painter: Painter,
    pool: FramePool,
    options: EngineOptions,
    /// The style asked for last, and the number of that request.
    style: Option<PathBuf>,
    requests: u64,
    /// That style could not paint, so the source is shown until something is asked for that may help.
    style_failed: bool,
    /// A style is being loaded, and no other is there yet: nothing is shown until it is, so that nothing flashes up.
    waiting: bool,
    /// From the command until now, for the style whose first frame is still to come.
    style_change: Option<(Option<String>, Instant)>,
    size: Option<(u32, u32)>,
    mirror: bool,
    compare: bool,
    /// Something has changed since the last picture was painted.
    changed: bool,
    /// The last frame that came, for painting it anew while nothing comes.
    held: Option<Held>,
    snapshots: Vec<PathBuf>,
    source: Option<RunningGuard>,
    recorder: Option<Recorder>,
    virtual_camera: Option<VirtualCameraOutput>,
    /// Those that have been told to end, and those that run beside.
    threads: Vec<Thread>,
}

/// A frame of a source, as it came or turned round.
struct Held {
    frame: Frame,
    generation: u64,
    is_mirrored: bool,
}

impl Engine {
    pub(super) fn new(shared: Arc<Shared>, jobs: Sender<Job>, options: &LiveOptions) -> Self {
        Self {
            painter: Painter::new(Arc::clone(&shared), options.controls, options.process_size),
            shared,
            jobs,
            pool: FramePool::new(POOLED_FRAMES),
            options: options.engine,
            style: None,
            requests: 0,
            style_failed: false,
            waiting: false,
            style_change: None,
            size: options.size,
            mirror: options.mirror,
            compare: options.compare,
            changed: true,
            held: None,
            snapshots: Vec::new(),
            source: None,
            recorder: None,
            virtual_camera: None,
            threads: Vec::new(),
        }
    }

    /// Works until there are no more commands, and returns the threads that are still to end.
    pub(super) fn run(
        mut self,
        source: LiveSource,
        style: Option<PathBuf>,
        commands: &Receiver<LiveCommand>,
        loaded: &Receiver<Loaded>,
    ) -> Vec<Thread> {
        self.set_style(style);
        self.set_source(source);
        let shared = Arc::clone(&self.shared);
        let mut loaded = loaded.clone();
        loop {
            // Commands first: their end is not to wait until no frame comes any more.
            select_biased! {
                recv(commands) -> command => match command {
                    Ok(command) => self.obey(command),
                    Err(_) => break,
                },
                recv(loaded) -> answer => match answer {
                    Ok(answer) => self.take_style(answer),
                    Err(_) => {
                        // The loader has crashed, which it has told; what is shown goes on.
                        loaded = never();
                        self.waiting = false;
                        self.shared.update(|status| status.loading = None);
                    }
                },
                recv(shared.captured.receiver()) -> captured => {
                    // What was asked before this frame came counts for it.
                    commands.try_iter().for_each(|command| self.obey(command));
                    loaded.try_iter().for_each(|answer| self.take_style(answer));
                    if let Ok(captured) = captured {
                        self.take_captured(captured);
                    }
                }
            }
            if self.shared.is_paused() {
                commands.try_iter().for_each(|command| self.obey(command));
                self.repaint();
            }
        }
        // Snapshots that were asked for just now get what is there.
        self.changed = false;
        self.repaint();
        if !self.snapshots.is_empty() {
            self.fail("the session ended before the first picture, so there is no snapshot");
        }
        // Their ends go here: the source stops, a recording is closed, the loader finishes.
        self.threads
    }

    fn obey(&mut self, command: LiveCommand) {
        // A style changes the picture when it is there.
        self.changed |= matches!(
            command,
            LiveCommand::SetStyle(None)
                | LiveCommand::SetControls(_)
                | LiveCommand::SetProcessSize(_)
                | LiveCommand::SetMirror(_)
                | LiveCommand::SetCompare(_)
        );
        match command {
            LiveCommand::SetSource(source) => self.set_source(source),
            LiveCommand::SetStyle(style) => self.set_style(style),
            LiveCommand::PrepareStyles(mut paths) => {
                paths.retain(|path| Some(path) != self.style.as_ref());
                // Where the loader has so much to do, nothing is prepared.
                let _ = self.jobs.try_send(Job::Prepare { paths, engine: self.options });
            }
            LiveCommand::SetEngine(options) => {
                self.options = options;
                self.set_style(self.style.clone());
            }
            LiveCommand::SetControls(controls) => self.painter.set_controls(controls),
            LiveCommand::SetProcessSize(size) => {
                self.painter.set_process_size(size);
                self.retry_style();
            }
            LiveCommand::SetMirror(mirror) => self.mirror = mirror,
            LiveCommand::SetCompare(compare) => self.compare = compare,
            LiveCommand::SetPaused(paused) => self.set_paused(paused),
            LiveCommand::StartRecording(options) => {
                if self.recorder.as_ref().is_some_and(|recorder| !recorder.has_ended()) {
                    let path = options.path.display();
                    self.fail(format!("a recording runs already; stop it before you start another: {path}"));
                    return;
                }
                match Recorder::start(options, &self.shared) {
                    Ok((recorder, thread)) => {
                        self.recorder = Some(recorder);
                        self.keep(thread);
                    }
                    Err(error) => {
                        self.shared.update(|status| status.recording = None);
                        self.fail(error);
                    }
                }
            }
            LiveCommand::StopRecording => {
                if self.recorder.take().is_some() {
                    self.shared.update(|status| {
                        if let Some(recording) = &mut status.recording {
                            recording.closing = true;
                        }
                    });
                }
            }
            LiveCommand::Snapshot(path) => self.snapshots.push(path),
            LiveCommand::StartVirtualCamera(device) => {
                match VirtualCameraOutput::start(device, &self.shared) {
                    Ok((output, thread)) => {
                        self.virtual_camera = Some(output);
                        self.keep(thread);
                    }
                    Err(error) => self.fail(error),
                }
            }
            LiveCommand::StopVirtualCamera => {
                self.virtual_camera = None;
                self.shared.next_virtual_camera();
            }
        }
    }

    fn set_paused(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::Release);
        self.shared.update(|status| status.paused = paused);
    }

    fn set_source(&mut self, source: LiveSource) {
        let generation = self.shared.next_generation();
        // Whoever asks for another source wants to see it.
        self.set_paused(false);
        self.held = None;
        self.painter.reset();
        self.retry_style();
        let (guard, stop) = stop_signal();
        // The old source's guard is dropped here, which stops it.
        self.source = Some(guard);
        let source_loop = SourceLoop { shared: Arc::clone(&self.shared), generation, stop, size: self.size };
        match Thread::start("source", &self.shared, move || source_loop.run(source)) {
            Ok(thread) => self.keep(thread),
            Err(error) => {
                let lost = SourceState::Lost { reason: error.to_string(), retrying: false };
                self.shared.set_source(generation, lost);
            }
        }
    }

    /// Takes the style up again that could not paint the last source, or at the last size.
    fn retry_style(&mut self) {
        if self.style_failed {
            self.set_style(self.style.clone());
        }
    }

    fn set_style(&mut self, style: Option<PathBuf>) {
        self.style_failed = false;
        let asked = Instant::now();
        let number = self.requests + 1;
        let Some(path) = style else {
            (self.requests, self.style, self.waiting) = (number, None, false);
            self.painter.remove_style();
            self.style_change = Some((None, asked));
            self.shared.update(|status| (status.style, status.loading) = (None, None));
            return;
        };
        let name =
            path.file_name().unwrap_or_default().to_string_lossy().split('.').next().map(str::to_owned);
        let shown = self.painter.style_key().cloned();
        let request = StyleRequest { path: path.clone(), engine: self.options, number, asked, shown };
        match self.jobs.try_send(Job::LoadStyle(request)) {
            Ok(()) => {}
            // What was asked for before stays wanted.
            Err(TrySendError::Full(_)) => {
                self.fail("too many styles were asked for at once; ask again");
                return;
            }
            Err(TrySendError::Disconnected(_)) => {
                self.fail(
                    "styles cannot be changed any more, since their thread crashed; start the program again",
                );
                return;
            }
        }
        (self.requests, self.style) = (number, Some(path));
        self.waiting = !self.painter.has_style() && self.shared.status().statistics.frames == 0;
        self.shared.update(|status| status.loading = name);
    }

    fn take_style(&mut self, Loaded { request, result }: Loaded) {
        if request.number != self.requests {
            // Another style was asked for meanwhile; this one may be again.
            if let Ok(Some(style)) = result {
                self.shelve(style);
            }
            return;
        }
        self.waiting = false;
        self.shared.update(|status| status.loading = None);
        let style = match result {
            Ok(Some(style)) => style,
            Ok(None) => return,
            Err(error) => return self.fail(error),
        };
        self.changed = true;
        match self.painter.set_style(*style) {
            Ok(replaced) => {
                if let Some(replaced) = replaced {
                    self.shelve(Box::new(replaced));
                }
                let (name, engine) = self.painter.engine().unzip();
                self.shared.update(|status| (status.style, status.engine) = (name.clone(), engine));
                self.style_change = Some((name, request.asked));
            }
            Err(error) => self.fail(error),
        }
    }

    /// Gives a style that is not shown to the loader, to keep.
    fn shelve(&self, style: Box<ReadyStyle>) {
        // Where the loader has so much to do, it is loaded again when it is asked for.
        let _ = self.jobs.try_send(Job::Shelve(style));
    }

    fn take_captured(&mut self, captured: Captured) {
        let Captured { frame, at, generation, still } = captured;
        let wanted = self.recorder.is_some() || self.virtual_camera.is_some() || !self.snapshots.is_empty();
        let in_vain = still && !self.changed && !wanted;
        if generation != self.shared.generation() || self.shared.is_paused() || self.waiting || in_vain {
            return;
        }
        self.held = Some(Held { frame, generation, is_mirrored: false });
        self.paint(at, true);
    }

    /// Paints the frame that is held anew, where something has changed or a snapshot is wanted.
    fn repaint(&mut self) {
        let is_wanted = self.changed || !self.snapshots.is_empty();
        if is_wanted && !self.waiting {
            self.paint(Instant::now(), false);
        }
    }

    /// Paints the frame that is held and hands it on, to the recording only where it has `come` and is not painted anew.
    fn paint(&mut self, at: Instant, come: bool) {
        let Some(held) = &mut self.held else { return };
        self.changed = false;
        if held.is_mirrored != self.mirror {
            mirror(&mut held.frame);
            held.is_mirrored = self.mirror;
        }
        let generation = held.generation;
        let (painted, took) = match self.painter.paint(&held.frame, &self.pool) {
            Ok(painted) => painted,
            Err(error) => {
                // It would fail again with every frame.
                self.style_failed = true;
                // A source that stands still is shown as it is, although its picture is the same.
                self.changed = true;
                self.fail(error);
                self.painter.remove_style();
                self.shared.update(|status| status.style = None);
                return;
            }
        };
        let source = self.compare.then(|| copied(&held.frame, &self.pool));
        let sequence = self.shared.note_painted(at, took);
        if let Some((name, asked)) = self.style_change.take() {
            let took = asked.elapsed();
            // The first style is not a change.
            if sequence > 0 {
                self.shared.note_style_change(took);
            }
            self.shared.tell(LiveEvent::StyleChanged { name, took });
        }
        self.hand_on(&painted, at, come);
        let size = Some((painted.width(), painted.height()));
        self.shared.shown.put(Shown { painted, source, generation, sequence });
        self.shared.update(|status| status.size = size);
    }

    /// Gives copies to whoever else wants the picture.
    fn hand_on(&mut self, painted: &Frame, at: Instant, to_recorder: bool) {
        if to_recorder && self.recorder.as_ref().is_some_and(|recorder| !recorder.record(painted, at)) {
            self.recorder = None;
        }
        if self.virtual_camera.as_ref().is_some_and(|camera| !camera.show(painted)) {
            self.virtual_camera = None;
        }
        for path in self.snapshots.drain(..) {
            let picture = copied(painted, &self.pool);
            if self.jobs.try_send(Job::Snapshot { path, picture }).is_err() {
                self.shared
                    .tell(LiveEvent::Error("too many pictures were asked for at once; ask again".to_owned()));
            }
        }
    }

    /// Keeps a thread to be waited for at the end, and forgets those that have ended.
    fn keep(&mut self, thread: Thread) {
        self.threads.retain(|thread| !thread.is_finished());
        self.threads.push(thread);
    }

    fn fail(&self, error: impl ToString) {
        self.shared.tell(LiveEvent::Error(error.to_string()));
    }
}

/// The engine's thread ends with the threads that it leaves to be waited for.
pub(super) type EngineThread = Thread<Vec<Thread>>;
