//! `pastiche-train super-resolution`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_train::{
    LossWeights, PerceptualLoss,
    losses::LayerWeight,
    photos::PhotoFolder,
    run::RunFolder,
    super_resolution::{self, EnlargingConfig, EnlargingJob, EnlargingLoss, EnlargingStep},
};

use super::{
    Outcome,
    args::{DeviceArgs, LossNetArgs},
    console::{interrupt_switch, tell},
    training::{RunArgs, StepLog, told_ending},
};

/// Trains a network that enlarges pictures.
#[derive(Args)]
pub(crate) struct EnlargingCommand {
    /// A folder of sharp photographs to learn on.
    #[arg(long, value_name = "DIR")]
    photos: PathBuf,

    /// The file to make: NAME.safetensors. Checkpoints and the report go to NAME.run beside it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// A network to start from, of the same kind, factor and width: the loss of features learns far sooner from what the
    /// loss of pixels has learned than from chance.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    device: DeviceArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// The network and its training.
#[derive(Args)]
struct SettingsArgs {
    /// By how much it is to enlarge: 4 or 8.
    #[arg(long, value_name = "N")]
    factor: Option<u32>,

    /// What its enlargements are compared by: pixel (nearest in decibels) or feature (sharpest to the eye).
    #[arg(long, value_name = "LOSS")]
    loss: Option<EnlargingLoss>,

    /// The layer of the loss network whose features count.
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,

    /// The network: super_res, or srcnn, the baseline.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,

    /// The network's width; 64 unless given.
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Steps to train for.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Patches a step.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Side in pixels of the patches, 288 unless given; smaller ones make quicker steps. Smaller photographs are passed
    /// over.
    #[arg(long, value_name = "PIXELS")]
    patch: Option<u32>,

    /// Deviation in pixels of the Gaussian blur before patches are made small.
    #[arg(long, value_name = "PIXELS")]
    blur: Option<f64>,

    /// Adam's step size.
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,

    /// Where the random numbers start.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl SettingsArgs {
    fn config(&self) -> EnlargingConfig {
        let usual = EnlargingConfig::default();
        EnlargingConfig {
            network: self.network.clone().unwrap_or(usual.network),
            width: self.width.or(usual.width),
            factor: self.factor.unwrap_or(usual.factor),
            loss: self.loss.unwrap_or(usual.loss),
            layer: self.layer.clone().unwrap_or(usual.layer),
            steps: self.steps.unwrap_or(usual.steps),
            batch: self.batch.unwrap_or(usual.batch),
            patch: self.patch.unwrap_or(usual.patch),
            blur: self.blur.unwrap_or(usual.blur),
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            seed: self.seed.unwrap_or(usual.seed),
        }
    }
}

impl EnlargingCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        self.run.check_output(&self.output)?;
        let config = self.settings.config().validate()?;
        let photos = PhotoFolder::open(&self.photos)?;
        tell(format_args!(
            "{} photographs, of which those under {} pixels are passed over; {} steps; report: {}",
            photos.photos().len(),
            config.patch,
            config.steps,
            RunFolder::beside(&self.output).report().display()
        ));
        let loss_net = (config.loss == EnlargingLoss::Feature).then(|| self.loss_net.open()).transpose()?;
        let mut log = StepLog::new(config.steps, self.run.log_every);
        let cancel = interrupt_switch("finishing the step and writing a checkpoint")?;
        let ending = self.device.run(|device| {
            let features = loss_net.map(|file| {
                let weights = LossWeights {
                    style_layers: Vec::new(),
                    content_layers: vec![LayerWeight { layer: config.layer.clone(), weight: 1.0 }],
                    style: 0.0,
                    content: 1.0,
                    total_variation: 0.0,
                };
                let network = file.network(&weights, device)?;
                anyhow::Ok((PerceptualLoss::of_content(network, weights), file.fingerprint().to_owned()))
            });
            let job = EnlargingJob {
                config,
                from: self.from,
                photos,
                features: features.transpose()?,
                device: device.clone(),
                options: self.run.options(&self.output),
            };
            Ok(super_resolution::train(job, &cancel, &mut |step| log.step(step.step, || figures(step)))?)
        })?;
        Ok(told_ending(ending, &self.output))
    }
}

/// What a step came to as text.
fn figures(step: &EnlargingStep) -> String {
    let EnlargingStep { loss, psnr, bicubic_psnr, .. } = *step;
    format!("loss {loss:.5}, {psnr:.2} dB ({:+.2} over bicubic)", psnr - bicubic_psnr)
}
