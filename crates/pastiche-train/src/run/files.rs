//! The files of a run.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use crate::TrainError;

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".unfinished-";

/// The folder of one training, beside the style file that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder for a style file: `night.run` for `night.safetensors`.
    pub fn beside(output: &Path) -> Self {
        Self(output.with_extension("run"))
    }

    /// Makes sure that the folder is as it is taken to be.
    ///
    /// # Errors
    /// There is no checkpoint to resume from, or a training is there that is neither to be resumed nor replaced.
    pub(super) fn check(&self, resume: bool, replace: bool) -> Result<(), TrainError> {
        let checkpoint = self.checkpoint();
        if resume && !checkpoint.exists() {
            return Err(TrainError::NoCheckpoint { path: checkpoint });
        }
        if !resume && !replace && checkpoint.exists() {
            return Err(TrainError::RunExists { path: checkpoint });
        }
        Ok(())
    }

    /// Makes the folder, or empties it of an earlier training that is not to be resumed.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn prepare(&self, resume: bool) -> Result<(), TrainError> {
        if !resume {
            let files = [self.checkpoint(), self.metrics(), self.style_so_far(), self.report()];
            for file in files.iter().chain(&self.unfinished()) {
                remove(fs::remove_file(file)).map_err(|source| self.unwritable(source))?;
            }
            remove(fs::remove_dir_all(self.samples())).map_err(|source| self.unwritable(source))?;
        }
        fs::create_dir_all(self.samples()).map_err(|source| self.unwritable(source))
    }

    /// What a training that was killed while it wrote has left half done.
    fn unfinished(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let half = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED));
        half.map(|entry| entry.path()).collect()
    }

    fn unwritable(&self, source: io::Error) -> TrainError {
        let kept = "nothing was begun".to_owned();
        TrainError::Write { source, kept, path: self.0.clone() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The state to go on from.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// The style as of the last checkpoint.
    pub fn style_so_far(&self) -> PathBuf {
        self.0.join("style.safetensors")
    }

    /// A line of JSON a step.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// The page to look at.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    pub(super) fn samples(&self) -> PathBuf {
        self.0.join("samples")
    }

    /// The sheet of held-out photos, restyled after a step.
    pub(super) fn sample_sheet(&self, step: u64) -> PathBuf {
        self.samples().join(format!("step-{step:07}.png"))
    }

    /// The sheets that there are, in the order of their steps.
    pub(super) fn sample_sheets(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.samples()).into_iter().flatten().flatten();
        let mut sheets: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        sheets
            .retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("step-")));
        sheets.sort();
        sheets
    }
}

/// That nothing is there to be removed is no failure.
fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file so that it is there whole or as it was before, even if the power fails.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // As other files are, since others may want to watch; the system's mask is applied.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
