//! `metrics.jsonl`: a line a step, for those who plot for themselves and for the report.

use std::{
    fs,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::write_whole;
use crate::{StepReport, TrainError};

/// A figure of a step: its name, how to read it, and its colour in the report.
pub(crate) type Term<S> = (&'static str, fn(&S) -> f32, [u8; 3]);

/// What a step came to, as a run keeps it.
pub(crate) trait StepFigures: Copy + Serialize + DeserializeOwned + 'static {
    /// What the report shows.
    const TERMS: &'static [Term<Self>];

    /// The step's number, from 1.
    fn step(&self) -> u64;
}

impl StepFigures for StepReport {
    const TERMS: &'static [Term<Self>] = &[
        ("total", |step| step.total, [40, 40, 40]),
        ("style", |step| step.style, [196, 78, 42]),
        ("content", |step| step.content, [42, 110, 187]),
        ("total variation", |step| step.total_variation, [120, 160, 60]),
        ("stability", |step| step.stability, [140, 90, 170]),
    ];

    fn step(&self) -> u64 {
        self.step
    }
}

/// The steps so far, on disk and in memory.
pub(super) struct Metrics<S> {
    path: PathBuf,
    file: BufWriter<File>,
    steps: Vec<S>,
}

impl<S: StepFigures> Metrics<S> {
    /// Opens the file. What a training that broke off had written after its last checkpoint, `steps_done`, is dropped:
    /// those steps are done again.
    pub(super) fn open(path: &Path, steps_done: u64) -> Result<Self, TrainError> {
        let mut steps: Vec<S> = read(path);
        steps.retain(|step| step.step() <= steps_done);
        let opened = (|| {
            let mut text = Vec::new();
            for step in &steps {
                serde_json::to_writer(&mut text, step)?;
                text.push(b'\n');
            }
            write_whole(path, &text)?;
            fs::OpenOptions::new().append(true).open(path)
        })();
        let file = opened.map_err(TrainError::unwritable(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), steps })
    }

    pub(super) fn add(&mut self, step: &S) -> Result<(), TrainError> {
        let text = serde_json::to_string(step).map_err(std::io::Error::from);
        text.and_then(|text| writeln!(self.file, "{text}").and_then(|()| self.file.flush()))
            .map_err(TrainError::unwritable(&self.path))?;
        self.steps.push(*step);
        Ok(())
    }

    pub(super) fn steps(&self) -> &[S] {
        &self.steps
    }
}

/// The whole lines of the file, or of none where there is none.
fn read<S: StepFigures>(path: &Path) -> Vec<S> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
}
