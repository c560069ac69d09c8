//! Exact times: an integer count of ticks of a rational length, as containers store them.

use std::{cmp::Ordering, fmt, time::Duration};

/// A positive fraction: a time base in seconds (1/12800), a frame rate in frames a second (30000/1001).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rational {
    numerator: i32,
    denominator: i32,
}

/// A fraction that is zero, negative or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{numerator}/{denominator} is not a positive fraction")]
pub struct RationalError {
    /// The number above the line.
    pub numerator: i32,
    /// The number below the line.
    pub denominator: i32,
}

impl Rational {
    /// One tick a second.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
    /// One tick a millisecond.
    pub const MILLISECONDS: Self = Self { numerator: 1, denominator: 1000 };
    /// One tick a microsecond.
    pub const MICROSECONDS: Self = Self { numerator: 1, denominator: 1_000_000 };

    /// A whole number.
    ///
    /// # Panics
    /// It is 0.
    pub const fn whole(number: u16) -> Self {
        assert!(number > 0, "0 is not positive");
        Self { numerator: number as i32, denominator: 1 }
    }

    /// The fraction in lowest terms.
    ///
    /// # Errors
    /// Either number is zero or negative.
    pub fn new(numerator: i32, denominator: i32) -> Result<Self, RationalError> {
        if numerator <= 0 || denominator <= 0 {
            return Err(RationalError { numerator, denominator });
        }
        let divisor = greatest_common_divisor(numerator, denominator);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// The number above the line, at least 1.
    pub const fn numerator(self) -> i32 {
        self.numerator
    }

    /// The number below the line, at least 1.
    pub const fn denominator(self) -> i32 {
        self.denominator
    }

    /// One over this: the time base of a frame rate, and the other way round.
    pub const fn recip(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }

    /// The nearest floating-point value.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn greatest_common_divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A point in time, or a length of time: `ticks * time_base` seconds.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp {
    /// How many ticks; negative before the start.
    pub ticks: i64,
    /// Seconds a tick.
    pub time_base: Rational,
}

impl Timestamp {
    /// Time zero.
    pub const ZERO: Self = Self { ticks: 0, time_base: Rational::MICROSECONDS };

    /// `ticks` of `time_base` seconds each.
    pub const fn new(ticks: i64, time_base: Rational) -> Self {
        Self { ticks, time_base }
    }

    /// `duration`, rounded to the microsecond.
    pub fn from_duration(duration: Duration) -> Self {
        Self::new(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX), Rational::MICROSECONDS)
    }

    /// In seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.ticks as f64 * f64::from(self.time_base.numerator) / f64::from(self.time_base.denominator)
    }

    /// The same time in ticks of another base, rounded to the nearest tick (halves away from zero), saturating.
    pub fn rescaled(self, time_base: Rational) -> Self {
        // i64 * i32 * i32 fits an i128 with room to spare.
        let dividend =
            i128::from(self.ticks) * i128::from(self.time_base.numerator) * i128::from(time_base.denominator);
        let divisor = i128::from(self.time_base.denominator) * i128::from(time_base.numerator);
        let half = if dividend < 0 { -divisor / 2 } else { divisor / 2 };
        let ticks = ((dividend + half) / divisor).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        // The clamp above makes the conversion exact.
        Self { ticks: ticks as i64, time_base }
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares times exactly, whatever their time bases.
impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        let scaled = |a: &Self, b: &Self| {
            i128::from(a.ticks) * i128::from(a.time_base.numerator) * i128::from(b.time_base.denominator)
        };
        scaled(self, other).cmp(&scaled(other, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rational(numerator: i32, denominator: i32) -> Rational {
        Rational::new(numerator, denominator).unwrap()
    }

    #[test]
    fn fractions_are_reduced_and_must_be_positive() {
        assert_eq!(rational(2, 50), rational(1, 25));
        assert_eq!(rational(30_000, 1001).recip().to_string(), "1001/30000");
        for (n, d) in [(0, 1), (1, 0), (-1, 25), (1, -25)] {
            assert_eq!(Rational::new(n, d), Err(RationalError { numerator: n, denominator: d }));
        }
    }

    #[test]
    fn rescaling_rounds_to_the_nearest_tick() {
        let at = |ticks| Timestamp::new(ticks, rational(1, 3)).rescaled(rational(1, 10)).ticks;
        assert_eq!((at(1), at(2), at(3), at(-1), at(-2)), (3, 7, 10, -3, -7));
        let half = |ticks| Timestamp::new(ticks, rational(1, 2)).rescaled(Rational::ONE).ticks;
        assert_eq!((half(1), half(-1), half(2)), (1, -1, 1));
    }

    #[test]
    fn rescaling_saturates_instead_of_wrapping() {
        let far = Timestamp::new(i64::MAX, Rational::ONE).rescaled(Rational::MICROSECONDS);
        assert_eq!(far.ticks, i64::MAX);
    }

    #[test]
    fn times_compare_across_time_bases() {
        assert_eq!(Timestamp::new(1, rational(1, 25)), Timestamp::new(512, rational(1, 12_800)));
        assert!(Timestamp::new(1, rational(1, 30)) < Timestamp::new(1, rational(1, 25)));
        assert!(Timestamp::new(-1, rational(1, 25)) < Timestamp::ZERO);
    }
}
