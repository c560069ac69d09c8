//! Frame rates on the command line.

use pastiche_frame::Rational;

/// The fastest rate that makes sense.
const MAX_RATE: f64 = 1000.0;

/// Reads a frame rate: `30`, `30000/1001`, or a decimal. The rates of American television are taken for what they are
/// meant to be: 29.97 is 30000/1001.
pub(crate) fn parse_frame_rate(text: &str) -> Result<Rational, String> {
    frame_rate(text).filter(|rate| rate.as_f64() <= MAX_RATE).ok_or_else(|| {
        format!("not a frame rate; give frames a second up to {MAX_RATE}, such as 25 or 30000/1001")
    })
}

fn frame_rate(text: &str) -> Option<Rational> {
    if let Some((numerator, denominator)) = text.split_once('/') {
        return Rational::new(numerator.parse().ok()?, denominator.parse().ok()?).ok();
    }
    let rate: f64 = text.parse().ok()?;
    let television =
        [24_000, 30_000, 60_000, 120_000].into_iter().filter_map(|n| Rational::new(n, 1001).ok());
    for known in television {
        if rate.fract() != 0.0 && (rate - known.as_f64()).abs() < 0.005 {
            return Some(known);
        }
    }
    // Beyond the limits the cast saturates, and the caller's check refuses the result.
    Rational::new((rate * 1000.0).round() as i32, 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_whole_decimal_or_fractions() {
        for (text, numerator, denominator) in [
            ("30", 30, 1),
            ("12.5", 25, 2),
            ("29.97", 30_000, 1001),
            ("23.976", 24_000, 1001),
            ("59.94", 60_000, 1001),
            ("30000/1001", 30_000, 1001),
            ("0.5", 1, 2),
        ] {
            assert_eq!(parse_frame_rate(text), Ok(Rational::new(numerator, denominator).unwrap()), "{text}");
        }
        for text in ["", "0", "-25", "0/1", "25/0", "1001", "1e9", "nan", "fast"] {
            assert!(parse_frame_rate(text).is_err(), "{text:?}");
        }
    }
}
