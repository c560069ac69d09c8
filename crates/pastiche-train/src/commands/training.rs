//! What all trainings share on the command line: where they go, how they are kept, what they say.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, bail};
use clap::Args;
use pastiche_train::{
    photos::{PhotoFolder, Variation},
    run::{Ending, RunFolder, RunOptions},
};

use super::{
    Outcome,
    args::refuse_missing_folder,
    console::{clock, tell},
    wrong_usage,
};

/// How a training is kept, and what it tells.
#[derive(Args)]
pub(super) struct RunArgs {
    /// Go on from the last checkpoint, with the same settings.
    #[arg(long)]
    resume: bool,

    /// Replace a file or a training that exists.
    #[arg(short = 'y', long = "yes", conflicts_with = "resume")]
    overwrite: bool,

    /// Steps between two checkpoints.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: u64,

    /// Steps between two looks at the held-out photographs.
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    sample_every: u64,

    /// Steps between two lines on standard error.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) log_every: u64,

    #[command(flatten)]
    about: AboutArgs,
}

/// What the file says about itself.
#[derive(Args)]
struct AboutArgs {
    /// What people are to call it; its file's name unless given.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// Who painted what it learned from, and who trained it.
    #[arg(long, value_name = "TEXT")]
    credit: Option<String>,

    /// Under what terms it may be used.
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
}

impl AboutArgs {
    fn metadata(&self) -> HashMap<String, String> {
        let entries = [("name", &self.title), ("credit", &self.credit), ("license", &self.license)];
        let told = entries.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        told.map(|(key, value)| (format!("pastiche.{key}"), value)).collect()
    }
}

impl RunArgs {
    /// Refuses an output that cannot be written, or that is there already.
    pub(super) fn check_output(&self, output: &Path) -> Result<()> {
        if output.extension().is_none_or(|extension| extension != "safetensors") {
            let output = output.display();
            return Err(wrong_usage(format!("the result's name must end with .safetensors: {output}")));
        }
        if output.exists() && !self.overwrite && !self.resume {
            bail!("the file exists already; add -y to replace it: {}", output.display());
        }
        refuse_missing_folder(output)
    }

    pub(super) fn options(&self, output: &Path) -> RunOptions {
        RunOptions {
            output: output.to_owned(),
            run: RunFolder::beside(output),
            resume: self.resume,
            replace: self.overwrite,
            checkpoint_every: self.checkpoint_every,
            sample_every: self.sample_every,
            about: self.about.metadata(),
        }
    }
}

/// The network of a style, and how it learns.
#[derive(Args)]
pub(super) struct LearnerArgs {
    /// A style to start from, of the same architecture and size: learning another painting, or going on with the same
    /// one, takes far fewer steps from there.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,

    /// The network: swift, transformer_net, lengstrom or johnson.
    #[arg(long, value_name = "A")]
    pub(super) architecture: Option<String>,

    /// The network's width; the architecture's usual one unless given.
    #[arg(long, value_name = "N")]
    pub(super) width: Option<usize>,

    /// Residual blocks of a swift network; 4 unless given.
    #[arg(long, value_name = "N")]
    pub(super) blocks: Option<usize>,

    /// Steps to train for.
    #[arg(long, value_name = "N")]
    pub(super) steps: Option<u64>,

    /// Photographs a step.
    #[arg(long, value_name = "N")]
    pub(super) batch: Option<usize>,

    /// Side in pixels of the squares that are cut out of them.
    #[arg(long, value_name = "PIXELS")]
    pub(super) crop: Option<u32>,

    /// Adam's step size.
    #[arg(long, value_name = "X")]
    pub(super) learning_rate: Option<f64>,

    /// How much steadiness counts: more makes videos calmer and the painting plainer; 0 leaves it out.
    #[arg(long, value_name = "X")]
    pub(super) stability_weight: Option<f64>,

    /// Where the random numbers start.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    #[command(flatten)]
    pub(super) variation: VariationArgs,
}

/// What a style learns to be steady against.
#[derive(Args)]
pub(super) struct VariationArgs {
    /// Largest deviation, on 0-255, of the noise that the steadiness is learned with.
    #[arg(long, value_name = "X")]
    noise: Option<f64>,

    /// Largest shift in pixels that the steadiness is learned with.
    #[arg(long, value_name = "PIXELS")]
    shift: Option<u32>,

    /// Largest change of the light that the steadiness is learned with: 0.05 for factors from 0.95 to 1.05.
    #[arg(long, value_name = "X")]
    light: Option<f64>,
}

impl VariationArgs {
    /// These variations, changed as the command line asks.
    pub(super) fn over(&self, usual: Variation) -> Variation {
        Variation {
            noise: self.noise.unwrap_or(usual.noise),
            shift: self.shift.unwrap_or(usual.shift),
            light: self.light.unwrap_or(usual.light),
        }
    }
}

/// Says what a training of a style begins with.
pub(super) fn tell_begun(photos: &PhotoFolder, steps: u64, output: &Path) {
    let (number, report) = (photos.photos().len(), RunFolder::beside(output).report());
    tell(format_args!("{number} photographs, {steps} steps; report: {}", report.display()));
}

/// Says how a training ended.
pub(super) fn told_ending(ending: Ending, output: &Path) -> Outcome {
    match ending {
        Ending::Finished => {
            tell(format_args!("done: {}", output.display()));
            Outcome::Done
        }
        Ending::Interrupted { steps } => {
            tell(format_args!(
                "{steps} steps are kept; the same command with --resume goes on. What there is so far: {}",
                RunFolder::beside(output).style_so_far().display()
            ));
            Outcome::Interrupted
        }
    }
}

/// One line an interval: the losses, the speed, the time left.
pub(super) struct StepLog {
    steps: u64,
    every: u64,
    /// When the latest steps ended: their distance counts the wait for photographs, samples and checkpoints too.
    ends: VecDeque<Instant>,
}

impl StepLog {
    /// Steps that the time left is judged by.
    const RECENT: usize = 50;

    pub(super) fn new(steps: u64, every: u64) -> Self {
        Self { steps, every, ends: VecDeque::from([Instant::now()]) }
    }

    /// Notes that a step is done; `losses` tells what it came to.
    pub(super) fn step(&mut self, step: u64, losses: impl FnOnce() -> String) {
        if self.ends.len() > Self::RECENT {
            self.ends.pop_front();
        }
        let now = Instant::now();
        let first = *self.ends.front().unwrap_or(&now);
        self.ends.push_back(now);
        if !step.is_multiple_of(self.every) && step != self.steps {
            return;
        }
        let each_ms = (now - first).as_secs_f64() * 1000.0 / (self.ends.len() - 1) as f64;
        let left = clock(each_ms / 1000.0 * self.steps.saturating_sub(step) as f64);
        let losses = losses();
        tell(format_args!("step {step} of {}: {losses}, {each_ms:.0} ms a step, {left} left", self.steps));
    }
}
