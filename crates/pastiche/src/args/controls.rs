//! How the painting is applied.

use clap::Args;
use pastiche_inference::Controls;

use super::fraction::parse_fraction;

/// How the painting is applied to one picture.
#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// How much of the painting to see: 0 is the source, 1 the full style; 1 unless given.
    #[arg(long, value_name = "0..1", value_parser = parse_fraction)]
    pub(crate) strength: Option<f32>,

    /// Keep the source's colours; only brightness and brush strokes change.
    #[arg(long)]
    pub(crate) keep_colors: bool,
}

/// How a picture follows the one before.
#[derive(Debug, Args)]
pub(crate) struct SmoothingArgs {
    /// Calm flicker from frame to frame: 0 is off, 1 the most; 0 unless given.
    #[arg(long, value_name = "0..1", value_parser = parse_fraction)]
    pub(crate) smoothing: Option<f32>,
}

impl ControlArgs {
    /// The engine's controls; `smoothing` is for pictures in sequence.
    pub(crate) fn controls(&self, smoothing: Option<&SmoothingArgs>) -> Controls {
        Controls {
            strength: self.strength.unwrap_or(1.0),
            keep_colors: self.keep_colors,
            smoothing: smoothing.and_then(|args| args.smoothing).unwrap_or(0.0),
        }
    }
}
