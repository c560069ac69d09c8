//! Times on the command line.

use std::time::Duration;

/// Reads a time: seconds (`90`, `3.5`), minutes and seconds (`1:30`), or hours, minutes and seconds (`1:02:03.5`).
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    seconds(text)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a time; give 90, 1:30 or 1:02:03.5".to_owned())
}

fn seconds(text: &str) -> Option<f64> {
    let fields: Vec<&str> = text.split(':').collect();
    let (last, before) = fields.split_last()?;
    if before.len() > 2 || !last.starts_with(|c: char| c.is_ascii_digit()) || last.contains(['e', 'E']) {
        return None;
    }
    // After a colon, minutes and seconds stay below 60.
    let mut total = 0.0;
    for (index, field) in before.iter().enumerate() {
        if !field.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value: u32 = field.parse().ok()?;
        if index > 0 && value >= 60 {
            return None;
        }
        total = (total + f64::from(value)) * 60.0;
    }
    let last: f64 = last.parse().ok()?;
    (before.is_empty() || last < 60.0).then_some(total + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_clock_times() {
        for (text, seconds) in [
            ("0", 0.0),
            ("90", 90.0),
            ("3.5", 3.5),
            ("1:30", 90.0),
            ("01:05.25", 65.25),
            ("90:00", 5400.0),
            ("1:02:03.5", 3723.5),
        ] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_times() {
        for text in [
            "", ":", "1:", ":30", "-1", "+1", "1:60", "1:60:00", "1:2:3:4", "1e3", "nan", "inf", "a",
            "1.5:00",
        ] {
            assert!(parse_time(text).is_err(), "{text:?}");
        }
    }
}
