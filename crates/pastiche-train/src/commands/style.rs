//! `pastiche-train style`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_train::{
    PerceptualLoss, StepReport, TrainingConfig,
    photos::PhotoFolder,
    run::{self, TrainJob},
};

use super::{
    Outcome,
    args::{DeviceArgs, LossArgs, LossNetArgs},
    console::interrupt_switch,
    training::{LearnerArgs, RunArgs, StepLog, tell_begun, told_ending},
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

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    loss: LossArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

/// The network and its training.
#[derive(Args)]
struct NetworkArgs {
    #[command(flatten)]
    learner: LearnerArgs,

    /// The painting's shorter side in pixels while it is learned from: larger makes larger strokes.
    #[arg(long, value_name = "PIXELS")]
    style_size: Option<u32>,

    /// Part of the steps after which steadiness begins to count; 0, the start, unless given.
    #[arg(long, value_name = "0..1")]
    stability_from: Option<f64>,
}

impl NetworkArgs {
    fn config(&self, loss: &LossArgs) -> TrainingConfig {
        let (learner, usual) = (&self.learner, TrainingConfig::default());
        TrainingConfig {
            architecture: learner.architecture.clone().unwrap_or(usual.architecture),
            width: learner.width.or(usual.width),
            blocks: learner.blocks.or(usual.blocks),
            steps: learner.steps.unwrap_or(usual.steps),
            batch: learner.batch.unwrap_or(usual.batch),
            crop: learner.crop.unwrap_or(usual.crop),
            style_size: self.style_size.unwrap_or(usual.style_size),
            learning_rate: learner.learning_rate.unwrap_or(usual.learning_rate),
            seed: learner.seed.unwrap_or(usual.seed),
            loss: loss.over(usual.loss),
            stability: learner.stability_weight.unwrap_or(usual.stability),
            stability_from: self.stability_from.unwrap_or(usual.stability_from),
            variation: learner.variation.over(usual.variation),
            ..usual
        }
    }
}

impl StyleCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        self.run.check_output(&self.output)?;
        let config = self.network.config(&self.loss).validate()?;
        let photos = PhotoFolder::open(&self.photos)?;
        let loss_net = self.loss_net.open()?;
        tell_begun(&photos, config.steps, &self.output);
        let mut log = StepLog::new(config.steps, self.run.log_every);
        let cancel = interrupt_switch("finishing the step and writing a checkpoint")?;
        let ending = self.device.run(|device| {
            let (weights, size) = (config.loss.clone(), config.style_size);
            let loss = PerceptualLoss::open(&loss_net, weights, &self.painting, size, device)?;
            let fingerprint = loss_net.fingerprint().to_owned();
            // It may be half a gigabyte, most of which no loss needs.
            drop(loss_net);
            let job = TrainJob {
                config,
                painting: self.painting,
                from: self.network.learner.from,
                photos,
                loss_net: fingerprint,
                device: device.clone(),
                options: self.run.options(&self.output),
            };
            Ok(run::train(&job, loss, &cancel, &mut |step| log.step(step.step, || losses(step)))?)
        })?;
        Ok(told_ending(ending, &self.output))
    }
}

/// A step's losses as text.
fn losses(report: &StepReport) -> String {
    let StepReport { total, content, style, total_variation, stability, .. } = *report;
    format!(
        "loss {total:.3} (content {content:.3}, style {style:.3}, total variation {total_variation:.3}, stability \
         {stability:.3})"
    )
}
