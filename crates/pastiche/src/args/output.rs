//! Where results go, and how the work is told.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

/// Whether results may replace files.
#[derive(Debug, Args)]
pub(crate) struct OverwriteArgs {
    /// Replace an output that exists.
    #[arg(short = 'y', long = "yes")]
    pub(crate) overwrite: bool,
}

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar on a terminal, else a line every few seconds, on standard error.
    Auto,
    /// JSON on standard output, an object a line: "progress" events, and a "summary" at the end.
    Json,
    /// Not at all.
    None,
}

/// Refuses an output that is the input itself.
pub(crate) fn refuse_input(input: &Path, output: &Path) -> Result<()> {
    if let (Ok(input), Ok(written)) = (fs::canonicalize(input), fs::canonicalize(output))
        && input == written
    {
        bail!("the output is the input itself; choose another name: {}", output.display());
    }
    Ok(())
}

/// Refuses an output that is one of several inputs, even of another one's result: what is painted there would be lost.
pub(crate) fn refuse_inputs(inputs: &[&Path], outputs: &[&Path]) -> Result<()> {
    let read: HashSet<PathBuf> = inputs.iter().filter_map(|input| fs::canonicalize(input).ok()).collect();
    let is_read = |output: &&&Path| fs::canonicalize(output).is_ok_and(|output| read.contains(&output));
    if let Some(output) = outputs.iter().find(is_read) {
        bail!("the output is one of the inputs; choose another folder to write into: {}", output.display());
    }
    Ok(())
}

/// Refuses an output that exists, unless it may be replaced.
pub(crate) fn refuse_existing(output: &Path, overwrite: bool) -> Result<()> {
    if !overwrite && output.is_file() {
        bail!("the output exists already; add -y to replace it: {}", output.display());
    }
    Ok(())
}
