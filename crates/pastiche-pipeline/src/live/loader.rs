//! The loader's thread: what takes long and is not a frame's business. It reads and compiles styles, opens devices and
//! writes snapshots.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use pastiche_frame::Frame;
use pastiche_inference::{ComputeDevice, DeviceChoice, InferenceError, PlacedStyle, Style};
use pastiche_media::write_image;

use super::{
    EngineOptions, LiveEvent,
    shared::Shared,
    shelf::{ReadyStyle, Shelf, StyleKey},
};

/// How much memory ready styles may take that are not shown: dozens of small ones, or a few of the largest.
const SHELF_BYTES: u64 = 128 << 20;

/// What the loader is asked to do.
pub(super) enum Job {
    LoadStyle(StyleRequest),
    /// Get ready what may be asked for next, when there is nothing else to do.
    Prepare {
        paths: Vec<PathBuf>,
        engine: EngineOptions,
    },
    /// Keep a style that is not shown any more.
    Shelve(Box<ReadyStyle>),
    Snapshot {
        path: PathBuf,
        picture: Frame,
    },
}

/// A style to be placed on a device.
#[derive(Debug, Clone)]
pub(super) struct StyleRequest {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    /// What was asked for before is out of date when the answer comes.
    pub(super) number: u64,
    pub(super) asked: Instant,
    /// What is shown when it is asked for.
    pub(super) shown: Option<StyleKey>,
}

/// The answer to a request.
pub(super) struct Loaded {
    pub(super) request: StyleRequest,
    /// `None`: it is the one that is shown.
    pub(super) result: Result<Option<Box<ReadyStyle>>, InferenceError>,
}

/// Works until nobody asks any more: pictures are all written then, styles not loaded. Of several styles that wait, only
/// the last is loaded.
pub(super) fn run(shared: &Arc<Shared>, jobs: &Receiver<Job>, loaded: &Sender<Loaded>) {
    let mut loader = Loader {
        shared: Arc::clone(shared),
        device: None,
        shelf: Shelf::new(SHELF_BYTES),
        wanted: None,
        to_prepare: VecDeque::new(),
    };
    loop {
        if loader.is_idle() {
            match jobs.recv() {
                Ok(job) => loader.note(job),
                Err(_) => return,
            }
        }
        // What came meanwhile goes first: a newer style takes the place of one that waits.
        loop {
            match jobs.try_recv() {
                Ok(job) => loader.note(job),
                Err(TryRecvError::Empty) => break,
                // Nobody waits for a style any more.
                Err(TryRecvError::Disconnected) => return,
            }
        }
        if let Some(request) = loader.wanted.take() {
            let result = loader.answer(&request);
            // Without an engine nobody waits for it.
            let _ = loaded.send(Loaded { request, result });
        } else if let Some(key) = loader.to_prepare.pop_front() {
            loader.prepare(key);
        }
    }
}

struct Loader {
    shared: Arc<Shared>,
    /// The one opened last.
    device: Option<(DeviceChoice, ComputeDevice)>,
    shelf: Shelf,
    /// The style that is waited for.
    wanted: Option<StyleRequest>,
    to_prepare: VecDeque<StyleKey>,
}

impl Loader {
    fn is_idle(&self) -> bool {
        self.wanted.is_none() && self.to_prepare.is_empty()
    }

    fn note(&mut self, job: Job) {
        match job {
            Job::LoadStyle(request) => self.wanted = Some(request),
            Job::Prepare { paths, engine } => {
                self.to_prepare = paths.iter().map(|path| StyleKey::now(path, engine)).collect();
            }
            Job::Shelve(style) => self.shelf.put(*style),
            Job::Snapshot { path, picture } => write_snapshot(&self.shared, &path, &picture),
        }
    }

    /// The style that is asked for, from the shelf or from its file, unless it is shown as it is now.
    fn answer(&mut self, request: &StyleRequest) -> Result<Option<Box<ReadyStyle>>, InferenceError> {
        let key = StyleKey::now(&request.path, request.engine);
        if request.shown.as_ref() == Some(&key) {
            return Ok(None);
        }
        let ready = match self.shelf.take(&key) {
            Some(ready) => ready,
            None => self.load(key)?,
        };
        Ok(Some(Box::new(ready)))
    }

    fn prepare(&mut self, key: StyleKey) {
        if self.shelf.holds(&key) {
            return;
        }
        match self.load(key) {
            Ok(ready) => self.shelf.add(ready),
            // It is told when somebody wants to see it.
            Err(error) => log::info!("a style could not be prepared: {error}"),
        }
    }

    fn load(&mut self, key: StyleKey) -> Result<ReadyStyle, InferenceError> {
        let EngineOptions { device: choice, precision, .. } = key.engine;
        let device = match &mut self.device {
            Some((opened, device)) if *opened == choice => device,
            other => &mut other.insert((choice, ComputeDevice::open(choice)?)).1,
        };
        let style = Style::load(key.path())?;
        let placed = PlacedStyle::new(&style, device, precision)?;
        Ok(ReadyStyle { key, name: style.name().to_owned(), placed })
    }
}

fn write_snapshot(shared: &Shared, path: &Path, picture: &Frame) {
    shared.tell(match write_image(path, picture) {
        Ok(()) => LiveEvent::SnapshotSaved { path: path.to_owned() },
        Err(error) => LiveEvent::Error(error.to_string()),
    });
}
