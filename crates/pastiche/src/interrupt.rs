//! Ctrl-C and a polite kill: the first finishes what is begun, the second quits at once.

use std::{
    io::{IsTerminal, stderr},
    process,
};

use anyhow::{Context, Result};
use pastiche_pipeline::{Cancel, remove_unfinished};

use crate::{failure::Outcome, terminal::tell};

/// Watches for interruptions while a command writes files.
pub(crate) struct Interrupt {
    cancel: Cancel,
}

impl Interrupt {
    /// Starts to watch; `first` is said at the first interruption. The second removes what is unfinished.
    pub(crate) fn watch(first: &'static str) -> Result<Self> {
        let cancel = Cancel::new();
        let switch = cancel.clone();
        ctrlc::set_handler(move || {
            if !switch.is_cancelled() {
                switch.cancel();
                // A terminal stands in the middle of a line, with ^C on it.
                let line_end = if stderr().is_terminal() { "\n" } else { "" };
                tell(format_args!("{line_end}interrupted: {first}; once more to quit at once"));
                return;
            }
            remove_unfinished();
            process::exit(Outcome::Interrupted as i32);
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Self { cancel })
    }

    /// The switch that the first interruption turns.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}
