//! When frames are shown: which of the decoded ones count, and where the encoded ones go.

use pastiche_frame::{Rational, Timestamp};

use crate::input::Window;

/// Where a decoded frame belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this tick after the window's start.
    At(i64),
    /// Not wanted: before the window, or too soon after the last one.
    Nowhere,
    /// At or after the window's end, as will be all that follow.
    PastEnd,
}

/// Puts decoded frames on the output's clock: from the window's start, strictly increasing.
#[derive(Debug)]
pub(crate) struct DecodeClock {
    window: Window,
    time_base: Rational,
    max_frame_rate: Option<Rational>,
    last_ticks: Option<i64>,
    last_slot: Option<i64>,
    next_pts_ticks: i64,
}

impl DecodeClock {
    pub(crate) fn new(window: Window, time_base: Rational, max_frame_rate: Option<Rational>) -> Self {
        Self {
            window,
            time_base,
            max_frame_rate,
            last_ticks: None,
            last_slot: None,
            next_pts_ticks: window.start,
        }
    }

    /// A frame without a time follows the one before it.
    pub(crate) fn place(&mut self, pts_ticks: Option<i64>, duration_ticks: Option<i64>) -> Place {
        let pts_ticks = pts_ticks.unwrap_or(self.next_pts_ticks);
        self.next_pts_ticks = pts_ticks.saturating_add(duration_ticks.unwrap_or(1));
        if pts_ticks < self.window.start {
            return Place::Nowhere;
        }
        if self.window.end.is_some_and(|end| pts_ticks >= end) {
            return Place::PastEnd;
        }
        let ticks = after(pts_ticks - self.window.start, self.last_ticks);
        if let Some(rate) = self.max_frame_rate {
            let slot = slot_with_slack(Timestamp::new(ticks, self.time_base), rate);
            if self.last_slot.is_some_and(|last| slot <= last) {
                return Place::Nowhere;
            }
            self.last_slot = Some(slot);
        }
        self.last_ticks = Some(ticks);
        Place::At(ticks)
    }
}

/// The slot of `rate` that a time falls into, on a grid of quarters of a slot. A time that is about a quarter early
/// counts as on time, so that containers with coarse clocks (a millisecond in Matroska) thin out as evenly as exact
/// ones.
fn slot_with_slack(time: Timestamp, rate: Rational) -> i64 {
    let quarters = Timestamp::new(time.ticks, time.time_base).rescaled(quarter_slot(rate)).ticks;
    (quarters + 1).div_euclid(4)
}

fn quarter_slot(rate: Rational) -> Rational {
    let slot = rate.recip();
    Rational::new(slot.numerator(), slot.denominator().saturating_mul(4)).unwrap_or(slot)
}

/// `ticks`, or the tick after `last` where that is later.
fn after(ticks: i64, last: Option<i64>) -> i64 {
    last.map_or(ticks, |last| ticks.max(last + 1))
}

/// Ticks and duration of a picture on the encoder's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) ticks: i64,
    pub(crate) duration_ticks: i64,
}

/// Puts frames on the encoder's clock as they come, moved by a tick where two would fall together.
#[derive(Debug)]
pub(crate) struct VariableClock {
    time_base: Rational,
    nominal_duration_ticks: i64,
    last_ticks: Option<i64>,
}

impl VariableClock {
    pub(crate) fn new(time_base: Rational, frame_rate: Option<Rational>) -> Self {
        let nominal = frame_rate.map_or(1, |rate| Timestamp::new(1, rate.recip()).rescaled(time_base).ticks);
        Self { time_base, nominal_duration_ticks: nominal.max(1), last_ticks: None }
    }

    pub(crate) fn place(&mut self, time: Timestamp, duration_ticks: Option<i64>) -> Slot {
        let ticks = after(time.rescaled(self.time_base).ticks, self.last_ticks);
        self.last_ticks = Some(ticks);
        let duration =
            duration_ticks.filter(|ticks| *ticks > 0).map_or(self.nominal_duration_ticks, |ticks| {
                Timestamp::new(ticks, time.time_base).rescaled(self.time_base).ticks.max(1)
            });
        Slot { ticks, duration_ticks: duration }
    }
}

/// Puts frames into slots of equal length: a frame whose slot is taken is dropped, an empty slot repeats the picture
/// before it.
#[derive(Debug)]
pub(crate) struct ConstantClock {
    slot_length: Rational,
    next: Option<i64>,
    end: i64,
}

impl ConstantClock {
    pub(crate) fn new(frame_rate: Rational) -> Self {
        Self { slot_length: frame_rate.recip(), next: None, end: 0 }
    }

    /// The slots to fill with the picture before, and the slot for this one where there is one free.
    pub(crate) fn place(
        &mut self,
        time: Timestamp,
        duration_ticks: Option<i64>,
    ) -> (std::ops::Range<i64>, Option<i64>) {
        let slot = time.rescaled(self.slot_length).ticks;
        let next = self.next.unwrap_or(slot);
        let end = Timestamp::new(time.ticks + duration_ticks.unwrap_or(0).max(0), time.time_base);
        self.end = end.rescaled(self.slot_length).ticks;
        if slot < next {
            return (next..next, None);
        }
        self.next = Some(slot + 1);
        (next..slot, Some(slot))
    }

    /// The slots that the last picture still fills when no other follows.
    pub(crate) fn rest(&self) -> std::ops::Range<i64> {
        let next = self.next.unwrap_or(self.end);
        next..self.end.max(next)
    }
}

/// `time_base`, made coarser by a whole factor where its denominator is over `max` (MPEG-4 stores it in 16 bits).
pub(crate) fn coarser_time_base(time_base: Rational, max: i32) -> Rational {
    let factor = (time_base.denominator() - 1) / max + 1;
    Rational::new(time_base.numerator(), time_base.denominator() / factor).unwrap_or(time_base)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECONDS: i32 = 1000;

    fn rational(numerator: i32, denominator: i32) -> Rational {
        Rational::new(numerator, denominator).unwrap()
    }

    fn kept(source_rate: i32, max_rate: i32, time_base_den: i32, frames: i64) -> Vec<i64> {
        let time_base = rational(1, time_base_den);
        let mut clock =
            DecodeClock::new(Window { start: 0, end: None }, time_base, Some(rational(max_rate, 1)));
        (0..frames)
            .filter(|&i| {
                let time = Timestamp::new(i, rational(1, source_rate)).rescaled(time_base);
                matches!(clock.place(Some(time.ticks), None), Place::At(_))
            })
            .collect()
    }

    #[test]
    fn frames_outside_the_window_are_left_out_and_the_rest_count_from_its_start() {
        let mut clock = DecodeClock::new(Window { start: 100, end: Some(104) }, rational(1, 25), None);
        let places: Vec<_> = [98, 99, 100, 101, 103, 104].map(|pts| clock.place(Some(pts), Some(1))).into();
        use Place::{At, Nowhere, PastEnd};
        assert_eq!(places, [Nowhere, Nowhere, At(0), At(1), At(3), PastEnd]);
    }

    #[test]
    fn times_increase_strictly_even_where_the_source_s_do_not() {
        let mut clock = DecodeClock::new(Window { start: 0, end: None }, rational(1, 25), None);
        let places: Vec<_> =
            [Some(0), Some(5), Some(5), None, Some(9)].map(|pts| clock.place(pts, Some(2))).into();
        assert_eq!(places, [0, 5, 6, 7, 9].map(Place::At));
    }

    #[test]
    fn a_frame_rate_limit_thins_out_evenly() {
        assert_eq!(kept(50, 25, 12_800, 10), [0, 2, 4, 6, 8]);
        assert_eq!(kept(60, 30, MILLISECONDS, 10), [0, 2, 4, 6, 8]);
        assert_eq!(kept(25, 25, MILLISECONDS, 50).len(), 50);
        assert_eq!(kept(30, 25, 30_000, 300).len(), 250);
        assert_eq!(kept(24, 30, 12_288, 24).len(), 24);
    }

    #[test]
    fn variable_times_are_kept_and_made_to_increase() {
        let mut clock = VariableClock::new(rational(1, 1000), Some(rational(25, 1)));
        let ms = |ticks| Timestamp::new(ticks, rational(1, 1000));
        assert_eq!(clock.place(ms(0), None), Slot { ticks: 0, duration_ticks: 40 });
        assert_eq!(clock.place(ms(17), Some(33)), Slot { ticks: 17, duration_ticks: 33 });
        assert_eq!(clock.place(ms(17), None).ticks, 18);
        assert_eq!(clock.place(Timestamp::new(1, Rational::ONE), None).ticks, 1000);
    }

    #[test]
    fn constant_rate_repeats_and_drops() {
        let place = |rate: i32, times_ms: &[i64]| {
            let mut clock = ConstantClock::new(rational(rate, 1));
            let placed: Vec<_> = times_ms
                .iter()
                .map(|&ticks| clock.place(Timestamp::new(ticks, rational(1, 1000)), Some(40)))
                .collect();
            (placed, clock.rest())
        };
        // 25 to 50 frames a second: each picture twice, the last one to its end.
        let (placed, rest) = place(50, &[0, 40, 80]);
        assert_eq!(placed, [(0..0, Some(0)), (1..2, Some(2)), (3..4, Some(4))]);
        assert_eq!(rest, 5..6);
        // 25 to 10: what finds its slot taken is dropped.
        let (placed, _) = place(10, &[0, 40, 80, 120, 160, 200]);
        let slots: Vec<_> = placed.into_iter().map(|(_, slot)| slot).collect();
        assert_eq!(slots, [Some(0), None, Some(1), None, Some(2), None]);
    }

    #[test]
    fn a_time_base_too_fine_becomes_coarser_by_a_whole_factor() {
        assert_eq!(coarser_time_base(rational(1, 90_000), 65_535), rational(1, 45_000));
        assert_eq!(coarser_time_base(rational(1, 12_800), 65_535), rational(1, 12_800));
        assert_eq!(coarser_time_base(Rational::MICROSECONDS, 65_535), rational(1, 62_500));
    }
}
