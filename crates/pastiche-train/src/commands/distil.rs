//! `pastiche-train distil`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_train::{
    distillation::{self, DistillationConfig, DistillationJob, DistillationStep},
    photos::PhotoFolder,
};

use super::{
    Outcome,
    args::DeviceArgs,
    console::interrupt_switch,
    training::{LearnerArgs, RunArgs, StepLog, tell_begun, told_ending},
    wrong_usage,
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
    learner: LearnerArgs,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

/// The settings that the command line asks for.
fn config(learner: &LearnerArgs) -> DistillationConfig {
    let usual = DistillationConfig::default();
    DistillationConfig {
        architecture: learner.architecture.clone().unwrap_or(usual.architecture),
        width: learner.width.or(usual.width),
        blocks: learner.blocks.or(usual.blocks),
        steps: learner.steps.unwrap_or(usual.steps),
        batch: learner.batch.unwrap_or(usual.batch),
        crop: learner.crop.unwrap_or(usual.crop),
        learning_rate: learner.learning_rate.unwrap_or(usual.learning_rate),
        seed: learner.seed.unwrap_or(usual.seed),
        stability: learner.stability_weight.unwrap_or(usual.stability),
        variation: learner.variation.over(usual.variation),
        ..usual
    }
}

impl DistilCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        self.run.check_output(&self.output)?;
        if let (Ok(teacher), Ok(output)) = (self.teacher.canonicalize(), self.output.canonicalize())
            && teacher == output
        {
            let teacher = self.teacher.display();
            return Err(wrong_usage(format!("the result would replace the style to learn from: {teacher}")));
        }
        let config = config(&self.learner).validate()?;
        let photos = PhotoFolder::open(&self.photos)?;
        tell_begun(&photos, config.steps, &self.output);
        let mut log = StepLog::new(config.steps, self.run.log_every);
        let cancel = interrupt_switch("finishing the step and writing a checkpoint")?;
        let ending = self.device.run(|device| {
            let job = DistillationJob {
                config,
                teacher: self.teacher,
                from: self.learner.from,
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
