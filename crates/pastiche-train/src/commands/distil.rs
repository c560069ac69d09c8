//! `pastiche-train distil`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_train::{
    distillation::{self, DistillationConfig, DistillationJob, DistillationStep},
    photos::{PhotoFolder, Variation},
    run::RunFolder,
};

use super::{
    Outcome,
    args::DeviceArgs,
    console::{interrupt_switch, tell},
    training::{RunArgs, StepLog, told_ending},
};

/// Distils a style.
#[derive(Args)]
pub(crate) struct DistilCommand {
    /// The style to learn from: a .safetensors file of any architecture.
    teacher: PathBuf,

    /// A folder of photographs to learn on; a few hundred of all kinds will do, more are better.
    #[arg(long, value_name = "DIR")]
    photos: PathBuf,

    /// The style file to make: NAME.safetensors. Checkpoints and the report go to NAME.run beside it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

/// The network that learns, and its training.
#[derive(Args)]
struct SettingsArgs {
    /// A style to start from, of the same architecture and size as what is to be made.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// The network that learns: swift, transformer_net, lengstrom or johnson.
    #[arg(long, value_name = "A")]
    architecture: Option<String>,

    /// Its width; the architecture's usual one unless given.
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Residual blocks of a swift network; 4 unless given.
    #[arg(long, value_name = "N")]
    blocks: Option<usize>,

    /// Steps to train for.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Photographs a step.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Side in pixels of the squares that are cut out of them.
    #[arg(long, value_name = "PIXELS")]
    crop: Option<u32>,

    /// Adam's step size.
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,

    /// How much steadiness counts: more makes videos calmer and the painting plainer; 0 leaves it out.
    #[arg(long, value_name = "X")]
    stability_weight: Option<f64>,

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

impl SettingsArgs {
    fn config(&self) -> DistillationConfig {
        let usual = DistillationConfig::default();
        DistillationConfig {
            architecture: self.architecture.clone().unwrap_or(usual.architecture),
            width: self.width.or(usual.width),
            blocks: self.blocks.or(usual.blocks),
            steps: self.steps.unwrap_or(usual.steps),
            batch: self.batch.unwrap_or(usual.batch),
            crop: self.crop.unwrap_or(usual.crop),
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            seed: self.seed.unwrap_or(usual.seed),
            stability: self.stability_weight.unwrap_or(usual.stability),
            variation: Variation {
                noise: self.noise.unwrap_or(usual.variation.noise),
                shift: self.shift.unwrap_or(usual.variation.shift),
                light: self.light.unwrap_or(usual.variation.light),
            },
            ..usual
        }
    }
}

impl DistilCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        self.run.check_output(&self.output)?;
        let config = self.settings.config().validate()?;
        let photos = PhotoFolder::open(&self.photos)?;
        tell(format_args!(
            "{} photographs, {} steps; report: {}",
            photos.photos().len(),
            config.steps,
            RunFolder::beside(&self.output).report().display()
        ));
        let mut log = StepLog::new(config.steps, self.run.log_every);
        let cancel = interrupt_switch("finishing the step and writing a checkpoint")?;
        let ending = self.device.run(|device| {
            let job = DistillationJob {
                config,
                teacher: self.teacher,
                from: self.settings.from,
                photos,
                device: device.clone(),
                options: self.run.options(&self.output),
            };
            Ok(distillation::distil(&job, &cancel, &mut |step| log.step(step.step, || figures(step)))?)
        })?;
        Ok(told_ending(ending, &self.output))
    }
}

/// What a step came to as text.
fn figures(step: &DistillationStep) -> String {
    let DistillationStep { total, distance, stability, .. } = *step;
    format!("loss {total:.4} (distance {distance:.4}, stability {stability:.4})")
}
