//! A long training takes no more memory than a short one.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write, stderr},
    ops::Range,
    process::Stdio,
};

use support::Workshop;

const PAGE_BYTES: f64 = 4096.0;

/// The step that a line of the log tells of.
fn step_of(line: &str) -> Option<u32> {
    line.strip_prefix("step ")?.split_once(' ')?.0.parse().ok()
}

#[test]
fn memory_stays_over_a_thousand_steps() {
    let workshop = Workshop::new();
    let small = ["--crop", "48", "--batch", "1", "--style-size", "48", "--sample-every", "250"];
    let long = ["--steps", "1000", "--log-every", "50", "--checkpoint-every", "100"];
    let mut command = workshop.style("long.safetensors", &[&small[..], &long].concat());
    let mut training = command.stderr(Stdio::piped()).spawn().unwrap();
    let statm = format!("/proc/{}/statm", training.id());
    let mut megabytes = Vec::new();
    for line in BufReader::new(training.stderr.take().unwrap()).lines() {
        if let Some(step) = step_of(&line.unwrap()) {
            let pages = fs::read_to_string(&statm).unwrap();
            let resident_pages: f64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
            megabytes.push((step, resident_pages * PAGE_BYTES / 1e6));
        }
    }
    assert!(training.wait().unwrap().success());
    let most = |steps: Range<u32>| {
        let during =
            megabytes.iter().filter(|(step, _)| steps.contains(step)).map(|(_, megabytes)| *megabytes);
        during.fold(0.0, f64::max)
    };
    let (early, late) = (most(0..351), most(700..1001));
    let _ = writeln!(
        stderr(),
        "training: at most {early:.1} MB in the first 350 steps, {late:.1} MB in the last 300"
    );
    // Photographs come and go, 3 MB of them at a time; what a step leaked, were it one crop only, would be 16 MB by then.
    assert!(early > 0.0 && late > 0.0 && late <= early + 5.0, "memory grew from {early} to {late} MB");
}
