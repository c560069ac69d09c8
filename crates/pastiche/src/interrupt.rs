//! Ctrl-C and a polite kill: the first finishes what is begun, the second quits at once.

use std::{
    fs,
    io::{IsTerminal, stderr},
    path::PathBuf,
    process,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use pastiche_pipeline::Cancel;

use crate::{failure::Outcome, terminal::tell};

/// Watches for interruptions while a command writes files.
pub(crate) struct Interrupt {
    cancel: Cancel,
    /// The file that is being written under a temporary name.
    unfinished: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Starts to watch; `first` is said at the first interruption.
    pub(crate) fn watch(first: &'static str) -> Result<Self> {
        let cancel = Cancel::new();
        let unfinished = Arc::new(Mutex::new(None::<PathBuf>));
        let (switch, file) = (cancel.clone(), Arc::clone(&unfinished));
        ctrlc::set_handler(move || {
            if !switch.is_cancelled() {
                switch.cancel();
                // A terminal stands in the middle of a line, with ^C on it.
                let line_end = if stderr().is_terminal() { "\n" } else { "" };
                tell(format_args!("{line_end}interrupted: {first}; once more to quit at once"));
                return;
            }
            if let Some(part) = file.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                // It may have been finished at this very moment; then there is nothing to remove.
                let _ = fs::remove_file(part);
            }
            process::exit(Outcome::Interrupted as i32);
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Self { cancel, unfinished })
    }

    /// The switch that the first interruption turns.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Says under which temporary name a file is written from now on; quitting at once removes it. `None`: it is not
    /// known, and nothing is removed.
    pub(crate) fn begin(&self, part: Option<PathBuf>) {
        *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }
}
