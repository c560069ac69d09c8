//! Numbers from 0 to 1.

/// Reads a number from 0 to 1.
pub(super) fn parse_fraction(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(fraction) if (0.0..=1.0).contains(&fraction) => Ok(fraction),
        Ok(_) => Err("out of range; give a number from 0 to 1".to_owned()),
        Err(_) => Err("not a number; give one from 0 to 1, such as 0.7".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lie_between_0_and_1() {
        assert_eq!(
            (parse_fraction("0"), parse_fraction("0.25"), parse_fraction("1")),
            (Ok(0.0), Ok(0.25), Ok(1.0))
        );
        for text in ["-0.1", "1.01", "nan", "inf", "half", ""] {
            assert!(parse_fraction(text).is_err(), "{text:?}");
        }
    }
}
