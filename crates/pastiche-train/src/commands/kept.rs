//! `pastiche-train evaluate --keep`: what was measured of each photograph, so that long measuring can go on later.

use std::{
    fs,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use pastiche_train::evaluate::ObjectiveReport;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Everything that decides what comes out.
    of: Value,
    objective: ObjectiveReport,
}

/// What was measured so far, and the file that keeps it, where there is one.
pub(super) struct Kept {
    lines: Vec<Line>,
    file: Option<(File, PathBuf)>,
}

impl Kept {
    /// Reads a file, or begins it. A line that is not whole, as where measuring broke off, is passed over.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { lines: Vec::new(), file: None }) };
        let opened = || -> io::Result<(String, File)> {
            let mut file = File::options().create(true).append(true).open(path)?;
            let text = fs::read_to_string(path)?;
            if !text.is_empty() && !text.ends_with('\n') {
                file.write_all(b"\n")?;
            }
            Ok((text, file))
        };
        let (text, file) = opened().with_context(|| {
            format!("what was measured so far cannot be read, or kept: {}", path.display())
        })?;
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { lines, file: Some((file, path.to_owned())) })
    }

    /// What was measured of this.
    pub(super) fn get(&self, of: &Value) -> Option<&ObjectiveReport> {
        self.lines.iter().find(|line| line.of == *of).map(|line| &line.objective)
    }

    /// Keeps what was measured.
    pub(super) fn add(&mut self, of: Value, objective: ObjectiveReport) -> Result<()> {
        let line = Line { of, objective };
        if let Some((file, path)) = &mut self.file {
            let text = serde_json::to_string(&line)? + "\n";
            file.write_all(text.as_bytes())
                .with_context(|| format!("what was measured cannot be kept: {}", path.display()))?;
        }
        self.lines.push(line);
        Ok(())
    }
}
