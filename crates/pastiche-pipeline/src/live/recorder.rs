//! The recorder's thread: what is painted, into an MP4 file that plays at every moment, each frame at its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use pastiche_frame::{Frame, FramePool, PixelFormat, Rational, Timestamp};
use pastiche_inference::resized;
use pastiche_media::{EncodeOptions, EncodeSummary, MediaError, VideoEncoder};

use super::{
    LiveError, LiveEvent, RecordingOptions, RecordingStatus, painter::copied, shared::Shared,
    sound::RecordedSound, threads::Thread,
};

/// Frames that wait for the encoder: what a slow moment of half a second brings.
const QUEUED_FRAMES: usize = 16;
/// Assumed for the length of the last frame.
const NOMINAL_RATE: i32 = 25;
/// How long a frame is waited for before the sound that came meanwhile is taken.
const SOUND_POLL: Duration = Duration::from_millis(100);
/// How often the status is told: people read it.
const STATUS_PERIOD: Duration = Duration::from_millis(200);

/// A recording that runs. Dropping it closes the file.
pub(super) struct Recorder {
    frames: Sender<Recorded>,
    pool: FramePool,
    dropped: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

struct Recorded {
    frame: Frame,
    at: Instant,
}

impl Recorder {
    /// Starts to record; the file is opened with the first frame.
    pub(super) fn start(
        options: RecordingOptions,
        shared: &Arc<Shared>,
    ) -> Result<(Self, Thread), LiveError> {
        let (sender, frames) = bounded(QUEUED_FRAMES);
        let dropped = Arc::new(AtomicU64::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let recording = Recording {
            ended: Arc::clone(&ended),
            status: RecordingStatus::new(&options.path),
            options,
            shared: Arc::clone(shared),
            dropped: Arc::clone(&dropped),
        };
        shared.update(|status| status.recording = Some(recording.status.clone()));
        let thread = Thread::start("record", shared, move || recording.run(&frames))?;
        Ok((Self { frames: sender, pool: FramePool::new(QUEUED_FRAMES + 2), dropped, ended }, thread))
    }

    /// Whether it has ended by itself, so that another one may begin.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Takes a copy of a painted frame along. False where the recording has ended by itself.
    pub(super) fn record(&self, painted: &Frame, at: Instant) -> bool {
        if self.frames.is_full() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let frame = copied(painted, &self.pool);
        match self.frames.try_send(Recorded { frame, at }) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// The recorder's side of it.
struct Recording {
    options: RecordingOptions,
    shared: Arc<Shared>,
    dropped: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    status: RecordingStatus,
}

impl Recording {
    fn run(mut self, frames: &Receiver<Recorded>) {
        let event = match self.record(frames) {
            Ok(Some((encoded, sound_lost))) => LiveEvent::RecordingSaved {
                path: self.options.path.clone(),
                frames: encoded.frames,
                dropped: self.dropped.load(Ordering::Relaxed),
                duration: encoded.duration,
                sound_lost,
            },
            Ok(None) => LiveEvent::Error(format!(
                "the recording was stopped before the first frame, so nothing was written: {}",
                self.options.path.display()
            )),
            Err(error) if self.status.frames > 0 => LiveEvent::Error(format!(
                "the recording broke off; what was recorded until then plays, but for the last seconds: {error}"
            )),
            Err(error) => LiveEvent::Error(error.to_string()),
        };
        self.ended.store(true, Ordering::Release);
        // Another recording may have begun while this one was being closed.
        self.shared.update(|status| {
            if status.recording.as_ref().is_some_and(|recording| recording.path == self.options.path) {
                status.recording = None;
            }
        });
        self.shared.tell(event);
    }

    /// Records until there are no more frames, and returns what was written and how much sound was lost.
    fn record(
        &mut self,
        frames: &Receiver<Recorded>,
    ) -> Result<Option<(EncodeSummary, Option<Duration>)>, MediaError> {
        let microphone = self.options.microphone.take();
        let mut sound = microphone.map(|choice| RecordedSound::start(choice, &self.shared)).transpose()?;
        let Ok(first) = frames.recv() else { return Ok(None) };
        // What an odd side loses is one line.
        let size = (first.frame.width() & !1, first.frame.height() & !1);
        let mut encoder = self.open(&first.frame, size, sound.is_some())?;
        self.shared.tell(LiveEvent::RecordingStarted { path: self.options.path.clone() });
        let begun = first.at;
        // One is written while the next is made.
        let pool = FramePool::new(2);
        let (mut told, mut last) = (begun, begun);
        let mut next = Ok(first);
        loop {
            match next {
                Ok(Recorded { frame, at }) => {
                    last = at;
                    self.write(
                        &mut encoder,
                        fitted(frame, size, &pool),
                        at.saturating_duration_since(begun),
                    )?;
                    if at.saturating_duration_since(told) >= STATUS_PERIOD {
                        told = at;
                        self.tell_status(false);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            match &mut sound {
                Some(sound) => {
                    sound.write(&mut encoder, begun, last)?;
                    next = frames.recv_timeout(SOUND_POLL);
                }
                None => next = frames.recv().map_err(|_| RecvTimeoutError::Disconnected),
            }
        }
        self.tell_status(true);
        let sound_lost = match sound {
            Some(mut sound) => {
                sound.write(&mut encoder, begun, last)?;
                Some(sound.lost_until(begun, last))
            }
            None => None,
        };
        encoder.finish().map(|summary| Some((summary, sound_lost)))
    }

    fn write(
        &mut self,
        encoder: &mut VideoEncoder,
        mut frame: Frame,
        time: Duration,
    ) -> Result<(), MediaError> {
        frame.timestamp = Timestamp::from_duration(time);
        frame.duration_ticks = None;
        encoder.write(&frame)?;
        self.status.frames += 1;
        self.status.duration = time;
        Ok(())
    }

    fn open(
        &self,
        first: &Frame,
        (width, height): (u32, u32),
        with_sound: bool,
    ) -> Result<VideoEncoder, MediaError> {
        VideoEncoder::create_recording(
            &self.options.path,
            &EncodeOptions {
                width,
                height,
                time_base: Rational::MICROSECONDS,
                frame_rate: Rational::new(NOMINAL_RATE, 1).ok(),
                constant_frame_rate: None,
                color_space: first.color_space,
                encoder: self.options.encoder.clone(),
                crf: self.options.crf,
                preset: self.options.preset.clone(),
                audio: None,
            },
            with_sound,
        )
    }

    fn tell_status(&mut self, closing: bool) {
        self.status.dropped = self.dropped.load(Ordering::Relaxed);
        self.status.closing = closing;
        self.shared.update(|status| {
            if let Some(recording) = status.recording.as_mut().filter(|known| known.path == self.status.path)
            {
                recording.clone_from(&self.status);
            }
        });
    }
}

/// `frame` scaled into a picture of that size without changing its shape, black where it does not reach.
fn fitted(frame: Frame, (width, height): (u32, u32), pool: &FramePool) -> Frame {
    if (frame.width(), frame.height()) == (width, height) {
        return frame;
    }
    let cropped = frame.width() & !1 == width && frame.height() & !1 == height;
    let scale =
        (f64::from(width) / f64::from(frame.width())).min(f64::from(height) / f64::from(frame.height()));
    let side = |side: u32, max: u32| ((f64::from(side) * scale).round() as u32).clamp(1, max);
    let inner = if cropped {
        frame
    } else {
        let (inner_width, inner_height) = (side(frame.width(), width), side(frame.height(), height));
        // Painted frames are RGB, which is all that resizing asks for.
        let Ok(inner) = resized(frame, inner_width, inner_height) else { unreachable!("an RGB frame") };
        inner
    };
    let mut picture = pool.take(width, height, PixelFormat::Rgb8);
    picture.data_mut().fill(0);
    picture.copy_properties_from(&inner);
    let left = 3 * (width.saturating_sub(inner.width()) / 2) as usize;
    let top = (height.saturating_sub(inner.height()) / 2) as usize;
    for (row, copied) in picture.rows_mut().skip(top).zip(inner.rows()) {
        let length = copied.len().min(row.len());
        row[left..left + length].copy_from_slice(&copied[..length]);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32) -> Frame {
        Frame::from_data(width, height, PixelFormat::Rgb8, vec![100; (width * height * 3) as usize])
    }

    #[test]
    fn other_shapes_are_fitted_between_black_bars() {
        let fitted = fitted(grey(40, 20), (20, 20), &FramePool::new(1));
        let row = |y: usize| &fitted.data()[y * 60..(y + 1) * 60];
        assert_eq!((row(0), row(19)), (&[0; 60][..], &[0; 60][..]));
        assert_eq!(row(10), &[100; 60][..]);
    }

    #[test]
    fn odd_sides_lose_a_line_and_are_not_scaled() {
        let mut frame = grey(21, 11);
        frame.data_mut()[..3].fill(7);
        let fitted = fitted(frame, (20, 10), &FramePool::new(1));
        assert_eq!((fitted.width(), fitted.height()), (20, 10));
        assert_eq!((fitted.data()[0], fitted.data()[3]), (7, 100));
    }
}
