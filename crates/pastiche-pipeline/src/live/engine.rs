//! The engine's thread: it owns the device, takes commands between two frames, and hands what it paints to those who
//! want it.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, select};
use pastiche_frame::{Frame, FramePool};

use super::{
    EngineOptions, LiveCommand, LiveEvent, LiveOptions, LiveSource, Shown, SourceState,
    loader::{Job, Loaded, StyleRequest},
    painter::{Painter, copied, mirror},
    recorder::Recorder,
    shared::{Captured, Shared},
    source::SourceLoop,
    threads::{RunningGuard, Thread, stop_signal},
    virtual_camera::VirtualCameraOutput,
};

/// Copies for comparison, in the viewer's and the slot's hands.
const POOLED_COPIES: usize = 4;

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
    /// A style is being loaded, and no other is there yet: nothing is shown until it is, so that nothing flashes up.
    waiting: bool,
    /// From the command until now, for the style whose first frame is still to come.
    style_change: Option<(Option<String>, Instant)>,
    size: Option<(u32, u32)>,
    mirror: bool,
    compare: bool,
    /// Something has changed since a still was painted.
    changed: bool,
    snapshots: Vec<PathBuf>,
    source: Option<RunningGuard>,
    recorder: Option<Recorder>,
    virtual_camera: Option<VirtualCameraOutput>,
    /// Those that have been told to end, and those that run beside.
    threads: Vec<Thread>,
}

impl Engine {
    pub(super) fn new(shared: Arc<Shared>, jobs: Sender<Job>, options: &LiveOptions) -> Self {
        Self {
            painter: Painter::new(Arc::clone(&shared), options.controls, options.process_size),
            shared,
            jobs,
            pool: FramePool::new(POOLED_COPIES),
            options: options.engine,
            style: None,
            requests: 0,
            waiting: false,
            style_change: None,
            size: options.size,
            mirror: options.mirror,
            compare: options.compare,
            changed: true,
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
        loop {
            select! {
                recv(commands) -> command => match command {
                    Ok(command) => self.obey(command),
                    Err(_) => break,
                },
                recv(loaded) -> answer => match answer {
                    Ok(answer) => self.take_style(answer),
                    Err(_) => break,
                },
                recv(shared.captured.receiver()) -> captured => {
                    // What was asked before this frame came counts for it.
                    commands.try_iter().for_each(|command| self.obey(command));
                    loaded.try_iter().for_each(|answer| self.take_style(answer));
                    if let Ok(captured) = captured {
                        self.paint(captured);
                    }
                }
            }
        }
        // Their ends go here: the source stops, a recording is closed, the loader finishes.
        self.threads
    }

    fn obey(&mut self, command: LiveCommand) {
        self.changed = true;
        match command {
            LiveCommand::SetSource(source) => self.set_source(source),
            LiveCommand::SetStyle(style) => self.set_style(style),
            LiveCommand::SetEngine(options) => {
                self.options = options;
                self.set_style(self.style.clone());
            }
            LiveCommand::SetControls(controls) => self.painter.set_controls(controls),
            LiveCommand::SetProcessSize(size) => self.painter.set_process_size(size),
            LiveCommand::SetMirror(mirror) => self.mirror = mirror,
            LiveCommand::SetCompare(compare) => self.compare = compare,
            LiveCommand::SetPaused(paused) => {
                self.shared.paused.store(paused, Ordering::Release);
                self.shared.update(|status| status.paused = paused);
            }
            LiveCommand::StartRecording(options) => {
                if self.recorder.is_some() {
                    let path = options.path.display();
                    self.fail(format!("a recording runs already; stop it before you start another: {path}"));
                    return;
                }
                match Recorder::start(options, &self.shared) {
                    Ok((recorder, thread)) => {
                        self.recorder = Some(recorder);
                        self.keep(thread);
                    }
                    Err(error) => self.fail(error),
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
            LiveCommand::StopVirtualCamera => self.virtual_camera = None,
        }
    }

    fn set_source(&mut self, source: LiveSource) {
        let generation = self.shared.next_generation();
        self.painter.reset();
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

    fn set_style(&mut self, style: Option<PathBuf>) {
        self.requests += 1;
        self.style.clone_from(&style);
        let asked = Instant::now();
        let Some(path) = style else {
            self.waiting = false;
            self.painter.set_stylizer(None);
            self.style_change = Some((None, asked));
            self.shared.update(|status| (status.style, status.loading) = (None, None));
            return;
        };
        let name =
            path.file_name().unwrap_or_default().to_string_lossy().split('.').next().map(str::to_owned);
        let request = StyleRequest { path, engine: self.options, number: self.requests, asked };
        if self.jobs.try_send(Job::LoadStyle(request)).is_err() {
            self.fail("too many styles were asked for at once; ask again");
            return;
        }
        self.waiting = !self.painter.has_style() && self.shared.status().statistics.frames == 0;
        self.shared.update(|status| status.loading = name);
    }

    fn take_style(&mut self, Loaded { request, result }: Loaded) {
        if request.number != self.requests {
            return;
        }
        self.changed = true;
        self.waiting = false;
        self.shared.update(|status| status.loading = None);
        match result {
            Ok(style) => {
                let style = *style;
                self.painter.set_stylizer(Some(style.stylizer));
                self.shared.update(|status| {
                    status.style = Some(style.name.clone());
                    status.engine = Some(style.status);
                });
                self.style_change = Some((Some(style.name), request.asked));
            }
            Err(error) => self.fail(error),
        }
    }

    fn paint(&mut self, captured: Captured) {
        let Captured { mut frame, at, generation, still } = captured;
        let wanted = self.recorder.is_some() || self.virtual_camera.is_some() || !self.snapshots.is_empty();
        let in_vain = still && !self.changed && !wanted;
        if generation != self.shared.generation() || self.shared.is_paused() || self.waiting || in_vain {
            return;
        }
        self.changed = false;
        if self.mirror {
            mirror(&mut frame);
        }
        let source = self.compare.then(|| copied(&frame, &self.pool));
        let (painted, took) = match self.painter.paint(frame) {
            Ok(painted) => painted,
            Err(error) => {
                // It would fail again with every frame, so the source is shown until another style or size is asked for.
                self.fail(error);
                self.painter.set_stylizer(None);
                self.shared.update(|status| status.style = None);
                return;
            }
        };
        let sequence = self.shared.note_painted(at, took);
        if let Some((name, asked)) = self.style_change.take() {
            let took = asked.elapsed();
            // The first style is not a change.
            if sequence > 0 {
                self.shared.note_style_change(took);
            }
            self.shared.tell(LiveEvent::StyleChanged { name, took });
        }
        self.hand_on(&painted, at);
        let size = Some((painted.width(), painted.height()));
        self.shared.shown.put(Shown { painted, source, generation, sequence });
        self.shared.update(|status| status.size = size);
    }

    /// Gives copies to whoever else wants the picture.
    fn hand_on(&mut self, painted: &Frame, at: Instant) {
        if self.recorder.as_ref().is_some_and(|recorder| !recorder.record(painted, at)) {
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
