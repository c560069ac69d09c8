//! From what the system hands over, on a thread of its own that must not wait, to sound with its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use cpal::{FromSample, InputCallbackInfo, SampleFormat, SizedSample, StreamConfig, traits::DeviceTrait};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{MicrophoneEvent, clock::SoundClock};

/// Pieces of sound that wait: a second of them, also where they are small.
pub(super) const QUEUED_PIECES: usize = 256;
/// Samples that a piece has room for from the start: what systems usually hand over.
const USUAL_SAMPLES: usize = 1024;

/// A piece of sound: two channels, -1 to 1. Its buffer goes back to the microphone when it is dropped.
#[derive(Debug)]
pub struct Sound {
    /// Left and right.
    pub samples: Vec<(f32, f32)>,
    /// Samples a second.
    pub rate_hz: u32,
    /// When the first sample was heard.
    pub at: Instant,
    home: Sender<Vec<(f32, f32)>>,
}

impl Drop for Sound {
    fn drop(&mut self) {
        // Where the microphone is gone, so is the use of its buffers.
        let _ = self.home.try_send(std::mem::take(&mut self.samples));
    }
}

/// What the callbacks leave for the thread that watches, and for each other.
#[derive(Default)]
pub(super) struct Signs {
    /// Counts the pieces that came.
    pub(super) pieces: AtomicU64,
    /// Sound was lost before the next piece.
    pub(super) gap: AtomicBool,
}

/// Takes pieces of sound as they come.
struct Collector {
    events: Sender<MicrophoneEvent>,
    signs: Arc<Signs>,
    clock: SoundClock,
    channels: usize,
    rate_hz: u32,
    idle: Receiver<Vec<(f32, f32)>>,
    home: Sender<Vec<(f32, f32)>>,
}

impl Collector {
    fn new(config: &StreamConfig, events: Sender<MicrophoneEvent>, signs: Arc<Signs>) -> Self {
        let (home, idle) = bounded(QUEUED_PIECES);
        for _ in 0..QUEUED_PIECES {
            // There is room for all of them.
            let _ = home.try_send(Vec::with_capacity(USUAL_SAMPLES));
        }
        let rate_hz = config.sample_rate;
        let channels = usize::from(config.channels).max(1);
        Self { events, signs, clock: SoundClock::new(rate_hz), channels, rate_hz, idle, home }
    }

    /// Hands a piece on, the first two channels of it. Where nobody takes it in time it is lost, and the next one's time
    /// tells so.
    fn collect<T: SizedSample>(&mut self, interleaved: &[T], info: &InputCallbackInfo)
    where
        f32: FromSample<T>,
    {
        let times = info.timestamp();
        let age = times.callback.saturating_duration_since(times.capture);
        let now = Instant::now();
        let after_gap = self.signs.gap.swap(false, Ordering::AcqRel);
        let count = interleaved.len() / self.channels;
        let at = self.clock.place(now.checked_sub(age).unwrap_or(now), count, after_gap);
        self.signs.pieces.fetch_add(1, Ordering::Release);
        if self.events.is_full() {
            return;
        }
        let mut samples = self.idle.try_recv().unwrap_or_default();
        samples.clear();
        samples.extend(interleaved.chunks_exact(self.channels).map(|each| {
            let value = |index: usize| f32::from_sample_(each[index]);
            (value(0), value(1.min(each.len() - 1)))
        }));
        let sound = Sound { samples, rate_hz: self.rate_hz, at, home: self.home.clone() };
        let _ = self.events.try_send(MicrophoneEvent::Sound(sound));
    }
}

/// Begins to listen. What ends it is told to `failures`.
pub(super) fn listen(
    device: &cpal::Device,
    events: Sender<MicrophoneEvent>,
    signs: &Arc<Signs>,
    failures: Sender<cpal::Error>,
) -> Result<cpal::Stream, cpal::Error> {
    let supported = device.default_input_config()?;
    let config = supported.config();
    let collector = Collector::new(&config, events, Arc::clone(signs));
    let signs = Arc::clone(signs);
    let on_error = move |error: cpal::Error| match error.kind() {
        cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged => signs.gap.store(true, Ordering::Release),
        // It goes on, if less evenly.
        cpal::ErrorKind::RealtimeDenied => {}
        // The first counts.
        _ => drop(failures.try_send(error)),
    };
    match supported.sample_format() {
        SampleFormat::I8 => build::<i8>(device, config, collector, on_error),
        SampleFormat::I16 => build::<i16>(device, config, collector, on_error),
        SampleFormat::I24 => build::<cpal::I24>(device, config, collector, on_error),
        SampleFormat::I32 => build::<i32>(device, config, collector, on_error),
        SampleFormat::U8 => build::<u8>(device, config, collector, on_error),
        SampleFormat::U16 => build::<u16>(device, config, collector, on_error),
        SampleFormat::F32 => build::<f32>(device, config, collector, on_error),
        SampleFormat::F64 => build::<f64>(device, config, collector, on_error),
        other => Err(cpal::Error::with_message(
            cpal::ErrorKind::UnsupportedConfig,
            format!("it gives samples as {other}, which are not taken"),
        )),
    }
}

fn build<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut collector: Collector,
    on_error: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    device.build_input_stream(
        config,
        move |interleaved: &[T], info: &InputCallbackInfo| collector.collect(interleaved, info),
        on_error,
        None,
    )
}
