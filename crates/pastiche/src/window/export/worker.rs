//! The thread that makes exports, by the same job as `pastiche video`.

use std::{
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use pastiche_inference::{ComputeDevice, InferenceError, Style, Stylizer, StylizerOptions, Upscaler};
use pastiche_pipeline::{Cancel, Painters, PipelineError, Progress, VideoJob};

use super::{ExportEvent, ExportOutcome, ExportRequest, Exporter, JobId};
use crate::{args::threads_beside_a_codec, failure::one_line, window::text};

/// Events that fit before the window has looked; progress that does not fit is left out.
const MAX_EVENTS: usize = 64;
/// An export and the one after it.
const MAX_ORDERS: usize = 2;

/// The "export" thread's other end.
pub(crate) struct ExportThread {
    orders: mpsc::SyncSender<Order>,
    events: mpsc::Receiver<ExportEvent>,
    running: Option<(JobId, Switches)>,
}

struct Order {
    id: JobId,
    request: ExportRequest,
    switches: Switches,
}

/// What reaches an export that runs.
#[derive(Clone, Default)]
struct Switches {
    cancel: Cancel,
    gate: Arc<Gate>,
}

/// Where an export waits while it is held.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set_closed(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.changed.notify_all();
    }

    /// Returns when the gate is open, and how long that took.
    fn pass(&self) -> Duration {
        let begun = Instant::now();
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        while *closed {
            closed = self.changed.wait(closed).unwrap_or_else(PoisonError::into_inner);
        }
        begun.elapsed()
    }
}

impl ExportThread {
    /// Starts the thread; `wake` is called when there is something to tell.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (orders, ordered) = mpsc::sync_channel::<Order>(MAX_ORDERS);
        let (told, events) = mpsc::sync_channel(MAX_EVENTS);
        thread::Builder::new().name("export".to_owned()).spawn(move || {
            for Order { id, request, switches } in ordered {
                let on_progress = |progress: &Progress| {
                    // A full channel means that the window has not looked for a while: the next one tells as much.
                    let _ = told.try_send(ExportEvent::Progress(id, *progress));
                    wake();
                };
                let event = match export(&request, &switches, on_progress) {
                    Ok(Ending::Done(outcome)) => ExportEvent::Done(id, outcome),
                    Ok(Ending::Cancelled { kept }) => ExportEvent::Cancelled(id, kept),
                    Err(error) => ExportEvent::Failed(id, one_line(&error)),
                };
                if told.send(event).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { orders, events, running: None })
    }
}

enum Ending {
    Done(ExportOutcome),
    Cancelled { kept: bool },
}

fn export(
    request: &ExportRequest,
    switches: &Switches,
    mut on_progress: impl FnMut(&Progress),
) -> anyhow::Result<Ending> {
    let find = |factor| {
        let file = request.upscaler.clone().map_or_else(|| Upscaler::find(factor), Ok)?;
        Ok::<_, InferenceError>((factor, file))
    };
    let enlarging = request.video.upscale.map(find).transpose()?;
    let job = VideoJob::open(request.video.clone())?;
    let device = ComputeDevice::open(request.engine.device)?;
    let options = StylizerOptions {
        threads: request.engine.threads.or_else(threads_beside_a_codec),
        precision: request.engine.precision,
        process_size: request.process_size,
    };
    let mut stylizer = Stylizer::new(Style::load(&request.style)?, &device, &options)?;
    stylizer.set_controls(request.controls)?;
    let load = |(factor, file): (u32, PathBuf)| Upscaler::load(&file, factor, &device, &options);
    let mut upscaler = enlarging.map(load).transpose()?;
    let mut held = Duration::ZERO;
    let result = job.run(
        Painters { stylizer: &mut stylizer, upscaler: upscaler.as_mut() },
        |progress| {
            on_progress(progress);
            // Holding this stage holds the others: their queues are bounded.
            held += switches.gate.pass();
        },
        &switches.cancel,
    );
    match result {
        Ok(summary) if summary.cancelled => Ok(Ending::Cancelled { kept: true }),
        Ok(summary) => Ok(Ending::Done(ExportOutcome {
            frames: summary.frames,
            elapsed: summary.elapsed.saturating_sub(held),
            bytes: summary.bytes,
        })),
        Err(PipelineError::NothingDone { .. }) => Ok(Ending::Cancelled { kept: false }),
        Err(error) => Err(error.into()),
    }
}

impl Exporter for ExportThread {
    fn start(&mut self, id: JobId, request: ExportRequest) {
        let switches = Switches::default();
        self.running = Some((id, switches.clone()));
        // The queue asks for one at a time, so there is room. A thread that is gone shows in `drain_events`.
        let _ = self.orders.try_send(Order { id, request, switches });
    }

    fn set_paused(&mut self, paused: bool) {
        if let Some((_, switches)) = &self.running {
            switches.gate.set_closed(paused);
        }
    }

    fn cancel(&mut self) {
        if let Some((_, switches)) = &self.running {
            switches.cancel.cancel();
            switches.gate.set_closed(false);
        }
    }

    fn drain_events(&mut self) -> Vec<ExportEvent> {
        let mut events = Vec::new();
        loop {
            match self.events.try_recv() {
                Ok(event) => {
                    if !matches!(event, ExportEvent::Progress(..)) {
                        self.running = None;
                    }
                    events.push(event);
                }
                Err(mpsc::TryRecvError::Empty) => return events,
                Err(mpsc::TryRecvError::Disconnected) => {
                    let lost = self.running.take();
                    events
                        .extend(lost.map(|(id, _)| ExportEvent::Failed(id, text::EXPORT_CRASHED.to_owned())));
                    return events;
                }
            }
        }
    }
}

impl Drop for ExportThread {
    fn drop(&mut self) {
        // An export in the middle stops, and leaves a file that plays.
        self.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pastiche_inference::{Controls, DeviceChoice};
    use pastiche_media::probe;
    use pastiche_pipeline::{VideoJobOptions, live::EngineOptions};

    use super::*;

    /// A few small frames of the demo clip, enlarged `factor` times by the network that does it 4 times.
    fn request(folder: &Path, factor: u32) -> ExportRequest {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        ExportRequest {
            style: program.join("models/starry_night.swift.safetensors"),
            style_title: "Starry Night".to_owned(),
            engine: EngineOptions { device: DeviceChoice::Cpu, ..EngineOptions::default() },
            controls: Controls::default(),
            process_size: None,
            upscaler: Some(program.join("models/upscalers/x4.safetensors")),
            video: VideoJobOptions {
                input: program.join("assets/harbour.mp4"),
                output: folder.join("large.mp4"),
                duration: Some(Duration::from_millis(100)),
                size: Some((48, 32)),
                upscale: Some(factor),
                ..VideoJobOptions::default()
            },
        }
    }

    /// What an export comes to.
    fn made(request: ExportRequest) -> ExportEvent {
        let (wake, woken) = mpsc::sync_channel(MAX_EVENTS);
        let mut thread = ExportThread::start(move || wake.try_send(()).unwrap_or_default()).unwrap();
        thread.start(JobId(1), request);
        loop {
            woken.recv_timeout(Duration::from_secs(120)).unwrap();
            let over = |event: &ExportEvent| !matches!(event, ExportEvent::Progress(..));
            if let Some(event) = thread.drain_events().into_iter().find(over) {
                return event;
            }
        }
    }

    #[test]
    fn an_export_is_painted_and_enlarged() {
        let folder = tempfile::tempdir().unwrap();
        let request = request(folder.path(), 4);
        let output = request.video.output.clone();
        let event = made(request);
        assert!(matches!(event, ExportEvent::Done(_, outcome) if outcome.frames > 1), "{event:?}");
        let video = probe(&output).unwrap().video.unwrap();
        assert_eq!((video.width, video.height), (192, 128));
    }

    #[test]
    fn what_cannot_be_enlarged_is_told_in_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let told = |request: ExportRequest| {
            let output = request.video.output.clone();
            let event = made(request);
            let ExportEvent::Failed(_, reason) = event else { panic!("{event:?}") };
            assert!(!reason.contains('\n') && !output.exists(), "{reason}");
            reason
        };
        let reason = told(request(folder.path(), 8));
        assert!(reason.contains("enlarges 4 times, not 8"), "{reason}");
        let none = ExportRequest { upscaler: None, ..request(folder.path(), 3) };
        let reason = told(none);
        assert!(reason.contains("3 times"), "{reason}");
        let mut large = request(folder.path(), 4);
        large.video.size = Some((4200, 16));
        let reason = told(large);
        assert!(reason.contains("4200x16") || reason.contains("16800x64"), "{reason}");
    }
}
