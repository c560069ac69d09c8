//! `pastiche-train style`.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Result, bail};
use clap::Args;
use pastiche_train::{
    PerceptualLoss, StepReport, TrainingConfig, ValidConfig,
    photos::{PhotoFolder, Variation},
    run::{self, Ending, RunFolder, TrainJob},
};

use super::{
    Outcome,
    args::{DeviceArgs, LossArgs, LossNetArgs, refuse_missing_folder},
    console::{clock, interrupt_switch, tell},
    wrong_usage,
};

/// Trains a style.
#[derive(Args)]
pub(crate) struct StyleCommand {
    /// The painting: a PNG or JPEG.
    painting: PathBuf,

    /// A folder of photographs to learn on; a few hundred of all kinds will do, more are better.
    #[arg(long, value_name = "DIR")]
    photos: PathBuf,

    /// The style file to make: NAME.safetensors. Checkpoints and the report go to NAME.run beside it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Go on from the last checkpoint, with the same settings.
    #[arg(long)]
    resume: bool,

    /// Replace a style or a training that exists.
    #[arg(short = 'y', long = "yes", conflicts_with = "resume")]
    overwrite: bool,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    loss: LossArgs,

    #[command(flatten)]
    device: DeviceArgs,

    /// Steps between two checkpoints.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: u64,

    /// Steps between two looks at the held-out photographs.
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    sample_every: u64,

    /// Steps between two lines on standard error.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    log_every: u64,

    #[command(flatten)]
    about: AboutArgs,
}

/// The network and its training.
#[derive(Args)]
struct NetworkArgs {
    /// The network: swift, transformer_net or lengstrom.
    #[arg(long, value_name = "A")]
    architecture: Option<String>,

    /// The network's width; the architecture's usual one unless given.
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Steps to train for.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Photographs a step.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Side in pixels of the squares that are cut out of them.
    #[arg(long, value_name = "PIXELS")]
    crop: Option<u32>,

    /// The painting's shorter side in pixels while it is learned from: larger makes larger strokes.
    #[arg(long, value_name = "PIXELS")]
    style_size: Option<u32>,

    /// Adam's step size.
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,

    /// How much steadiness counts: more makes videos calmer and the painting plainer; 0 leaves it out.
    #[arg(long, value_name = "X")]
    stability_weight: Option<f64>,

    /// Part of the steps after which steadiness begins to count; 0, the start, unless given.
    #[arg(long, value_name = "0..1")]
    stability_from: Option<f64>,

    /// Largest deviation, on 0-255, of the noise that the steadiness is learned with.
    #[arg(long, value_name = "X")]
    noise: Option<f64>,

    /// Largest shift in pixels that the steadiness is learned with.
    #[arg(long, value_name = "PIXELS")]
    shift: Option<u32>,

    /// Largest change of the light that the steadiness is learned with: 0.05 for factors from 0.95 to 1.05.
    #[arg(long, value_name = "X")]
    light: Option<f64>,

    /// Where the random numbers start.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// What the style file says about itself.
#[derive(Args)]
struct AboutArgs {
    /// What people are to call the style; its file's name unless given.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// Who painted it, and who trained it.
    #[arg(long, value_name = "TEXT")]
    credit: Option<String>,

    /// Under what terms the style may be used.
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
}

impl NetworkArgs {
    fn config(&self, loss: &LossArgs) -> TrainingConfig {
        let usual = TrainingConfig::default();
        TrainingConfig {
            architecture: self.architecture.clone().unwrap_or(usual.architecture),
            width: self.width.or(usual.width),
            steps: self.steps.unwrap_or(usual.steps),
            batch: self.batch.unwrap_or(usual.batch),
            crop: self.crop.unwrap_or(usual.crop),
            style_size: self.style_size.unwrap_or(usual.style_size),
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            seed: self.seed.unwrap_or(usual.seed),
            loss: loss.over(usual.loss),
            stability: self.stability_weight.unwrap_or(usual.stability),
            stability_from: self.stability_from.unwrap_or(usual.stability_from),
            variation: Variation {
                noise: self.noise.unwrap_or(usual.variation.noise),
                shift: self.shift.unwrap_or(usual.variation.shift),
                light: self.light.unwrap_or(usual.variation.light),
            },
            ..usual
        }
    }
}

impl AboutArgs {
    fn metadata(&self) -> HashMap<String, String> {
        let entries = [("name", &self.title), ("credit", &self.credit), ("license", &self.license)];
        let told = entries.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        told.map(|(key, value)| (format!("pastiche.{key}"), value)).collect()
    }
}

impl StyleCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        if self.output.extension().is_none_or(|extension| extension != "safetensors") {
            let output = self.output.display();
            return Err(wrong_usage(format!("a style file's name must end with .safetensors: {output}")));
        }
        if self.output.exists() && !self.overwrite && !self.resume {
            bail!("the style exists already; add -y to replace it: {}", self.output.display());
        }
        refuse_missing_folder(&self.output)?;
        let config = self.network.config(&self.loss).validate()?;
        let photos = PhotoFolder::open(&self.photos)?;
        let loss_net = self.loss_net.open()?;
        let run = RunFolder::beside(&self.output);
        tell(format_args!(
            "{} photographs, {} steps; report: {}",
            photos.photos().len(),
            config.steps,
            run.report().display()
        ));
        let mut log = Log::new(&config, self.log_every);
        let cancel = interrupt_switch("finishing the step and writing a checkpoint")?;
        let about = self.about.metadata();
        let ending = self.device.run(|device| {
            let (weights, size) = (config.loss.clone(), config.style_size);
            let loss = PerceptualLoss::open(&loss_net, weights, &self.painting, size, device)?;
            let fingerprint = loss_net.fingerprint().to_owned();
            // It may be half a gigabyte, most of which no loss needs.
            drop(loss_net);
            let job = TrainJob {
                config,
                painting: self.painting,
                photos,
                loss_net: fingerprint,
                device: device.clone(),
                output: self.output.clone(),
                run: run.clone(),
                resume: self.resume,
                replace: self.overwrite,
                checkpoint_every: self.checkpoint_every,
                sample_every: self.sample_every,
                about,
            };
            Ok(run::train(&job, loss, &cancel, &mut |step| log.step(step))?)
        })?;
        Ok(match ending {
            Ending::Finished => {
                tell(format_args!("done: {}", self.output.display()));
                Outcome::Done
            }
            Ending::Interrupted { steps } => {
                tell(format_args!(
                    "{steps} steps are kept; the same command with --resume goes on. The style so far: {}",
                    run.style_so_far().display()
                ));
                Outcome::Interrupted
            }
        })
    }
}

/// One line an interval: the losses, the speed, the time left.
struct Log {
    steps: u64,
    every: u64,
    /// When the latest steps ended: their distance counts the wait for photographs, samples and checkpoints too.
    ends: VecDeque<Instant>,
}

impl Log {
    /// Steps that the time left is judged by.
    const RECENT: usize = 50;

    fn new(config: &ValidConfig, every: u64) -> Self {
        Self { steps: config.steps, every, ends: VecDeque::from([Instant::now()]) }
    }

    fn step(&mut self, report: &StepReport) {
        if self.ends.len() > Self::RECENT {
            self.ends.pop_front();
        }
        let now = Instant::now();
        let first = *self.ends.front().unwrap_or(&now);
        self.ends.push_back(now);
        let StepReport { step, total, content, style, total_variation, stability, .. } = *report;
        if !step.is_multiple_of(self.every) && step != self.steps {
            return;
        }
        let each_ms = (now - first).as_secs_f64() * 1000.0 / (self.ends.len() - 1) as f64;
        let left = clock(each_ms / 1000.0 * self.steps.saturating_sub(step) as f64);
        tell(format_args!(
            "step {step} of {}: loss {total:.3} (content {content:.3}, style {style:.3}, total variation \
             {total_variation:.3}, stability {stability:.3}), {each_ms:.0} ms a step, {left} left",
            self.steps
        ));
    }
}
