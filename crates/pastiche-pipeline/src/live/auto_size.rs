//! The largest size to work at that holds the rate.

use std::time::{Duration, Instant};

use super::AUTO_FPS;

/// Parts of the picture's sides, the largest first.
const SCALES: [f64; 7] = [1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.25];
/// Frames whose median decides: one slow frame changes nothing.
const FRAMES: usize = 15;
/// Fewer do where they took this long together; nobody should wait for 15 frames of a second each.
const FEWEST_FRAMES: usize = 3;
const LONG_MS: f64 = 2500.0;
/// Part of a frame's time that painting may take; the rest is for what else a frame needs.
const SHARE: f64 = 0.92;
/// Part of that which a larger size may be expected to take: a gap between down and up, so that it does not swing.
const MARGIN: f64 = 0.8;
/// How long a larger size must seem possible before it is tried.
const PATIENCE: Duration = Duration::from_secs(4);
/// A larger size that had to be given up is not tried again for this long, and each time for twice as long.
const MAX_PATIENCE: Duration = Duration::from_secs(300);
/// A size given up within this time counts as tried in vain.
const TRIAL: Duration = Duration::from_secs(20);

/// Follows how long painting takes, and says at which scale to work.
#[derive(Debug)]
pub(super) struct AutoSize {
    step: usize,
    times_ms: Vec<f64>,
    /// Since when a larger size seems possible.
    possible_since: Option<Instant>,
    patience: Duration,
    grown: Option<Instant>,
}

impl AutoSize {
    pub(super) fn new() -> Self {
        Self {
            step: 0,
            times_ms: Vec::with_capacity(FRAMES),
            possible_since: None,
            patience: PATIENCE,
            grown: None,
        }
    }

    /// Width and height to work at for a picture of `width` x `height`.
    pub(super) fn size(&self, width: u32, height: u32) -> (u32, u32) {
        if self.step == 0 {
            return (width, height);
        }
        let scale = SCALES[self.step];
        let side = |side: u32| {
            let scaled = (f64::from(side) * scale / 8.0).round() as u32 * 8;
            scaled.max(64).min(side)
        };
        (side(width), side(height))
    }

    /// Takes note how long a frame took; true where the size changes from now on.
    pub(super) fn record(&mut self, took: Duration, now: Instant) -> bool {
        self.times_ms.push(took.as_secs_f64() * 1e3);
        let frames = self.times_ms.len();
        let long = frames >= FEWEST_FRAMES && self.times_ms.iter().sum::<f64>() >= LONG_MS;
        if frames < FRAMES && !long {
            return false;
        }
        self.times_ms.sort_by(f64::total_cmp);
        let median_ms = self.times_ms[frames / 2];
        self.times_ms.clear();
        let budget_ms = SHARE * 1e3 / AUTO_FPS;
        if median_ms > budget_ms {
            return self.shrink(median_ms, budget_ms, now);
        }
        let larger_ms = self.step.checked_sub(1).map(|step| median_ms * self.area_ratio(step));
        if larger_ms.is_none_or(|larger_ms| larger_ms > MARGIN * budget_ms) {
            self.possible_since = None;
            return false;
        }
        let since = *self.possible_since.get_or_insert(now);
        if now.duration_since(since) < self.patience {
            return false;
        }
        self.step -= 1;
        self.possible_since = None;
        self.grown = Some(now);
        true
    }

    /// To the largest size that should hold the rate.
    fn shrink(&mut self, median_ms: f64, budget_ms: f64, now: Instant) -> bool {
        let last = SCALES.len() - 1;
        if self.step == last {
            return false;
        }
        if self.grown.take().is_some_and(|grown| now.duration_since(grown) < TRIAL) {
            self.patience = (2 * self.patience).min(MAX_PATIENCE);
        }
        let fits = |step: &usize| median_ms * self.area_ratio(*step) <= budget_ms;
        self.step = (self.step + 1..=last).find(fits).unwrap_or(last);
        self.possible_since = None;
        true
    }

    /// How many times as many pixels `step` has as the current one.
    fn area_ratio(&self, step: usize) -> f64 {
        (SCALES[step] / SCALES[self.step]).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that needs `full_ms` for the whole picture, for a while; returns the scales it worked at.
    fn run(auto: &mut AutoSize, now: &mut Instant, seconds: f64, full_ms: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut scales = vec![SCALES[auto.step]];
        let end = *now + Duration::from_secs_f64(seconds);
        let mut frame = 0;
        while *now < end {
            let took = Duration::from_secs_f64(full_ms(frame) * SCALES[auto.step].powi(2) / 1e3);
            *now += took.max(Duration::from_millis(33));
            if auto.record(took, *now) {
                scales.push(SCALES[auto.step]);
            }
            frame += 1;
        }
        scales
    }

    #[test]
    fn a_quick_machine_works_at_full_size() {
        let mut auto = AutoSize::new();
        assert_eq!(run(&mut auto, &mut Instant::now(), 60.0, |_| 30.0), [1.0]);
        assert_eq!(auto.size(641, 479), (641, 479));
    }

    #[test]
    fn a_slow_machine_finds_its_size_at_once_and_stays() {
        let mut auto = AutoSize::new();
        assert_eq!(run(&mut auto, &mut Instant::now(), 300.0, |_| 200.0), [1.0, 0.4]);
        assert_eq!(auto.size(640, 480), (256, 192));
        assert_eq!(auto.size(50, 20), (50, 20));
    }

    #[test]
    fn a_very_slow_machine_is_not_waited_for() {
        let (mut auto, mut now) = (AutoSize::new(), Instant::now());
        assert_eq!(run(&mut auto, &mut now, 3.0, |_| 1000.0), [1.0, 0.25]);
    }

    #[test]
    fn single_slow_frames_change_nothing() {
        let mut auto = AutoSize::new();
        let full_ms = |frame| if frame % 5 == 0 { 500.0 } else { 30.0 };
        assert_eq!(run(&mut auto, &mut Instant::now(), 60.0, full_ms), [1.0]);
    }

    #[test]
    fn it_grows_again_when_the_machine_is_free() {
        let (mut auto, mut now) = (AutoSize::new(), Instant::now());
        run(&mut auto, &mut now, 10.0, |_| 200.0);
        let scales = run(&mut auto, &mut now, 60.0, |_| 20.0);
        assert_eq!(scales, [0.4, 0.5, 0.65, 0.8, 1.0]);
    }

    #[test]
    fn a_size_that_does_not_hold_is_tried_more_and_more_rarely() {
        // Half the size is quick, and the next one much slower than its pixels tell.
        let (mut auto, mut now) = (AutoSize::new(), Instant::now());
        run(&mut auto, &mut now, 5.0, |_| 150.0);
        assert_eq!(SCALES[auto.step], 0.5);
        let mut changes = 0;
        let end = now + Duration::from_secs(600);
        while now < end {
            let took = Duration::from_millis(if SCALES[auto.step] > 0.5 { 60 } else { 20 });
            now += took.max(Duration::from_millis(33));
            changes += u32::from(auto.record(took, now));
        }
        assert!(changes <= 16, "{changes} changes in ten minutes");
    }
}
