//! When sound was heard. A sound card counts its samples by a clock of its own, and tells of them with some delay that
//! varies; here the two become times that run evenly and stay by the system's clock.

use std::time::{Duration, Instant};

/// In this time an error of the clock is brought down to a third.
const SETTLING: Duration = Duration::from_secs(2);
/// A single time that is further off counts as if it were this far: the thread that took it was held up.
const MAX_ERROR: Duration = Duration::from_millis(20);
/// What is further off than this, again and again, is another clock: the machine slept, or the device lost sound unnoticed.
const JUMP: Duration = Duration::from_millis(150);
/// How often again.
const JUMPS: u32 = 3;
/// So long after the start, the earliest time is the right one: what is told can be late only.
const BEGINNING: Duration = Duration::from_secs(1);

/// The clock of one device.
pub(super) struct SoundClock {
    rate_hz: u32,
    /// When the next sample is due.
    next: Option<Instant>,
    /// Pieces one after the other that were far off.
    far_off: u32,
    /// How much was heard.
    heard: Duration,
}

impl SoundClock {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self { rate_hz, next: None, far_off: 0, heard: Duration::ZERO }
    }

    /// When a piece of sound began of which the system says that it began `at`. `after_gap`: sound was lost before it.
    pub(super) fn place(&mut self, at: Instant, samples: usize, after_gap: bool) -> Instant {
        let length = Duration::from_secs_f64(samples as f64 / f64::from(self.rate_hz));
        let start = match self.next {
            Some(next) if !after_gap => self.corrected(next, at, length),
            // What was heard before a gap is not heard again.
            Some(next) => at.max(next),
            None => at,
        };
        self.next = Some(start + length);
        self.heard += length;
        start
    }

    /// `next`, nearer to `at` by as much as is due after `length`.
    fn corrected(&mut self, next: Instant, at: Instant, length: Duration) -> Instant {
        if self.heard < BEGINNING && at < next {
            return at;
        }
        let (late, early) = (at.saturating_duration_since(next), next.saturating_duration_since(at));
        self.far_off = if late.max(early) > JUMP { self.far_off + 1 } else { 0 };
        if self.far_off >= JUMPS {
            self.far_off = 0;
            return at;
        }
        let share = (length.as_secs_f64() / SETTLING.as_secs_f64()).min(1.0);
        let part = |error: Duration| error.min(MAX_ERROR).mul_f64(share);
        next + part(late) - part(early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;
    const PIECE: usize = 480;
    const PIECE_TIME: Duration = Duration::from_millis(10);
    const MS: Duration = Duration::from_millis(1);

    /// The delay of a piece: mostly little, now and then much.
    fn delay(index: u32) -> Duration {
        let random = index.wrapping_mul(2_654_435_761) >> 16;
        if random.is_multiple_of(50) { 60 * MS } else { Duration::from_micros(u64::from(random % 4000)) }
    }

    #[test]
    fn sound_of_a_clock_that_drifts_stays_in_time_and_runs_evenly() {
        let begun = Instant::now();
        for drift in [-300e-6, 0.0, 300e-6] {
            let mut clock = SoundClock::new(RATE_HZ);
            let mut before: Option<Instant> = None;
            // Ten minutes.
            for index in 0..60_000 {
                let heard = begun + PIECE_TIME.mul_f64(f64::from(index) * (1.0 + drift));
                let placed = clock.place(heard + delay(index), PIECE, false);
                let off =
                    placed.saturating_duration_since(heard).max(heard.saturating_duration_since(placed));
                assert!(off < 12 * MS || index < 10, "{off:?} off at {index}");
                if let Some(before) = before.filter(|_| index > 100) {
                    let step = placed.duration_since(before).as_secs_f64() / PIECE_TIME.as_secs_f64();
                    assert!((step - 1.0).abs() < 0.011, "a step of {step} at {index}");
                }
                before = Some(placed);
            }
        }
    }

    #[test]
    fn a_gap_and_a_jump_are_taken_over_and_nothing_is_heard_twice() {
        let begun = Instant::now();
        let mut clock = SoundClock::new(RATE_HZ);
        assert_eq!(clock.place(begun, PIECE, false), begun);
        assert_eq!(clock.place(begun + 50 * MS, PIECE, true), begun + 50 * MS);
        assert_eq!(clock.place(begun + 20 * MS, PIECE, true), begun + 60 * MS);
        let jump = Duration::from_secs(5);
        let placed: Vec<_> =
            (7..12).map(|index| clock.place(begun + jump + index * PIECE_TIME, PIECE, false)).collect();
        assert!(placed[1] < begun + jump, "one piece that is far off says nothing");
        assert_eq!(placed[2..], [9, 10, 11].map(|index| begun + jump + index * PIECE_TIME));
    }
}
