//! Endurance: a session that changes style and size all the time neither grows nor slows down; it takes 20 seconds, or
//! `PASTICHE_SOAK_SECONDS`, and `cargo xtask soak` runs it for longer. A long video takes no more memory than a short one.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use pastiche_e2e::{demo_clip, ffmpeg, program, write_style};
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
fn memory_does_not_grow_with_a_video() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_style(&here.join("dots.safetensors"));
    let sources = "-f lavfi -i testsrc=s=64x48:r=25:d=240 -f lavfi -i sine=500:d=240 -pix_fmt yuv420p";
    ffmpeg(here, &format!("{sources} -c:v libx264 -preset ultrafast -c:a aac in.mp4"));
    let line =
        "video in.mp4 -o out.mp4 --style dots.safetensors --process-size 16x16 --progress json --threads 1";
    let mut child = Command::new(program())
        .args(line.split(' '))
        .current_dir(here)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}", child.id());
    let mut samples = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let (Some(done), Ok(statm)) =
            (event["done"].as_f64(), fs::read_to_string(format!("{process}/statm")))
        {
            samples.push((done / 6000.0, resident_bytes(&statm)));
        }
    }
    assert!(child.wait().unwrap().success());
    // A process that has ended and is not yet waited for has no memory.
    samples.retain(|(_, bytes)| *bytes > 0.0);
    let at =
        |share: f64| samples.iter().find(|(done, _)| *done >= share).map(|(_, bytes)| bytes / 1e6).unwrap();
    let (early, late) = (at(0.25), samples.last().unwrap().1 / 1e6);
    let _ = writeln!(
        std::io::stderr(),
        "video, 240 s: megabytes {early:.1} after a quarter, {late:.1} at the end"
    );
    // The index of what is written takes about 100 bytes a packet until the file is closed.
    assert!(samples.len() >= 8 && late <= 1.03 * early + 2.0, "memory grew from {early} to {late} MB");
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
                resident_bytes: resident_bytes(&fs::read_to_string(format!("{folder}/statm")).unwrap()),
                threads: fs::read_dir(format!("{folder}/task")).unwrap().count() as f64,
                latency_ms: event["latency_ms"]["p50"].as_f64().unwrap(),
            }),
            "summary" => summary = event,
            _ => {}
        }
    }
    assert!(child.wait().unwrap().success());
    samples.retain(|sample| sample.resident_bytes > 0.0);
    assert!(summary["frames"].as_u64().unwrap() > 10 && samples.len() >= 10, "{summary}");
    assert!(summary["style_change_ms"]["p50"].as_f64().unwrap() > 0.0, "no style was changed: {summary}");

    // A moment may have more than another, so a third is compared with another. The first is for warming up.
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
    assert!(late_threads <= early_threads, "threads grew from {early_threads} to {late_threads}");
    assert!(late_ms <= 1.5 * early_ms + 20.0, "latency grew from {early_ms} to {late_ms} ms");
}

/// By what the system says of a process in `statm`.
fn resident_bytes(statm: &str) -> f64 {
    const PAGE_BYTES: f64 = 4096.0;
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * PAGE_BYTES
}
