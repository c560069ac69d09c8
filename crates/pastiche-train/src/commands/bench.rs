//! `pastiche-train bench`.

use std::path::PathBuf;

use anyhow::Result;
use candle_core::Tensor;
use clap::Args;
use pastiche_train::{
    PerceptualLoss, Trainer, TrainingConfig,
    losses::LayerWeight,
    photos::{self, Batch, PhotoFolder},
};
use serde_json::json;

use super::{
    Outcome,
    args::{DeviceArgs, LossNetArgs},
};

/// Steps whose photographs are loaded to count them.
const PHOTO_STEPS: u32 = 50;

/// The layers of style: those of the paper's kind that other programs' steps are timed with, whatever is usual in training.
const STYLE_LAYERS: [&str; 4] = ["relu1_2", "relu2_2", "relu3_3", "relu4_1"];

/// Times a training step on random pictures: without anything else asked for, a 16-32-64 transformer_net on two 160x160
/// pictures, with content at relu2_2, style at four layers, and total variation.
#[derive(Args)]
pub(crate) struct BenchCommand {
    /// The network.
    #[arg(long, value_name = "A", default_value = "transformer_net")]
    architecture: String,

    /// The network's width; for transformer_net 16 unless given.
    #[arg(long, value_name = "N")]
    width: Option<usize>,

    /// Photographs a step.
    #[arg(long, value_name = "N", default_value_t = 2)]
    batch: usize,

    /// Side in pixels of the squares.
    #[arg(long, value_name = "PIXELS", default_value_t = 160)]
    crop: u32,

    /// How much steadiness counts; 0 leaves it out.
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    stability_weight: f64,

    /// Steps to time, after one to warm up.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,

    /// Tell too how many photographs of this folder a second the loading threads give, training or not.
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

impl BenchCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        let mut config = TrainingConfig {
            width: self.width.or((self.architecture == "transformer_net").then_some(16)),
            architecture: self.architecture,
            batch: self.batch,
            crop: self.crop,
            stability: self.stability_weight,
            ..TrainingConfig::default()
        };
        let layer = |name: &str| LayerWeight { layer: name.to_owned(), weight: 1.0 };
        config.loss.style_layers = STYLE_LAYERS.map(layer).to_vec();
        config.loss.content_layers = vec![layer("relu2_2")];
        let config = config.validate()?;
        let loss_net = self.loss_net.open()?;
        let photos = self.photos.as_deref().map(PhotoFolder::open).transpose()?;
        let (mut times_ms, photos_per_second) = self.device.run(|device| {
            let network = loss_net.network(&config.loss, device)?;
            let painting = Tensor::rand(0f32, 255f32, (1, 3, 256, 256), device)?;
            let loss = PerceptualLoss::new(network, config.loss.clone(), &painting)?;
            let mut trainer = Trainer::new(config.clone(), loss, device)?;
            let side = config.crop as usize;
            let pictures = || -> Result<Vec<f32>> {
                let pictures = Tensor::rand(0f32, 255f32, (config.batch, 3, side, side), device)?;
                Ok(pictures.flatten_all()?.to_vec1()?)
            };
            let batch = Batch { photos: pictures()?, varied: pictures()?, shift: [0, 0] };
            let (mut times_ms, mut begun) = (Vec::new(), 0);
            // The first is to warm up.
            while times_ms.len() <= self.steps as usize {
                if begun <= self.steps {
                    trainer.submit(&batch)?;
                    begun += 1;
                }
                // As many are under way as in a training.
                if begun > self.steps || trainer.under_way() > trainer.ahead() {
                    times_ms.extend(trainer.collect()?.map(|report| report.step_ms));
                }
            }
            let per_second = |folder| photos::photos_per_second(folder, &config, PHOTO_STEPS, device);
            Ok((times_ms.split_off(1), photos.as_ref().map(per_second).transpose()?))
        })?;
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share).round() as usize];
        let mut result = json!({ "ms": { "median": at(0.5), "p95": at(0.95), "min": at(0.0) } });
        if let Some(photos_per_second) = photos_per_second {
            result["photos_per_second"] =
                json!({ "loaded": photos_per_second, "needed": self.batch as f64 / at(0.5) * 1000.0 });
        }
        println!("{result}");
        Ok(Outcome::Done)
    }
}
