//! The loader's thread: what takes long and is not a frame's business. It reads and compiles styles, opens devices and
//! writes snapshots.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use pastiche_frame::Frame;
use pastiche_inference::{ComputeDevice, InferenceError, Style, Stylizer, StylizerOptions};
use pastiche_media::write_image;

use super::{EngineOptions, EngineStatus, LiveEvent, shared::Shared};

/// What the loader is asked to do.
pub(super) enum Job {
    LoadStyle(StyleRequest),
    Snapshot { path: PathBuf, picture: Frame },
}

/// A style to be placed on a device.
#[derive(Debug, Clone)]
pub(super) struct StyleRequest {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    /// What was asked for before is out of date when the answer comes.
    pub(super) number: u64,
    pub(super) asked: Instant,
}

/// A style that is ready to paint.
pub(super) struct LoadedStyle {
    pub(super) stylizer: Stylizer,
    pub(super) name: String,
    pub(super) status: EngineStatus,
}

/// The answer to a request.
pub(super) struct Loaded {
    pub(super) request: StyleRequest,
    pub(super) result: Result<Box<LoadedStyle>, InferenceError>,
}

/// Works until there are no more jobs. Of several styles that wait, only the last is loaded.
pub(super) fn run(shared: &Arc<Shared>, jobs: &Receiver<Job>, loaded: &Sender<Loaded>) {
    let mut device = None;
    while let Ok(job) = jobs.recv() {
        let mut request = match job {
            Job::LoadStyle(request) => request,
            Job::Snapshot { path, picture } => {
                write_snapshot(shared, &path, &picture);
                continue;
            }
        };
        let mut ended = false;
        loop {
            match jobs.try_recv() {
                Ok(Job::LoadStyle(newer)) => request = newer,
                Ok(Job::Snapshot { path, picture }) => write_snapshot(shared, &path, &picture),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    ended = true;
                    break;
                }
            }
        }
        if ended {
            return;
        }
        let result = load(&request, &mut device).map(Box::new);
        // Without an engine nobody waits for it.
        if loaded.send(Loaded { request, result }).is_err() {
            return;
        }
    }
}

/// `device` is the one opened last.
fn load(
    request: &StyleRequest,
    device: &mut Option<(EngineOptions, ComputeDevice)>,
) -> Result<LoadedStyle, InferenceError> {
    let EngineOptions { device: choice, threads, precision } = request.engine;
    let opened = match device {
        Some((options, opened)) if options.device == choice => opened,
        other => &mut other.insert((request.engine, ComputeDevice::open(choice)?)).1,
    };
    let style = Style::load(&request.path)?;
    let name = style.name().to_owned();
    let stylizer = Stylizer::new(style, opened, &StylizerOptions { threads, precision, process_size: None })?;
    let status = EngineStatus {
        device: opened.id(),
        device_name: opened.name().to_owned(),
        precision: stylizer.precision(),
        threads: stylizer.threads(),
        note: opened.note().map(str::to_owned),
    };
    Ok(LoadedStyle { stylizer, name, status })
}

fn write_snapshot(shared: &Shared, path: &Path, picture: &Frame) {
    shared.tell(match write_image(path, picture) {
        Ok(()) => LiveEvent::SnapshotSaved { path: path.to_owned() },
        Err(error) => LiveEvent::Error(error.to_string()),
    });
}
