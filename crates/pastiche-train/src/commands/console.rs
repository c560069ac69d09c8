//! Standard error: messages, progress, and Ctrl-C.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;

/// Between two lines for a reader who has no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Says something in a line of its own; nobody may be listening.
pub(crate) fn tell(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// A bar for a download.
pub(crate) fn download_bar() -> ProgressBar {
    tell("fetching the loss network (about 550 MB) ...");
    ProgressBar::new(0)
}

/// Tells how far counted work is: a bar on a terminal, else a line now and then.
pub(crate) struct Counter {
    bar: Option<ProgressBar>,
    what: &'static str,
    total: u64,
    start: Instant,
    told: Instant,
}

impl Counter {
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let template = format!("{{bar:32}} {{pos}} of {{len}} {what}, {{eta}} left");
            let style = ProgressStyle::with_template(&template);
            ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let now = Instant::now();
        Self { bar, what, total, start: now, told: now }
    }

    pub(crate) fn update(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.told.elapsed() >= LINE_INTERVAL && done > 0 {
            self.told = Instant::now();
            let each = self.start.elapsed().as_secs_f64() / done as f64;
            let left = clock(each * self.total.saturating_sub(done) as f64);
            tell(format_args!("{done} of {} {}, {left} left", self.total, self.what));
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Seconds as a clock shows them: `0:07`, `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A switch that the first Ctrl-C (or polite kill) turns; the second quits at once.
pub(crate) fn interrupt_switch(first: &'static str) -> Result<Arc<AtomicBool>> {
    let switch = Arc::new(AtomicBool::new(false));
    let turned = Arc::clone(&switch);
    ctrlc::set_handler(move || {
        if turned.swap(true, Ordering::Relaxed) {
            process::exit(Outcome::Interrupted as i32);
        }
        tell(format_args!("interrupted: {first}; once more to quit at once"));
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(switch)
}
