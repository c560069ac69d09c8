//! `pastiche-train optimize`.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, bail};
use candle_core::Device;
use clap::{Args, ValueEnum};
use image::{ImageFormat, RgbImage};
use pastiche_train::{
    PerceptualLoss, TrainingConfig,
    optimize::{PixelOptimiser, white_noise},
    photos,
};

use super::{
    Outcome,
    args::{DeviceArgs, LossArgs, LossNetArgs, refuse_missing_folder},
    console::{Counter, interrupt_switch, tell},
    reconstruction::ReconstructionArgs,
    wrong_usage,
};

/// Paints one photograph by minimising equation 5 over its pixels. Or shows what the layers of a loss network keep of a
/// picture: figures 3 and 4 of Johnson et al. 2016.
#[derive(Args)]
pub(crate) struct OptimizeCommand {
    /// The photograph.
    photo: PathBuf,

    /// The painting.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["content_only", "style_only"])]
    painting: Option<PathBuf>,

    #[command(flatten)]
    reconstruction: ReconstructionArgs,

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
        let config = TrainingConfig {
            loss: self.loss.over(usual.loss),
            style_size: self.style_size.unwrap_or(usual.style_size),
            ..usual
        };
        let config = config.validate()?;
        let loss_net = self.loss_net.open()?;
        let cancel = interrupt_switch("writing the picture as it is now")?;
        let (picture, interrupted) = self.device.run(|device| {
            let photo = photos::open_reduced(&self.photo, self.size)?;
            let mut pictures = Vec::new();
            if let Some(painting) = &self.painting {
                let (weights, size) = (config.loss.clone(), config.style_size);
                let loss = PerceptualLoss::open(&loss_net, weights, painting, size, device)?;
                pictures.push(self.optimise("equation 5", &loss, &photo, device, &cancel)?);
            } else {
                pictures.push(photo.clone());
                for (layer, loss) in self.reconstruction.losses(&loss_net, &self.loss, &photo, device)? {
                    if !cancel.load(Ordering::Relaxed) {
                        pictures.push(self.optimise(&layer, &loss, &photo, device, &cancel)?);
                    }
                }
            }
            Ok((photos::side_by_side(&pictures), cancel.load(Ordering::Relaxed)))
        })?;
        picture
            .save(&self.output)
            .with_context(|| format!("the picture cannot be written: {}", self.output.display()))?;
        tell(format_args!("{}", self.output.display()));
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Done })
    }

    /// Minimises a loss over the pixels of a picture of the photograph's size.
    fn optimise(
        &self,
        what: &str,
        loss: &PerceptualLoss,
        photo: &RgbImage,
        device: &Device,
        cancel: &AtomicBool,
    ) -> Result<RgbImage> {
        let photo = photos::tensor_from_picture(photo, device)?;
        let (_, _, height, width) = photo.dims4()?;
        let start = match self.from {
            Start::Noise => white_noise(height, width, self.seed, device)?,
            Start::Content => photo.clone(),
        };
        let mut pixels = PixelOptimiser::new(loss, &photo, &start)?;
        tell(format_args!("{what} at the start: {:.4}", pixels.value()));
        let mut counter = Counter::new("iterations", self.iterations);
        let mut done = 0;
        while done < self.iterations && !cancel.load(Ordering::Relaxed) && pixels.iterate()? {
            done += 1;
            counter.update(done);
        }
        drop(counter);
        tell(format_args!("{what} after {done} iterations: {:.4}", pixels.value()));
        Ok(photos::picture_from_tensor(&pixels.picture()?)?)
    }
}
