//! What a handful of timings say.

use std::time::Duration;

use serde::Serialize;

/// Milliseconds a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) min: f64,
}

impl Milliseconds {
    /// The figures of at least one timing.
    pub(crate) fn of(timings: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = timings.iter().map(|timing| timing.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        // Nearest rank: the smallest timing that 95 in 100 do not exceed.
        let rank = (sorted.len() * 95).div_ceil(100);
        Self { median: rounded(median), p95: rounded(sorted[rank - 1]), min: rounded(sorted[0]) }
    }
}

/// Rounded to three places: more is noise.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_nearest_rank_and_middle() {
        let of = |timings: Vec<u64>| {
            Milliseconds::of(&timings.into_iter().map(Duration::from_millis).collect::<Vec<_>>())
        };
        assert_eq!(of((1..=20).rev().collect()), Milliseconds { median: 10.5, p95: 19.0, min: 1.0 });
        assert_eq!(of((1..=101).collect()), Milliseconds { median: 51.0, p95: 96.0, min: 1.0 });
        assert_eq!(of(vec![7]), Milliseconds { median: 7.0, p95: 7.0, min: 7.0 });
    }
}
