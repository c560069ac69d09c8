//! What the network runs on.

use clap::Args;
use pastiche_inference::{DeviceChoice, Precision};

/// What the network runs on.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeviceArgs {
    /// The device that runs the network: auto, cpu, cuda, or cuda:N (see `pastiche devices`); auto unless given.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceChoice>,

    /// Threads for the network on a CPU; all cores unless given, or for a video all but one where there are at least four.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Numbers to compute with: auto, f32, bf16 or f16.
    #[arg(long, value_name = "TYPE", default_value = "auto")]
    pub(crate) precision: Precision,
}

impl DeviceArgs {
    /// The same, leaving room for a decoder and an encoder beside the network. Where there are few cores all of them serve
    /// better, since decoding and encoding take little of each frame's time.
    pub(crate) fn beside_a_codec(&self) -> Self {
        let room = threads_beside_a_codec().and_then(|threads| u16::try_from(threads).ok());
        Self { threads: self.threads.or(room), ..self.clone() }
    }

    /// The device to open.
    pub(crate) fn choice(&self) -> DeviceChoice {
        self.device.unwrap_or_default()
    }

    /// How many threads were asked for.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }
}

/// Threads for the network that leave room for a decoder and an encoder; all where there are few.
pub(crate) fn threads_beside_a_codec() -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores >= 4).then(|| cores - 1)
}
