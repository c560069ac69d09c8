//! Endurance: a session that changes style and size all the time neither grows nor slows down. It takes 20 seconds, or
//! `PASTICHE_SOAK_SECONDS`; `cargo xtask soak` runs it for longer.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use pastiche_e2e::{demo_clip, program};
use serde_json::Value;

/// One second's figures.
#[derive(Debug, Clone, Copy)]
struct Sample {
    resident_bytes: f64,
    threads: f64,
    latency_ms: f64,
}

fn median(samples: &[Sample], figure: fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn memory_threads_and_latency_stay() {
    let Some(clip) = demo_clip() else { return };
    let seconds = env::var("PASTICHE_SOAK_SECONDS").unwrap_or_else(|_| "20".to_owned());
    let mut child = Command::new(program())
        .args(["live", clip.to_str().unwrap(), "--headless", "--seconds", &seconds, "--progress", "json"])
        .args(["--cycle-styles", "200", "--cycle-sizes", "1500"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let folder = format!("/proc/{}", child.id());
    let mut samples = Vec::new();
    let mut summary = Value::Null;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["event"].as_str().unwrap() {
            "progress" => samples.push(Sample {
                resident_bytes: resident_bytes(&folder),
                threads: fs::read_dir(format!("{folder}/task")).unwrap().count() as f64,
                latency_ms: event["latency_ms"]["p50"].as_f64().unwrap(),
            }),
            "summary" => summary = event,
            _ => {}
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(summary["frames"].as_u64().unwrap() > 10 && samples.len() >= 10, "{summary}");
    assert!(summary["style_change_ms"]["p50"].as_f64().unwrap() > 0.0, "no style was changed: {summary}");

    // Memory and threads come and go with each style, so a third is compared with another. The first is for warming up.
    let third = samples.len() / 3;
    let (early, late) = (&samples[third..2 * third], &samples[2 * third..]);
    let told = |name: &str, figure: fn(&Sample) -> f64| {
        let (early, late) = (median(early, figure), median(late, figure));
        let _ = writeln!(std::io::stderr(), "soak, {seconds} s: {name} {early:.1}, then {late:.1}");
        (early, late)
    };
    let (early_mb, late_mb) = told("megabytes", |sample| sample.resident_bytes / 1e6);
    let (early_threads, late_threads) = told("threads", |sample| sample.threads);
    let (early_ms, late_ms) = told("latency in ms", |sample| sample.latency_ms);
    let _ = writeln!(std::io::stderr(), "soak, {seconds} s: {summary}");
    assert!(late_mb <= 1.05 * early_mb, "memory grew from {early_mb} to {late_mb} MB");
    assert!(late_threads <= early_threads + 3.0, "threads grew from {early_threads} to {late_threads}");
    assert!(late_ms <= 1.5 * early_ms + 20.0, "latency grew from {early_ms} to {late_ms} ms");
}

fn resident_bytes(folder: &str) -> f64 {
    const PAGE_BYTES: f64 = 4096.0;
    let statm = fs::read_to_string(format!("{folder}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * PAGE_BYTES
}
