//! `metrics.jsonl`: a line a step, for those who plot for themselves and for the report.

use std::{
    fs,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::write_whole;
use crate::{StepReport, TrainError};

/// The steps so far, on disk and in memory.
pub(super) struct Metrics {
    path: PathBuf,
    file: BufWriter<File>,
    steps: Vec<StepReport>,
}

impl Metrics {
    /// Opens the file. What a training that broke off had written after its last checkpoint, `steps_done`, is dropped:
    /// those steps are done again.
    pub(super) fn open(path: &Path, steps_done: u64) -> Result<Self, TrainError> {
        let mut steps = read(path);
        steps.retain(|step| step.step <= steps_done);
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

    pub(super) fn add(&mut self, step: &StepReport) -> Result<(), TrainError> {
        let text = serde_json::to_string(step).map_err(std::io::Error::from);
        text.and_then(|text| writeln!(self.file, "{text}").and_then(|()| self.file.flush()))
            .map_err(TrainError::unwritable(&self.path))?;
        self.steps.push(*step);
        Ok(())
    }

    pub(super) fn steps(&self) -> &[StepReport] {
        &self.steps
    }
}

/// The whole lines of the file, or of none where there is none.
fn read(path: &Path) -> Vec<StepReport> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
}
