//! Which painting.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_inference::StyleLibrary;

/// Which painting.
#[derive(Debug, Args)]
pub(crate) struct StyleArgs {
    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file.
    #[arg(short, long, value_name = "NAME|FILE")]
    style: String,

    /// Which network to take where a style comes with several (see `pastiche styles`).
    #[arg(long, value_name = "ARCH")]
    architecture: Option<String>,
}

impl StyleArgs {
    /// The style's file.
    pub(crate) fn find(&self) -> Result<PathBuf> {
        find_style(&self.style, self.architecture.as_deref())
    }
}

/// The file of a style given by name or path.
pub(crate) fn find_style(name_or_path: &str, architecture: Option<&str>) -> Result<PathBuf> {
    Ok(StyleLibrary::discover().find(name_or_path, architecture)?)
}
