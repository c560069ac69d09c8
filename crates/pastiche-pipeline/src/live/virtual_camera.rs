//! The virtual camera's thread: what is painted, as a camera for other programs.

use std::{path::PathBuf, sync::Arc};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use pastiche_frame::{Frame, FramePool};
use pastiche_media::VirtualCamera;

use super::{LiveError, LiveEvent, painter::copied, shared::Shared, threads::Thread};

/// A virtual camera that runs. Dropping it ends it.
pub(super) struct VirtualCameraOutput {
    frames: Sender<Frame>,
    pool: FramePool,
}

impl VirtualCameraOutput {
    /// Starts to show; the device is opened with the first frame.
    pub(super) fn start(device: Option<PathBuf>, shared: &Arc<Shared>) -> Result<(Self, Thread), LiveError> {
        let (sender, frames) = bounded(1);
        let thread = {
            let shared = Arc::clone(shared);
            let number = shared.next_virtual_camera();
            move || run(device, number, &shared, &frames)
        };
        let thread = Thread::start("virtual-camera", shared, thread)?;
        Ok((Self { frames: sender, pool: FramePool::new(3) }, thread))
    }

    /// Shows a copy of a painted frame, unless the last one is still on its way. False where it has ended by itself.
    pub(super) fn show(&self, painted: &Frame) -> bool {
        if self.frames.is_full() {
            return true;
        }
        !matches!(self.frames.try_send(copied(painted, &self.pool)), Err(TrySendError::Disconnected(_)))
    }
}

fn run(device: Option<PathBuf>, number: u64, shared: &Shared, frames: &Receiver<Frame>) {
    let mut camera: Option<VirtualCamera> = None;
    while let Ok(frame) = frames.recv() {
        let size = (frame.width() & !1, frame.height() & !1);
        // A new size needs the device anew.
        camera = camera.filter(|camera| camera.size() == size);
        let opened = match camera.take() {
            Some(camera) => Ok(camera),
            None => VirtualCamera::open(device.as_deref(), size).inspect(|camera| {
                shared.set_virtual_camera(number, Some(camera.path().to_owned()));
            }),
        };
        let shown = opened.and_then(|mut camera| camera.show(&frame).map(|()| camera));
        match shown {
            Ok(shown) => camera = Some(shown),
            Err(error) => {
                shared.tell(LiveEvent::Error(error.to_string()));
                break;
            }
        }
    }
    shared.set_virtual_camera(number, None);
}
