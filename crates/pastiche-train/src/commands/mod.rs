//! The subcommands, a file each, and what they share.

mod args;
mod bench;
mod console;
mod distil;
mod enlarging;
mod evaluate;
mod kept;
mod optimize;
mod reconstruction;
mod speed;
mod style;
mod super_resolution;
mod training;

use anyhow::Result;
use clap::Subcommand;
use pastiche_train::TrainError;

/// How a command ended; the numbers are exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done = 0,
    Failed = 1,
    WrongUsage = 2,
    Interrupted = 130,
}

/// The command line cannot be meant as it stands.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

/// An error that says so.
pub(crate) fn wrong_usage(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}

/// The exit code that an error deserves.
pub(crate) fn outcome_of(error: &anyhow::Error) -> Outcome {
    let setting = matches!(
        error.downcast_ref(),
        Some(TrainError::Setting { .. } | TrainError::UnknownLayer { .. } | TrainError::LossNetInput { .. })
    );
    if setting || error.is::<UsageError>() { Outcome::WrongUsage } else { Outcome::Failed }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a style from a painting and a folder of photographs.
    Style(Box<style::StyleCommand>),
    /// Train a small network to paint what the network of a style paints.
    Distil(Box<distil::DistilCommand>),
    /// Measure a style: its objective or its speed beside the slow method's, and how steady it is. Or measure
    /// super-resolution.
    Evaluate(Box<evaluate::EvaluateCommand>),
    /// Paint one photograph the slow way: L-BFGS over its pixels (Gatys et al. 2015).
    Optimize(optimize::OptimizeCommand),
    /// Train a network that enlarges pictures.
    SuperResolution(Box<enlarging::EnlargingCommand>),
    /// Time one training step.
    Bench(bench::BenchCommand),
}

impl Command {
    pub(crate) fn run(self) -> Result<Outcome> {
        match self {
            Self::Style(command) => command.run(),
            Self::Distil(command) => command.run(),
            Self::Evaluate(command) => command.run(),
            Self::Optimize(command) => command.run(),
            Self::SuperResolution(command) => command.run(),
            Self::Bench(command) => command.run(),
        }
    }
}
