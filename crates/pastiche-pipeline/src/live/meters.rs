//! Figures of a running session, in fixed memory.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Percentiles;

/// Over how long a rate is measured.
const RATE_WINDOW: Duration = Duration::from_secs(2);
/// Values that a window holds: ten seconds of a quick camera.
const WINDOW_VALUES: usize = 300;

/// Frames a second over the last two seconds.
#[derive(Debug, Default)]
pub(super) struct RateMeter {
    times: VecDeque<Instant>,
}

impl RateMeter {
    pub(super) fn tick(&mut self, now: Instant) {
        self.forget(now);
        self.times.push_back(now);
    }

    pub(super) fn fps(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let Some(first) = self.times.front() else { return 0.0 };
        let seconds = now.duration_since(*first).as_secs_f64();
        let intervals = self.times.len() - 1;
        if intervals == 0 || seconds == 0.0 { 0.0 } else { intervals as f64 / seconds }
    }

    fn forget(&mut self, now: Instant) {
        while self.times.front().is_some_and(|time| now.duration_since(*time) > RATE_WINDOW) {
            self.times.pop_front();
        }
    }
}

/// The last few hundred values, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Window {
    values: VecDeque<f64>,
}

impl Window {
    pub(super) fn record(&mut self, value: Duration) {
        if self.values.len() == WINDOW_VALUES {
            self.values.pop_front();
        }
        self.values.push_back(value.as_secs_f64() * 1e3);
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        let mut sorted: Vec<f64> = self.values.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1);
        Percentiles { p50: at(50).copied().unwrap_or_default(), p95: at(95).copied().unwrap_or_default() }
    }
}

/// All values of a session, to a quarter of a millisecond.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Histogram {
    const STEPS_PER_MS: f64 = 4.0;
    /// Up to two seconds; what takes longer counts as two.
    const BUCKETS: usize = 8000;

    pub(super) fn record(&mut self, value: Duration) {
        let bucket = (value.as_secs_f64() * 1e3 * Self::STEPS_PER_MS) as usize;
        self.counts[bucket.min(Self::BUCKETS - 1)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    /// How many values there were.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The largest, exactly.
    pub(super) fn max_ms(&self) -> f64 {
        self.max.as_secs_f64() * 1e3
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        Percentiles { p50: self.percentile_ms(50), p95: self.percentile_ms(95) }
    }

    /// By nearest rank; the upper edge of its bucket, so that nothing looks faster than it was.
    fn percentile_ms(&self, percent: u64) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        (bucket.unwrap_or(Self::BUCKETS - 1) + 1) as f64 / Self::STEPS_PER_MS
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; Self::BUCKETS], total: 0, max: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn rates_are_those_of_the_last_two_seconds_and_fade() {
        let start = Instant::now();
        let mut meter = RateMeter::default();
        for frame in 0..200 {
            meter.tick(start + 40 * frame * MS);
        }
        let last = start + 40 * 199 * MS;
        assert!((meter.fps(last) - 25.0).abs() < 0.1);
        assert!((meter.fps(last + 1000 * MS) - 12.5).abs() < 0.6);
        assert_eq!(meter.fps(last + 3000 * MS), 0.0);
    }

    #[test]
    fn windows_and_histograms_agree() {
        let (mut window, mut histogram) = (Window::default(), Histogram::default());
        for value in (1..=100).rev() {
            window.record(value * MS);
            histogram.record(value * MS);
        }
        assert_eq!(window.percentiles(), Percentiles { p50: 50.0, p95: 95.0 });
        assert_eq!(histogram.percentiles(), Percentiles { p50: 50.25, p95: 95.25 });
        for _ in 0..WINDOW_VALUES {
            window.record(7 * MS);
        }
        assert_eq!(window.percentiles(), Percentiles { p50: 7.0, p95: 7.0 });
        assert_eq!(Histogram::default().percentiles(), Percentiles::default());
        histogram.record(Duration::from_secs(60));
        assert_eq!(histogram.percentile_ms(100), 2000.0);
        assert_eq!((histogram.max_ms(), histogram.total()), (60_000.0, 101));
    }
}
