//! How fast a job goes right now.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Frames a second over a sliding window.
#[derive(Debug)]
pub(crate) struct SpeedMeter {
    window: Duration,
    /// When how many frames were done; the first mark is the last one that is older than the window.
    marks: VecDeque<(Instant, u64)>,
}

impl SpeedMeter {
    /// A meter that starts at `now` with so many frames done.
    pub(crate) fn new(now: Instant, frames_done: u64, window: Duration) -> Self {
        Self { window, marks: VecDeque::from([(now, frames_done)]) }
    }

    /// Takes note that `frames_done` frames are done at `now`, and returns the speed in frames a second.
    pub(crate) fn record(&mut self, now: Instant, frames_done: u64) -> f64 {
        if self.marks.back().is_none_or(|&(_, before)| before < frames_done) {
            self.marks.push_back((now, frames_done));
        }
        while self.marks.get(1).is_some_and(|&(time, _)| now.duration_since(time) >= self.window) {
            self.marks.pop_front();
        }
        let Some(&(since, before)) = self.marks.front() else { return 0.0 };
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds > 0.0 { (frames_done - before) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(5);

    #[test]
    fn speed_follows_the_last_seconds_only() {
        let start = Instant::now();
        let mut meter = SpeedMeter::new(start, 0, WINDOW);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        // Ten seconds at 10 frames a second, then ten at 50.
        let slow = (1..=100).map(|i| meter.record(at(i * 100), i)).last().unwrap();
        assert!((slow - 10.0).abs() < 0.2, "{slow}");
        let fast = (1..=500).map(|i| meter.record(at(10_000 + i * 20), 100 + i)).last().unwrap();
        assert!((fast - 50.0).abs() < 0.5, "{fast}");
    }

    #[test]
    fn frames_that_take_longer_than_the_window_still_have_a_speed() {
        let start = Instant::now();
        let mut meter = SpeedMeter::new(start, 0, WINDOW);
        meter.record(start + Duration::from_secs(10), 1);
        let speed = meter.record(start + Duration::from_secs(20), 2);
        assert!((speed - 0.1).abs() < 1e-9, "{speed}");
    }

    #[test]
    fn nothing_done_is_no_speed() {
        let start = Instant::now();
        assert_eq!(SpeedMeter::new(start, 0, WINDOW).record(start, 0), 0.0);
    }
}
