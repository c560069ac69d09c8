//! Which painting.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_inference::{DeviceChoice, StyleLibrary};

/// The style where none is said.
pub(crate) const DEFAULT_STYLE: &str = "starry_night";

/// Which painting.
#[derive(Debug, Args)]
pub(crate) struct StyleArgs {
    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file.
    #[arg(short, long, value_name = "NAME|FILE")]
    style: String,

    /// Which network to take where a style comes with several (see `pastiche styles`); the one that suits the device unless
    /// given.
    #[arg(long, value_name = "ARCH")]
    architecture: Option<String>,
}

impl StyleArgs {
    /// The style's file; the device decides where there are several.
    pub(crate) fn find(&self, device: DeviceChoice) -> Result<PathBuf> {
        find_style(&self.style, self.architecture.as_deref(), device)
    }
}

/// Which painting, where pictures may also be enlarged only.
#[derive(Debug, Args)]
pub(crate) struct OptionalStyleArgs {
    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file. With --upscale it may be
    /// left out.
    #[arg(short, long, value_name = "NAME|FILE", required_unless_present = "upscale")]
    style: Option<String>,

    /// Which network to take where a style comes with several (see `pastiche styles`); the one that suits the device unless
    /// given.
    #[arg(long, value_name = "ARCH", requires = "style")]
    architecture: Option<String>,
}

impl OptionalStyleArgs {
    /// The style's file, where there is to be one; the device decides where there are several.
    pub(crate) fn find(&self, device: DeviceChoice) -> Result<Option<PathBuf>> {
        let style = self.style.as_deref();
        style.map(|style| find_style(style, self.architecture.as_deref(), device)).transpose()
    }
}

/// The file of a style given by name or path.
pub(crate) fn find_style(
    name_or_path: &str,
    architecture: Option<&str>,
    device: DeviceChoice,
) -> Result<PathBuf> {
    Ok(StyleLibrary::discover(device).find(name_or_path, architecture)?)
}
