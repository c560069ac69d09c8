//! The source's thread: hands frames to the engine as their time comes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use pastiche_frame::{Frame, FramePool};
use pastiche_inference::resized;
use pastiche_media::{
    Camera, CameraEvent, CameraOptions, DecodeOptions, MediaError, VideoDecoder, read_image,
};

use super::{
    LiveSource, SourceState,
    shared::{Captured, Shared},
    threads::StopSignal,
};

/// Buffers that go round: in the decoder's, the slot's, the engine's and the viewer's hands, with some to spare.
const POOLED_FRAMES: usize = 6;
/// How often a photograph is shown again.
const STILL_PERIOD: Duration = Duration::from_millis(50);
/// The longest side of a photograph where no size is asked for: as much as a screen shows.
const MAX_STILL_SIDE: u32 = 1920;
/// How long a camera is waited for before looking whether to stop.
const CAMERA_POLL: Duration = Duration::from_millis(50);
/// A video that is later than this does not catch up, but goes on from where it is.
const MAX_LAG: Duration = Duration::from_millis(200);
/// How often a video that stands still looks whether to go on.
const PAUSE_POLL: Duration = Duration::from_millis(20);
/// For the last frame of a video that does not say how long it lasts.
const FALLBACK_FRAME_TIME: Duration = Duration::from_millis(40);

/// One source, until it is told to stop.
pub(super) struct SourceLoop {
    pub(super) shared: Arc<Shared>,
    pub(super) generation: u64,
    pub(super) stop: StopSignal,
    /// Width and height of the frames; the source's own where nothing is said.
    pub(super) size: Option<(u32, u32)>,
}

impl SourceLoop {
    pub(super) fn run(self, source: LiveSource) {
        let failed = match source {
            LiveSource::Camera(options) => {
                self.camera(options);
                return;
            }
            LiveSource::Video(path) => self.video(&path),
            LiveSource::Still(path) => self.still(&path),
        };
        if let Err(error) = failed {
            let lost = SourceState::Lost { reason: error.to_string(), retrying: false };
            self.shared.set_source(self.generation, lost);
        }
    }

    fn camera(&self, options: CameraOptions) {
        let mut camera = Camera::new(options, self.size, FramePool::new(POOLED_FRAMES));
        while !self.stop.is_given() {
            match camera.next_event(CAMERA_POLL) {
                Some(CameraEvent::Running(mode)) => self.shared.set_source(
                    self.generation,
                    SourceState::Running { name: mode.name, width: mode.width, height: mode.height },
                ),
                Some(CameraEvent::Frame { frame, at, took }) => self.put(frame, at, took, false),
                Some(CameraEvent::Lost(error)) => self.shared.set_source(
                    self.generation,
                    SourceState::Lost { reason: error.to_string(), retrying: true },
                ),
                None => {}
            }
        }
    }

    /// Plays a video again and again, each frame at its time.
    fn video(&self, path: &Path) -> Result<(), MediaError> {
        let pool = FramePool::new(POOLED_FRAMES);
        let options = DecodeOptions { size: self.size, ..DecodeOptions::default() };
        let mut clock = VideoClock::start(Instant::now());
        let mut first_round = true;
        loop {
            let mut decoder = VideoDecoder::open(path, &options)?;
            if first_round {
                let (width, height) = decoder.size();
                let running = SourceState::Running { name: file_name(path), width, height };
                self.shared.set_source(self.generation, running);
                first_round = false;
            }
            let mut frames = 0_u64;
            loop {
                let begun = Instant::now();
                let Some(frame) = decoder.next_frame(&pool)? else { break };
                let took = begun.elapsed();
                frames += 1;
                while self.shared.is_paused() {
                    if self.stop.sleep(PAUSE_POLL) {
                        return Ok(());
                    }
                }
                let due = clock.due(&frame, Instant::now());
                if self.stop.sleep_until(due) {
                    return Ok(());
                }
                self.put(frame, Instant::now(), took, false);
            }
            if frames == 0 {
                let found = "nothing that can be decoded".to_owned();
                return Err(MediaError::NoVideo { found, path: path.to_owned() });
            }
            clock.next_round();
        }
    }

    /// Shows a photograph again and again, so that every change of the controls shows.
    fn still(&self, path: &Path) -> Result<(), MediaError> {
        let picture = read_image(path)?;
        let (width, height) =
            self.size.unwrap_or_else(|| fitting(picture.width(), picture.height(), MAX_STILL_SIDE));
        // The frame is RGB, which is all that resizing asks for.
        let Ok(picture) = resized(picture, width, height) else { return Ok(()) };
        let pool = FramePool::new(POOLED_FRAMES);
        let running = SourceState::Running { name: file_name(path), width, height };
        self.shared.set_source(self.generation, running);
        let mut shown_before = false;
        loop {
            let begun = Instant::now();
            let mut frame = pool.take_like(&picture, width, height);
            frame.data_mut().copy_from_slice(picture.data());
            self.put(frame, begun, begun.elapsed(), shown_before);
            shown_before = true;
            if self.stop.sleep(STILL_PERIOD) {
                return Ok(());
            }
        }
    }

    fn put(&self, frame: Frame, at: Instant, took: Duration, still: bool) {
        self.shared.put_captured(Captured { frame, at, generation: self.generation, still }, took);
    }
}

/// When each frame of a video in a loop is due.
struct VideoClock {
    /// When the current round's time zero was.
    zero: Instant,
    /// When the last frame ends.
    end: Instant,
    last: Instant,
}

impl VideoClock {
    fn start(now: Instant) -> Self {
        Self { zero: now, end: now, last: now }
    }

    /// When to show `frame`; what has become late moves all that follow.
    fn due(&mut self, frame: &Frame, now: Instant) -> Instant {
        let time = Duration::try_from_secs_f64(frame.timestamp.as_secs_f64()).unwrap_or_default();
        let mut due = self.zero + time;
        let late = now.saturating_duration_since(due);
        if late > MAX_LAG {
            self.zero += late;
            due = now;
        }
        let own = frame.duration_ticks.map(|ticks| ticks as f64 * frame.timestamp.time_base.as_f64());
        let own = own.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let since_last = due.saturating_duration_since(self.last);
        let length = own.unwrap_or(if since_last.is_zero() { FALLBACK_FRAME_TIME } else { since_last });
        self.last = due;
        self.end = due + length;
        due
    }

    /// The next round starts where the last frame ends.
    fn next_round(&mut self) {
        self.zero = self.end;
    }
}

/// The name that people know a file by.
fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| PathBuf::from(path).display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A size of the same shape whose longer side is at most `max`.
fn fitting(width: u32, height: u32, max: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= max {
        return (width, height);
    }
    let scaled = |side: u32| ((f64::from(side) * f64::from(max) / f64::from(longer)).round() as u32).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use pastiche_frame::{PixelFormat, Rational, Timestamp};

    use super::*;

    fn frame(index: i64) -> Frame {
        let mut frame = Frame::from_data(1, 1, PixelFormat::Rgb8, vec![0; 3]);
        let time_base = Rational::new(1, 25).unwrap();
        frame.timestamp = Timestamp::new(index, time_base);
        frame.duration_ticks = Some(1);
        frame
    }

    #[test]
    fn a_video_in_a_loop_keeps_its_rate_over_the_seam() {
        let start = Instant::now();
        let mut clock = VideoClock::start(start);
        let mut times = Vec::new();
        for _ in 0..3 {
            times.extend((0..5).map(|index| clock.due(&frame(index), start) - start));
            clock.next_round();
        }
        let expected: Vec<_> = (0..15).map(|index| Duration::from_millis(40 * index)).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn what_was_held_up_goes_on_without_a_rush() {
        let start = Instant::now();
        let mut clock = VideoClock::start(start);
        clock.due(&frame(0), start);
        let late = start + Duration::from_secs(3);
        assert_eq!(clock.due(&frame(1), late), late);
        assert_eq!(clock.due(&frame(2), late), late + Duration::from_millis(40));
    }

    #[test]
    fn large_photographs_are_made_to_fit() {
        assert_eq!(fitting(640, 480, 1920), (640, 480));
        assert_eq!(fitting(6000, 4000, 1920), (1920, 1280));
        assert_eq!(fitting(100, 10_000, 1920), (19, 1920));
    }
}
