//! What the network runs on.

use clap::Args;
use pastiche_inference::{DeviceChoice, Precision};

/// What the network runs on.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// The device that runs the network: auto, cpu, cuda, or cuda:N (see `pastiche devices`).
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: DeviceChoice,

    /// Threads for the network on a CPU; all cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Numbers to compute with: auto, f32, bf16 or f16.
    #[arg(long, value_name = "TYPE", default_value = "auto")]
    pub(crate) precision: Precision,
}

impl DeviceArgs {
    /// How many threads were asked for.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }
}
