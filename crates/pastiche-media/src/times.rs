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
    /// Of the highest frame rate asked for.
    slots: Option<SlotClock>,
    last_ticks: Option<i64>,
    next_pts_ticks: i64,
}

impl DecodeClock {
    pub(crate) fn new(window: Window, time_base: Rational, max_frame_rate: Option<Rational>) -> Self {
        Self {
            window,
            time_base,
            slots: max_frame_rate.map(SlotClock::new),
            last_ticks: None,
            next_pts_ticks: window.start,
        }
    }

    /// A frame without a time follows the one before it. Frames before the beginning, where some containers' first
    /// frames are, are shown from the beginning on.
    pub(crate) fn place(&mut self, pts_ticks: Option<i64>, duration_ticks: Option<i64>) -> Place {
        let pts_ticks = pts_ticks.unwrap_or(self.next_pts_ticks);
        self.next_pts_ticks = pts_ticks.saturating_add(duration_ticks.unwrap_or(1));
        if pts_ticks < self.window.start && !self.window.from_beginning {
            return Place::Nowhere;
        }
        if self.window.end.is_some_and(|end| pts_ticks >= end) {
            return Place::PastEnd;
        }
        let ticks = after(pts_ticks.saturating_sub(self.window.start).max(0), self.last_ticks);
        let time = Timestamp::new(ticks, self.time_base);
        if self.slots.as_mut().is_some_and(|slots| slots.take(time).is_none()) {
            return Place::Nowhere;
        }
        self.last_ticks = Some(ticks);
        Place::At(ticks)
    }
}

/// Gives frames slots of equal length, one at most to each. The decoder thins out with it and the encoder places with
/// it, so that both choose the same slots and no frame that was kept is dropped later.
#[derive(Debug)]
struct SlotClock {
    rate: Rational,
    last: Option<i64>,
}

impl SlotClock {
    fn new(rate: Rational) -> Self {
        Self { rate, last: None }
    }

    /// The slot that a frame at `time` would get; `None` where it comes too soon after the last one.
    ///
    /// A slot's frame may be up to a quarter of a slot early, and an eighth more where it follows the last one
    /// directly. That eighth absorbs the rounding of coarse clocks (a millisecond in Matroska) where two nearly
    /// equal rates drift past each other, which would otherwise drop and repeat frames by turns.
    fn slot(&self, time: Timestamp) -> Option<i64> {
        let eighths = eighths_of_slots(time, self.rate);
        let own = eighths.saturating_add(2).div_euclid(8);
        let Some(last) = self.last else { return Some(own) };
        let early = eighths.saturating_add(3).div_euclid(8);
        (early > last).then(|| own.max(last.saturating_add(1)))
    }

    /// Like [`Self::slot`], and that slot is taken from now on.
    fn take(&mut self, time: Timestamp) -> Option<i64> {
        let slot = self.slot(time);
        self.last = slot.or(self.last);
        slot
    }
}

/// `time` in whole eighths of a slot of `rate`, rounded down: exact, since two clocks that round differently disagree.
fn eighths_of_slots(time: Timestamp, rate: Rational) -> i64 {
    let slots = |ticks: i64, a: i32, b: i32| i128::from(ticks) * i128::from(a) * i128::from(b);
    let dividend = slots(time.ticks, time.time_base.numerator(), rate.numerator()).saturating_mul(8);
    let divisor = slots(1, time.time_base.denominator(), rate.denominator());
    // The clamp makes the conversion exact.
    dividend.div_euclid(divisor).clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// `ticks`, or the tick after `last` where that is later.
fn after(ticks: i64, last: Option<i64>) -> i64 {
    last.map_or(ticks, |last| ticks.max(last.saturating_add(1)))
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
    slots: SlotClock,
    /// When the last frame ends.
    end: Timestamp,
}

impl ConstantClock {
    pub(crate) fn new(frame_rate: Rational) -> Self {
        Self { slots: SlotClock::new(frame_rate), end: Timestamp::ZERO }
    }

    /// The slots to fill with the picture before, and the slot for this one; `None` where this one is dropped.
    pub(crate) fn place(
        &mut self,
        time: Timestamp,
        duration_ticks: Option<i64>,
    ) -> Option<(std::ops::Range<i64>, i64)> {
        let end_ticks = time.ticks.saturating_add(duration_ticks.unwrap_or(0).max(0));
        self.end = Timestamp::new(end_ticks, time.time_base);
        let last = self.slots.last;
        let slot = self.slots.take(time)?;
        Some((last.map_or(slot, |last| last.saturating_add(1))..slot, slot))
    }

    /// The slots that the last picture still fills before a frame at `next`, which [`Self::place`] would repeat it for.
    pub(crate) fn gap_before(&self, next: Timestamp) -> std::ops::Range<i64> {
        match (self.slots.last, self.slots.slot(next)) {
            (Some(last), Some(slot)) => last.saturating_add(1)..slot,
            _ => 0..0,
        }
    }

    /// The slots that the last picture still fills when no other follows: those before the slot that a frame at its
    /// end would get.
    pub(crate) fn rest(&self) -> std::ops::Range<i64> {
        let Some(last) = self.slots.last else { return 0..0 };
        last.saturating_add(1)..self.slots.slot(self.end).unwrap_or(last.saturating_add(1))
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
    const WHOLE: Window = Window { start: 0, end: None, from_beginning: true };

    fn rational(numerator: i32, denominator: i32) -> Rational {
        Rational::new(numerator, denominator).unwrap()
    }

    fn kept(source_rate: i32, max_rate: i32, time_base_den: i32, frames: i64) -> Vec<i64> {
        let time_base = rational(1, time_base_den);
        let mut clock = DecodeClock::new(WHOLE, time_base, Some(rational(max_rate, 1)));
        (0..frames)
            .filter(|&i| {
                let time = Timestamp::new(i, rational(1, source_rate)).rescaled(time_base);
                matches!(clock.place(Some(time.ticks), None), Place::At(_))
            })
            .collect()
    }

    #[test]
    fn frames_outside_the_window_are_left_out_and_the_rest_count_from_its_start() {
        let window = Window { start: 100, end: Some(104), from_beginning: false };
        let mut clock = DecodeClock::new(window, rational(1, 25), None);
        let places: Vec<_> = [98, 99, 100, 101, 103, 104].map(|pts| clock.place(Some(pts), Some(1))).into();
        use Place::{At, Nowhere, PastEnd};
        assert_eq!(places, [Nowhere, Nowhere, At(0), At(1), At(3), PastEnd]);
    }

    #[test]
    fn frames_before_the_beginning_are_shown_from_the_beginning_on() {
        let window = Window { start: 100, ..WHOLE };
        let mut clock = DecodeClock::new(window, rational(1, 25), None);
        let places: Vec<_> = [90, 95, 100, 105].map(|pts| clock.place(Some(pts), Some(5))).into();
        assert_eq!(places, [0, 1, 2, 5].map(Place::At));
    }

    #[test]
    fn times_increase_strictly_even_where_the_source_s_do_not() {
        let mut clock = DecodeClock::new(WHOLE, rational(1, 25), None);
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
        assert_eq!(placed, [Some((0..0, 0)), Some((1..2, 2)), Some((3..4, 4))]);
        assert_eq!(rest, 5..6);
        // 25 to 10: what finds its slot taken is dropped.
        let (placed, _) = place(10, &[0, 40, 80, 120, 160, 200]);
        assert_eq!(placed, [Some((0..0, 0)), None, Some((1..1, 1)), None, None, Some((2..2, 2))]);
    }

    /// The pictures shown when `frames` numbered ones of one rate are thinned out by the decoder's clock and placed
    /// by the encoder's, slot by slot; and how many the encoder dropped.
    fn convert(from: Rational, to: Rational, time_base: Rational, frames: i64) -> (Vec<i64>, usize) {
        let ticks = |number| Timestamp::new(number, from.recip()).rescaled(time_base).ticks;
        let mut decoder = DecodeClock::new(WHOLE, time_base, Some(to));
        let mut encoder = ConstantClock::new(to);
        let (mut shown, mut dropped) = (Vec::new(), 0);
        let repeat_last = |shown: &mut Vec<i64>, slots: std::ops::Range<i64>| {
            slots.for_each(|_| shown.push(*shown.last().unwrap()));
        };
        for number in 0..frames {
            let duration = Some(ticks(number + 1) - ticks(number));
            let Place::At(ticks) = decoder.place(Some(ticks(number)), duration) else { continue };
            let Some((repeats, slot)) = encoder.place(Timestamp::new(ticks, time_base), duration) else {
                dropped += 1;
                continue;
            };
            repeat_last(&mut shown, repeats);
            assert_eq!(shown.len() as i64, slot);
            shown.push(number);
        }
        repeat_last(&mut shown, encoder.rest());
        (shown, dropped)
    }

    #[test]
    fn a_lower_rate_repeats_nothing_and_drops_nothing_that_was_restyled() {
        let ntsc = |rate| rational(rate * 1000, 1001);
        for (from, to) in [
            (rational(25, 1), rational(24, 1)),
            (rational(30, 1), rational(25, 1)),
            (rational(60, 1), rational(24, 1)),
            (ntsc(30), rational(25, 1)),
            (rational(24, 1), ntsc(24)),
            (rational(25, 1), rational(25, 1)),
        ] {
            for time_base in [rational(1, 90_000), rational(1, MILLISECONDS)] {
                let (shown, dropped) = convert(from, to, time_base, 3000);
                let case = format!("{from} to {to} in {time_base}");
                assert_eq!(dropped, 0, "{case}");
                assert!(shown.is_sorted_by(|a, b| a < b), "{case}: {shown:?}");
                let expected = 3000.0 * to.as_f64() / from.as_f64();
                assert!((shown.len() as f64 - expected).abs() < 1.0, "{case}: {} frames", shown.len());
            }
        }
    }

    #[test]
    fn a_higher_rate_shows_every_picture() {
        for (from, to) in [
            (rational(24, 1), rational(30, 1)),
            (rational(25, 1), rational(60, 1)),
            (rational(24_000, 1001), rational(24, 1)),
        ] {
            for time_base in [rational(1, 90_000), rational(1, MILLISECONDS)] {
                let (mut shown, dropped) = convert(from, to, time_base, 3000);
                let case = format!("{from} to {to} in {time_base}");
                assert_eq!(dropped, 0, "{case}");
                let expected = 3000.0 * to.as_f64() / from.as_f64();
                assert!((shown.len() as f64 - expected).abs() < 1.0, "{case}: {} frames", shown.len());
                shown.dedup();
                assert!(shown.into_iter().eq(0..3000), "{case}");
            }
        }
    }

    #[test]
    fn a_time_base_too_fine_becomes_coarser_by_a_whole_factor() {
        assert_eq!(coarser_time_base(rational(1, 90_000), 65_535), rational(1, 45_000));
        assert_eq!(coarser_time_base(rational(1, 12_800), 65_535), rational(1, 12_800));
        assert_eq!(coarser_time_base(Rational::MICROSECONDS, 65_535), rational(1, 62_500));
    }
}
