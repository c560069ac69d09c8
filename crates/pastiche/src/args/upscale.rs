//! Enlarging.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_inference::Upscaler;

/// By how much can be enlarged.
pub(crate) const UPSCALE_FACTORS: [u32; 2] = [4, 8];

/// Enlarging.
#[derive(Debug, Args)]
pub(crate) struct UpscaleArgs {
    /// Enlarge what comes out so many times, 4 or 8, by a network that makes edges sharp. --size and --scale tell the size
    /// before.
    #[arg(long, value_name = "4|8", value_parser = parse_factor)]
    upscale: Option<u32>,

    /// The network that enlarges, a .safetensors file; the installed one unless given.
    #[arg(long, value_name = "FILE", requires = "upscale")]
    upscaler: Option<PathBuf>,
}

fn parse_factor(text: &str) -> Result<u32, String> {
    let known = text.parse().ok().filter(|factor| UPSCALE_FACTORS.contains(factor));
    known.ok_or_else(|| "4 and 8 work".to_owned())
}

impl UpscaleArgs {
    /// The factor and the network's file, where something is to be enlarged.
    pub(crate) fn find(&self) -> Result<Option<(u32, PathBuf)>> {
        let Some(factor) = self.upscale else { return Ok(None) };
        let file = self.upscaler.clone().map_or_else(|| Upscaler::find(factor), Ok)?;
        Ok(Some((factor, file)))
    }
}
