//! How far a job is.

use std::time::{Duration, Instant};

use crate::speed::SpeedMeter;

/// Speed is averaged over this long: steady enough to read, short enough to follow a change.
const SPEED_WINDOW: Duration = Duration::from_secs(5);

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Frames that are in the output.
    pub frames_done: u64,
    /// Frames that there will be, as far as the input tells.
    pub frames_total: Option<u64>,
    /// Speed over the last seconds.
    pub frames_per_second: f64,
    /// Time since the job started.
    pub elapsed: Duration,
    /// Time that the rest takes at this speed, where the total and the speed are known.
    pub time_left: Option<Duration>,
}

/// Turns a count of frames into [`Progress`].
#[derive(Debug)]
pub(crate) struct ProgressMeter {
    started: Instant,
    frames_total: Option<u64>,
    speed: SpeedMeter,
}

impl ProgressMeter {
    pub(crate) fn start(frames_total: Option<u64>) -> Self {
        let started = Instant::now();
        Self { started, frames_total, speed: SpeedMeter::new(started, 0, SPEED_WINDOW) }
    }

    /// Counts frames that were done before, which say nothing about the speed.
    pub(crate) fn pass(&mut self, frames_done: u64) -> Progress {
        self.speed = SpeedMeter::new(Instant::now(), frames_done, SPEED_WINDOW);
        self.at(frames_done)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn at(&mut self, frames_done: u64) -> Progress {
        let now = Instant::now();
        let frames_per_second = self.speed.record(now, frames_done);
        // Where the container undercounts, what is done is the better total.
        let frames_total = self.frames_total.map(|total| total.max(frames_done));
        let time_left = frames_total.and_then(|total| {
            let frames_left = (total - frames_done) as f64;
            Duration::try_from_secs_f64(frames_left / frames_per_second).ok()
        });
        Progress {
            frames_done,
            frames_total,
            frames_per_second,
            elapsed: now.duration_since(self.started),
            time_left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_needs_a_speed_and_a_total() {
        let mut meter = ProgressMeter::start(Some(10));
        assert_eq!(meter.at(0).time_left, None);
        std::thread::sleep(Duration::from_millis(20));
        let progress = meter.at(5);
        let left = progress.time_left.unwrap();
        assert!(left >= Duration::from_millis(20) && left < Duration::from_secs(1), "{left:?}");
        assert!((progress.frames_per_second * left.as_secs_f64() - 5.0).abs() < 1e-6);
        assert_eq!(ProgressMeter::start(None).at(5).time_left, None);
    }

    #[test]
    fn what_was_done_before_is_no_speed() {
        let mut meter = ProgressMeter::start(Some(600));
        let passed = meter.pass(500);
        assert_eq!((passed.frames_done, passed.frames_per_second, passed.time_left), (500, 0.0, None));
        std::thread::sleep(Duration::from_millis(20));
        let speed = meter.at(501).frames_per_second;
        assert!(speed > 0.0 && speed <= 50.0, "{speed}");
    }

    #[test]
    fn a_total_that_was_too_low_grows() {
        let progress = ProgressMeter::start(Some(10)).at(11);
        assert_eq!(progress.frames_total, Some(11));
    }
}
