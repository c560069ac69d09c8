//! The subcommands, one file each.

mod bench;
mod devices;
mod folder;
mod image;
mod live;
mod live_watch;
mod names;
mod picture_sequence;
mod probe;
mod resume;
mod styles;
mod summary;
mod video;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Outcome;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Live(Box<live::LiveArgs>),
    Video(video::VideoArgs),
    Image(image::ImageArgs),
    Styles(styles::StylesArgs),
    Devices(devices::DevicesArgs),
    Probe(probe::ProbeArgs),
    Bench(bench::BenchArgs),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self) -> Result<Outcome> {
        match self {
            Self::Live(args) => args.run(),
            Self::Video(args) => args.run(),
            Self::Image(args) => args.run(),
            Self::Styles(args) => args.run(),
            Self::Devices(args) => args.run(),
            Self::Probe(args) => args.run(),
            Self::Bench(args) => args.run(),
        }
    }
}
