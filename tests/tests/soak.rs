//! Endurance: a live session whose style and size change all the time stays as it is. `PASTICHE_SOAK_SECONDS` says for how
//! long; `cargo xtask soak` sets it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    env, thread,
    time::{Duration, Instant},
};

use pastiche_e2e::{Live, demo_clip, json};

const DEFAULT_SECONDS: f64 = 20.0;
/// Until every size has been worked at, part of the time.
const WARM_UP: f64 = 0.3;
const SAMPLE_PERIOD: Duration = Duration::from_millis(100);

/// How a session stands in a moment.
#[derive(Debug)]
struct Sample {
    memory_kib: f64,
    threads: f64,
}

#[test]
fn memory_threads_and_latency_do_not_grow() {
    let seconds = env::var("PASTICHE_SOAK_SECONDS").map_or(DEFAULT_SECONDS, |text| text.parse().unwrap());
    let Some(clip) = demo_clip() else { return };
    let duration = seconds.to_string();
    let cycles = ["--cycle-styles", "200", "--cycle-sizes", "700", "--seconds", duration.as_str()];
    let live = Live::start([clip.to_str().unwrap()].into_iter().chain(cycles), &[]);
    let running = Instant::now();
    let (mut samples, mut latencies_ms) = (Vec::new(), Vec::new());
    // The last second is for the end.
    while running.elapsed().as_secs_f64() < seconds - 1.0 {
        thread::sleep(SAMPLE_PERIOD);
        samples
            .push(Sample { memory_kib: live.system_figure("VmRSS"), threads: live.system_figure("Threads") });
        let progress = live.lines().into_iter().filter(|line| line["event"] == "progress");
        latencies_ms.extend(progress.map(|line| line["latency_ms"]["p50"].as_f64().unwrap()));
    }
    let summary = json(&live.end().done());

    let steady = samples.split_off((samples.len() as f64 * WARM_UP) as usize);
    let (before, after) = steady.split_at(steady.len() / 2);
    let median_of = |samples: &[Sample], figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
    let memory = [before, after].map(|half| median_of(half, |sample| sample.memory_kib) / 1024.0);
    let threads = [before, after].map(|half| median_of(half, |sample| sample.threads));
    let latencies_ms = latencies_ms.split_off((latencies_ms.len() as f64 * WARM_UP) as usize);
    let (before_ms, after_ms) = latencies_ms.split_at(latencies_ms.len() / 2);
    let latency_ms = [before_ms, after_ms].map(|half| median(half.iter().copied()));
    println!(
        "memory {memory:.1?} MiB, threads {threads:?}, latency {latency_ms:.1?} ms, at the end {summary}"
    );

    assert!(memory[1] < 1.05 * memory[0], "memory grows: {memory:?} MiB");
    assert!(threads[1] <= threads[0], "threads are left: {threads:?}");
    // Other programs' work on the same processor shows, growth without end shows more.
    assert!(latency_ms[1] < 1.5 * latency_ms[0] + 20.0, "latency grows: {latency_ms:?} ms");
    assert!(summary["style_change_ms"]["p50"].as_f64().unwrap() > 0.0, "{summary}");
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
