//! Which painting.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_inference::StyleLibrary;

/// The style where none is said.
pub(crate) const DEFAULT_STYLE: &str = "starry_night";

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

/// Which painting, where pictures may also be enlarged only.
#[derive(Debug, Args)]
pub(crate) struct OptionalStyleArgs {
    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file. With --upscale it may be
    /// left out.
    #[arg(short, long, value_name = "NAME|FILE", required_unless_present = "upscale")]
    style: Option<String>,

    /// Which network to take where a style comes with several (see `pastiche styles`).
    #[arg(long, value_name = "ARCH", requires = "style")]
    architecture: Option<String>,
}

impl OptionalStyleArgs {
    /// The style's file, where there is to be one.
    pub(crate) fn find(&self) -> Result<Option<PathBuf>> {
        let style = self.style.as_deref();
        style.map(|style| find_style(style, self.architecture.as_deref())).transpose()
    }
}

/// The file of a style given by name or path.
pub(crate) fn find_style(name_or_path: &str, architecture: Option<&str>) -> Result<PathBuf> {
    Ok(StyleLibrary::discover().find(name_or_path, architecture)?)
}
