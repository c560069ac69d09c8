//! What goes into the file.

use std::time::Duration;

use serde_json::{Value, json};

/// Something that could not be done here.
pub(crate) fn missing(reason: impl Into<String>) -> Value {
    let reason = reason.into();
    eprintln!("   missing: {reason}");
    json!({ "missing": reason })
}

/// Something that should have been done here, and could not.
pub(crate) fn failed(error: &anyhow::Error) -> Value {
    let reason = format!("{error:#}");
    eprintln!("   FAIL {reason}");
    json!({ "failed": reason, "passed": false })
}

/// One comparison, told on standard error too.
pub(crate) fn compared(name: &str, figures: Value, passed: bool) -> Value {
    eprintln!("   {} {name}: {figures}", if passed { "ok  " } else { "FAIL" });
    json!({ "name": name, "figures": figures, "passed": passed })
}

/// Whether nothing in the report has not `passed`.
pub(crate) fn all_passed(report: &Value) -> bool {
    match report {
        Value::Object(fields) => {
            fields.get("passed") != Some(&Value::Bool(false)) && fields.values().all(all_passed)
        }
        Value::Array(items) => items.iter().all(all_passed),
        _ => true,
    }
}

/// Median, 95th percentile and minimum of some times, in milliseconds.
pub(crate) fn milliseconds(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len().saturating_sub(1) as f64 * share).round() as usize;
        times.get(index).map_or(f64::NAN, |time| rounded(time.as_secs_f64() * 1e3))
    };
    json!({ "median": at(0.5), "p95": at(0.95), "min": at(0.0) })
}

/// To a ten-thousandth.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
