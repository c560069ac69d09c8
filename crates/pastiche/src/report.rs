//! Telling how far long work is: a bar, lines, or JSON.

use std::{
    io::{ErrorKind, IsTerminal, Write, stderr, stdout},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use pastiche_pipeline::Progress;
use serde::Serialize;

use crate::args::ProgressMode;

/// Between two lines for a reader, and two events for a program.
const LINE_INTERVAL: Duration = Duration::from_secs(4);
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// Tells how far a job is, in the manner asked for.
pub(crate) struct Reporter {
    manner: Manner,
    /// What is counted: `frames`, `images`.
    unit: &'static str,
    /// When the next line or event is due.
    due: Instant,
}

enum Manner {
    Bar(ProgressBar),
    Lines,
    Json,
    Silent,
}

/// A progress event, as JSON.
#[derive(Serialize)]
struct ProgressEvent {
    event: &'static str,
    done: u64,
    total: Option<u64>,
    unit: &'static str,
    per_second: f64,
    seconds: f64,
    seconds_left: Option<f64>,
}

impl Reporter {
    pub(crate) fn new(mode: ProgressMode, unit: &'static str) -> Self {
        let manner = match mode {
            ProgressMode::Auto if stderr().is_terminal() => Manner::Bar(ProgressBar::no_length()),
            ProgressMode::Auto => Manner::Lines,
            ProgressMode::Json => Manner::Json,
            ProgressMode::None => Manner::Silent,
        };
        let now = Instant::now();
        let due = if matches!(manner, Manner::Lines) { now + LINE_INTERVAL } else { now };
        Self { manner, unit, due }
    }

    /// Whether a program reads standard output.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.manner, Manner::Json)
    }

    /// Tells how far the job is, unless that was told a moment ago.
    pub(crate) fn update(&mut self, progress: &Progress) {
        if let Manner::Bar(bar) = &self.manner {
            return draw(bar, self.unit, progress);
        }
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + if self.is_json() { EVENT_INTERVAL } else { LINE_INTERVAL };
        match self.manner {
            Manner::Lines => eprintln!("{}", line(self.unit, progress)),
            Manner::Json => self.event(&ProgressEvent {
                event: "progress",
                done: progress.frames_done,
                total: progress.frames_total,
                unit: self.unit,
                per_second: progress.frames_per_second,
                seconds: progress.elapsed.as_secs_f64(),
                seconds_left: progress.time_left.map(|left| left.as_secs_f64()),
            }),
            Manner::Bar(_) | Manner::Silent => {}
        }
    }

    /// Writes one JSON object for a program that reads along; nothing in the other manners.
    pub(crate) fn event(&self, event: &impl Serialize) {
        if self.is_json()
            && let Err(error) = print_json(event)
        {
            // Nobody can follow; the work goes on all the same.
            log::debug!("progress could not be written: {error}");
        }
    }

    /// Says something beside the progress, on standard error.
    pub(crate) fn say(&self, text: &str) {
        match &self.manner {
            Manner::Bar(bar) => bar.suspend(|| eprintln!("{text}")),
            _ => eprintln!("{text}"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        if let Manner::Bar(bar) = &self.manner {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, unit: &str, progress: &Progress) {
    if bar.length() != progress.frames_total || bar.position() == 0 {
        let known = format!("{{bar:32}} {{pos}} of {{len}} {unit}, {{msg}}");
        let unknown = format!("{{spinner}} {{pos}} {unit}, {{msg}}");
        let template = if progress.frames_total.is_some() { known } else { unknown };
        bar.set_style(
            ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        if let Some(total) = progress.frames_total {
            bar.set_length(total);
        }
    }
    bar.set_message(speed(progress));
    bar.set_position(progress.frames_done);
}

/// One line: `120 of 300 frames, 8.1 a second, 0:22 left`.
fn line(unit: &str, progress: &Progress) -> String {
    let done = progress.frames_done;
    let count = match progress.frames_total {
        Some(total) => format!("{done} of {total}"),
        None => done.to_string(),
    };
    format!("{count} {unit}, {}", speed(progress))
}

fn speed(progress: &Progress) -> String {
    let per_second = progress.frames_per_second;
    match progress.time_left {
        Some(left) => format!("{per_second:.1} fps, {} left", clock(left)),
        None => format!("{per_second:.1} fps"),
    }
}

/// A length of time as a clock shows it: `0:07`, `1:02:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Writes a JSON object or array to standard output, as one line, so that the last line of a command is its answer.
pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    print(&serde_json::to_string(value)?)
}

/// Writes lines of text to standard output.
pub(crate) fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<()> {
    let lines: Vec<String> = lines.into_iter().map(|line| line.trim_end().to_owned()).collect();
    print(&lines.join("\n"))
}

fn print(text: &str) -> Result<()> {
    match writeln!(stdout(), "{text}") {
        // A reader that has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_on_a_clock() {
        let at = |seconds| clock(Duration::from_secs_f64(seconds));
        assert_eq!(
            (at(0.0), at(6.2), at(59.5), at(3723.0)),
            ("0:00".into(), "0:07".into(), "1:00".into(), "1:02:03".into())
        );
    }

    #[test]
    fn a_line_tells_frames_speed_and_time_left() {
        let mut progress = Progress {
            frames_done: 120,
            frames_total: Some(300),
            frames_per_second: 8.13,
            elapsed: Duration::from_secs(15),
            time_left: Some(Duration::from_secs(22)),
        };
        assert_eq!(line("frames", &progress), "120 of 300 frames, 8.1 fps, 0:22 left");
        (progress.frames_total, progress.time_left) = (None, None);
        assert_eq!(line("frames", &progress), "120 frames, 8.1 fps");
    }
}
