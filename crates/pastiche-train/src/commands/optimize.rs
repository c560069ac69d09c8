//! `pastiche-train optimize`.

use std::{path::PathBuf, sync::atomic::Ordering};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use image::ImageFormat;
use pastiche_train::{
    LossWeights, PerceptualLoss, TrainingConfig,
    optimize::{PixelOptimiser, white_noise},
    photos,
};

use super::{
    Outcome,
    args::{DeviceArgs, LossArgs, LossNetArgs, refuse_missing_folder},
    console::{Counter, interrupt_switch, tell},
    wrong_usage,
};

/// Paints one photograph by minimising equation 5 over its pixels.
#[derive(Args)]
pub(crate) struct OptimizeCommand {
    /// The photograph.
    photo: PathBuf,

    /// The painting.
    #[arg(long, value_name = "FILE")]
    painting: PathBuf,

    /// The picture to write: a PNG or JPEG.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Replace a picture that exists.
    #[arg(short = 'y', long = "yes")]
    overwrite: bool,

    /// What to start from.
    #[arg(long, value_enum, default_value_t = Start::Noise)]
    from: Start,

    /// Iterations of L-BFGS.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    iterations: u64,

    /// The photograph's shorter side in pixels while it is painted; it is not enlarged.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(32..=2048))]
    size: u32,

    /// The painting's shorter side in pixels.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(32..=4096))]
    style_size: Option<u32>,

    /// Where the random numbers start.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    loss: LossArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

/// What the optimiser starts from.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Start {
    /// White noise.
    Noise,
    /// The photograph.
    Content,
}

impl OptimizeCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        if self.output.exists() && !self.overwrite {
            bail!("the picture exists already; add -y to replace it: {}", self.output.display());
        }
        let format = ImageFormat::from_path(&self.output).ok();
        if !matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
            return Err(wrong_usage(format!(
                "pictures are written as .png or .jpg; choose such a name: {}",
                self.output.display()
            )));
        }
        refuse_missing_folder(&self.output)?;
        let usual = TrainingConfig::default();
        let weights = self.loss.over(LossWeights::default());
        let style_size = self.style_size.unwrap_or(usual.style_size);
        let loss_net = self.loss_net.open()?;
        let cancel = interrupt_switch("writing the picture as it is now")?;
        let (picture, interrupted) = self.device.run(|device| {
            let loss = PerceptualLoss::open(&loss_net, weights, &self.painting, style_size, device)?;
            let photo = photos::open_reduced(&self.photo, self.size)?;
            let photo = photos::tensor_from_picture(&photo, device)?;
            let (_, _, height, width) = photo.dims4()?;
            let start = match self.from {
                Start::Noise => white_noise(height, width, self.seed, device)?,
                Start::Content => photo.clone(),
            };
            let mut pixels = PixelOptimiser::new(&loss, &photo, &start)?;
            tell(format_args!("equation 5 at the start: {:.4}", pixels.value()));
            let mut counter = Counter::new("iterations", self.iterations);
            let mut done = 0;
            while done < self.iterations && !cancel.load(Ordering::Relaxed) && pixels.iterate()? {
                done += 1;
                counter.update(done);
            }
            drop(counter);
            tell(format_args!("equation 5 after {done} iterations: {:.4}", pixels.value()));
            let picture = photos::picture_from_tensor(&pixels.picture()?)?;
            Ok((picture, cancel.load(Ordering::Relaxed)))
        })?;
        picture
            .save(&self.output)
            .with_context(|| format!("the picture cannot be written: {}", self.output.display()))?;
        tell(format_args!("{}", self.output.display()));
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Done })
    }
}
