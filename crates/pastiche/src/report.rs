//! Telling how far long work is: a bar, lines, or JSON.

use std::{
    io::{ErrorKind, IsTerminal, Write, stderr, stdout},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::ProgressStyle;
use pastiche_pipeline::Progress;
use serde::Serialize;

use crate::{
    args::ProgressMode,
    terminal::{self, tell},
};

/// Between two lines for a reader, and two events for a program.
const LINE_INTERVAL: Duration = Duration::from_secs(4);
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// Tells how far a job is, in the manner asked for.
pub(crate) struct Reporter {
    manner: Manner,
    unit: Unit,
    /// When the next line or event is due.
    due: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Bar,
    Lines,
    Json,
    Silent,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Frames,
    Images,
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
    pub(crate) fn new(mode: ProgressMode, unit: Unit) -> Self {
        let manner = match mode {
            ProgressMode::Auto if stderr().is_terminal() => Manner::Bar,
            ProgressMode::Auto => Manner::Lines,
            ProgressMode::Json => Manner::Json,
            ProgressMode::None => Manner::Silent,
        };
        let now = Instant::now();
        let due = if manner == Manner::Lines { now + LINE_INTERVAL } else { now };
        Self { manner, unit, due }
    }

    /// Whether a program reads standard output.
    pub(crate) fn is_json(&self) -> bool {
        self.manner == Manner::Json
    }

    /// Tells how far the job is, unless that was told a moment ago.
    pub(crate) fn update(&mut self, progress: &Progress) {
        if self.manner == Manner::Bar {
            return draw(self.unit, progress);
        }
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + if self.is_json() { EVENT_INTERVAL } else { LINE_INTERVAL };
        match self.manner {
            Manner::Lines => tell(line(self.unit, progress)),
            Manner::Json => self.event(&ProgressEvent {
                event: "progress",
                done: progress.frames_done,
                total: progress.frames_total,
                unit: self.unit.name(None),
                per_second: progress.frames_per_second,
                seconds: progress.elapsed.as_secs_f64(),
                seconds_left: progress.time_left.map(|left| left.as_secs_f64()),
            }),
            Manner::Bar | Manner::Silent => {}
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
}

impl Unit {
    fn name(self, total: Option<u64>) -> &'static str {
        match (self, total) {
            (Self::Frames, Some(1)) => "frame",
            (Self::Frames, _) => "frames",
            (Self::Images, Some(1)) => "image",
            (Self::Images, _) => "images",
        }
    }

    fn per_second(self) -> &'static str {
        match self {
            Self::Frames => "fps",
            Self::Images => "images a second",
        }
    }
}

fn draw(unit: Unit, progress: &Progress) {
    let bar = terminal::bar();
    if bar.length() != progress.frames_total || bar.position() == 0 {
        let name = unit.name(progress.frames_total);
        let known = format!("{{bar:32}} {{pos}} of {{len}} {name}, {{msg}}");
        let unknown = format!("{{spinner}} {{pos}} {name}, {{msg}}");
        let template = if progress.frames_total.is_some() { known } else { unknown };
        bar.set_style(
            ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        if let Some(total) = progress.frames_total {
            bar.set_length(total);
        }
    }
    bar.set_message(speed(unit, progress));
    bar.set_position(progress.frames_done);
}

/// One line: `120 of 300 frames, 8.1 fps, 0:22 left`.
fn line(unit: Unit, progress: &Progress) -> String {
    let done = progress.frames_done;
    let count = match progress.frames_total {
        Some(total) => format!("{done} of {total}"),
        None => done.to_string(),
    };
    format!("{count} {}, {}", unit.name(progress.frames_total), speed(unit, progress))
}

fn speed(unit: Unit, progress: &Progress) -> String {
    let speed = format!("{:.1} {}", progress.frames_per_second, unit.per_second());
    match progress.time_left {
        Some(left) => format!("{speed}, {} left", clock(left)),
        None => speed,
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
    fn a_line_tells_count_speed_and_time_left() {
        let mut progress = Progress {
            frames_done: 120,
            frames_total: Some(300),
            frames_per_second: 8.13,
            elapsed: Duration::from_secs(15),
            time_left: Some(Duration::from_secs(22)),
        };
        assert_eq!(line(Unit::Frames, &progress), "120 of 300 frames, 8.1 fps, 0:22 left");
        assert_eq!(line(Unit::Images, &progress), "120 of 300 images, 8.1 images a second, 0:22 left");
        (progress.frames_total, progress.time_left) = (None, None);
        assert_eq!(line(Unit::Frames, &progress), "120 frames, 8.1 fps");
    }
}
