//! `pastiche-train evaluate`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use candle_core::{Device, Tensor};
use clap::Args;
use pastiche_nn::{Network, WeightsFile};
use pastiche_train::{
    PerceptualLoss, TrainError, TrainingConfig, ValidConfig,
    evaluate::{self, ObjectiveReport},
    loss_net::LossNetFile,
    photos::{self, PhotoFolder},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Outcome,
    args::{DeviceArgs, LossNetArgs, SquarePhoto, refuse_missing_folder, square_photos},
    console::{Counter, tell},
    kept::Kept,
    speed::SpeedArgs,
    super_resolution::SuperResolutionArgs,
    wrong_usage,
};

/// Measures a style.
#[derive(Args)]
pub(crate) struct EvaluateCommand {
    /// The style: a .safetensors file.
    #[arg(required_unless_present = "folder")]
    style: Option<PathBuf>,

    /// The painting that it was trained on.
    #[arg(long, value_name = "FILE", required_unless_present = "folder")]
    painting: Option<PathBuf>,

    /// Photographs to measure on; none that it was trained on.
    #[arg(long, value_name = "DIR", required_unless_present = "folder")]
    photos: Option<PathBuf>,

    /// How many of them, in the order of their names.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,

    /// Side in pixels of the squares that are cut out of their middles.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(32..=2048))]
    size: u32,

    /// The optimiser's iterations to compare with; 0 leaves it out.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "50,100,200")]
    iterations: Vec<usize>,

    /// Keep what is measured of each photograph beside the optimiser in this file, and take from it what is there already:
    /// the same command goes on where it was broken off.
    #[arg(long, value_name = "FILE.jsonl")]
    keep: Option<PathBuf>,

    /// Also measure the gain of noise.
    #[arg(long)]
    stability: bool,

    /// Also measure, over a folder of frames in the order of their names, how much more the paintings change than they.
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,

    /// Write the comparison as a figure.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    speed: SpeedArgs,

    #[command(flatten)]
    super_resolution: SuperResolutionArgs,

    #[command(flatten)]
    loss_net: LossNetArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

/// Everything that was measured.
#[derive(Serialize)]
struct Evaluation {
    style: String,
    photos: Vec<String>,
    #[serde(flatten)]
    objective: ObjectiveReport,
    noise_gain: Option<f64>,
    frame_difference: Option<f64>,
}

/// A style and what it is measured with.
struct Subject {
    name: String,
    network: Network,
    loss: PerceptualLoss,
    /// SHA-256 of the style, the painting and the loss network.
    sums: [String; 3],
}

impl EvaluateCommand {
    pub(crate) fn run(self) -> Result<Outcome> {
        if let Some(measured) = self.super_resolution.run(&self.device, self.json) {
            return measured;
        }
        let (Some(style), Some(painting), Some(photos)) = (&self.style, &self.painting, &self.photos) else {
            return Err(wrong_usage("name a style, and its --painting and some --photos"));
        };
        if self.speed.speed {
            let table = self.with_subject(style, painting, |subject, device| {
                let Subject { name, network, loss, .. } = subject;
                self.speed.measure(name, &network, &loss, photos, device)
            })?;
            if self.json {
                println!("{}", serde_json::to_string(&table)?);
            } else {
                table.print();
            }
            return Ok(Outcome::Done);
        }
        let frames = self.frames()?;
        for path in [&self.plot, &self.keep].into_iter().flatten() {
            refuse_missing_folder(path)?;
        }
        let evaluation = self.with_subject(style, painting, |subject, device| {
            self.evaluation(&subject, photos, frames.as_ref(), device)
        })?;
        if self.json {
            println!("{}", serde_json::to_string(&evaluation)?);
        } else {
            evaluation.print();
        }
        if let Some(path) = &self.plot {
            let title = format!("{}, {} photos", evaluation.style, evaluation.photos.len());
            let figure = evaluate::plot(&evaluation.objective, &title).map_err(|error| anyhow!(error))?;
            fs::write(path, figure)
                .with_context(|| format!("the figure cannot be written: {}", path.display()))?;
        }
        Ok(Outcome::Done)
    }

    /// Opens a style and what it was trained with, and runs `work` with them on the device.
    fn with_subject<T: Send>(
        &self,
        style: &Path,
        painting: &Path,
        work: impl FnOnce(Subject, &Device) -> Result<T> + Send,
    ) -> Result<T> {
        let failed = |source| TrainError::Style { source, path: style.to_owned() };
        let file = WeightsFile::open(style).map_err(failed)?;
        let recipe = pastiche_train::painting_recipe(&file);
        let config = settings(recipe.as_ref())?;
        let loss_net = self.loss_net.open()?;
        let painting_sum = compare(painting, recipe.as_ref(), &loss_net)?;
        let style_sum = pastiche_train::sha256(style)
            .with_context(|| format!("the style cannot be read: {}", style.display()))?;
        self.device.run(|device| {
            let network = file.style_network(device).map_err(failed)?;
            let (weights, size) = (config.loss.clone(), config.style_size);
            let loss = PerceptualLoss::open(&loss_net, weights, painting, size, device)?;
            let sums = [style_sum, painting_sum, loss_net.fingerprint().to_owned()];
            // It may be half a gigabyte, most of which no loss needs.
            drop(loss_net);
            let name = style.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            work(Subject { name, network, loss, sums }, device)
        })
    }

    /// Measures everything that is asked for but speed.
    fn evaluation(
        &self,
        subject: &Subject,
        photos: &Path,
        frames: Option<&PhotoFolder>,
        device: &Device,
    ) -> Result<Evaluation> {
        let Subject { name, network, .. } = subject;
        check_size("--size", self.size, network)?;
        let photos = square_photos(photos, self.count.into(), self.size, device)?;
        // What may turn out to be amiss with frames is told before the long work.
        let frame_difference =
            frames.map(|frames| frame_difference(network, frames, device)).transpose()?.flatten();
        let objective = self.objective(subject, &photos)?;
        let pixels: Vec<Tensor> = photos.iter().map(|photo| photo.pixels.clone()).collect();
        let noise_gain = self.stability.then(|| evaluate::noise_gain(network, &pixels, 0)).transpose()?;
        let photos = photos.iter().map(SquarePhoto::name).collect();
        Ok(Evaluation { style: name.clone(), photos, objective, noise_gain, frame_difference })
    }

    /// Equation 5 of every photo that it was not measured of before.
    fn objective(&self, subject: &Subject, photos: &[SquarePhoto]) -> Result<ObjectiveReport> {
        let Subject { network, loss, sums: [style, painting, loss_net], .. } = subject;
        let iterations: Vec<usize> = self.iterations.iter().copied().filter(|n| *n > 0).collect();
        let mut kept = Kept::open(self.keep.as_deref())?;
        let keys = photos.iter().enumerate().map(|(seed, photo)| {
            let sum = pastiche_train::sha256(&photo.path)
                .with_context(|| format!("the photograph cannot be read: {}", photo.path.display()))?;
            let size = self.size;
            Ok(json!({ "style": style, "painting": painting, "loss_net": loss_net, "size": size, "photo": sum,
                       "seed": seed, "iterations": iterations }))
        });
        let keys: Vec<Value> = keys.collect::<Result<_>>()?;
        let missing = keys.iter().filter(|key| kept.get(key).is_none()).count();
        let most = iterations.iter().max().copied().unwrap_or(0);
        let mut counter = Counter::new("iterations", (most * missing) as u64);
        let (mut done, mut reports) = (0, Vec::new());
        for (seed, (photo, key)) in photos.iter().zip(keys).enumerate() {
            if let Some(report) = kept.get(&key) {
                reports.push(report.clone());
                continue;
            }
            let mut progress = || {
                done += 1;
                counter.update(done);
            };
            let pixels = &photo.pixels;
            let report = evaluate::objective(loss, network, pixels, &iterations, seed as u64, &mut progress)?;
            reports.push(report.clone());
            kept.add(key, report)?;
        }
        ObjectiveReport::mean(&reports).context("there are no photographs to measure on")
    }

    /// The frames to measure on, before any long work.
    fn frames(&self) -> Result<Option<PhotoFolder>> {
        let Some(folder) = &self.frames else { return Ok(None) };
        let frames = PhotoFolder::open(folder)?;
        if frames.photos().len() < 2 {
            bail!("one frame alone changes nothing; at least two are needed in {}", folder.display());
        }
        Ok(Some(frames))
    }
}

/// Refuses a size that a network does not keep.
pub(super) fn check_size(option: &str, size: u32, network: &Network) -> Result<()> {
    let description = network.description();
    let (multiple, least) = (description.side_multiple as u32, description.least_side() as u32);
    if size.is_multiple_of(multiple) && size >= least {
        return Ok(());
    }
    let architecture = &description.architecture;
    Err(wrong_usage(format!(
        "{option} is {size}, but must be a multiple of {multiple} from {least} on for a network of kind {architecture}"
    )))
}

/// Says where the painting or the loss network is another than the style was trained with. Gives the painting's SHA-256.
fn compare(painting: &Path, recipe: Option<&Value>, loss_net: &LossNetFile) -> Result<String> {
    let trained = |key: &str| recipe.and_then(|recipe| recipe.get(key)?.as_str());
    let painting = pastiche_train::sha256(painting)
        .with_context(|| format!("the painting cannot be read: {}", painting.display()))?;
    for (key, what, found) in
        [("painting", "painting", painting.as_str()), ("loss_net", "loss network", loss_net.fingerprint())]
    {
        if trained(key).is_some_and(|sum| sum != found) {
            tell(format_args!(
                "warning: the style was trained with another {what}, so that the figures compare with no others"
            ));
        }
    }
    Ok(painting)
}

fn frame_difference(network: &Network, frames: &PhotoFolder, device: &Device) -> Result<Option<f64>> {
    let multiple = network.description().side_multiple;
    let mut counter = Counter::new("frames", frames.photos().len() as u64);
    let mut first = None;
    let frames = frames.photos().iter().enumerate().map(|(index, path)| {
        counter.update(index as u64);
        let frame = photos::open_rgb(path)?;
        let (width, height) = frame.dimensions();
        let first = *first.get_or_insert((width, height));
        if first != (width, height) {
            return Err(TrainError::FrameSize { width, height, first, path: path.clone() });
        }
        let frame = photos::tensor_from_picture(&frame, device)?;
        Ok(cut_to_multiple(&frame, multiple)?)
    });
    Ok(evaluate::frame_difference(network, frames)?)
}

/// Cuts off rows and columns that a network cannot take.
fn cut_to_multiple(frame: &Tensor, multiple: usize) -> candle_core::Result<Tensor> {
    let (_, _, height, width) = frame.dims4()?;
    frame.narrow(2, 0, height / multiple * multiple)?.narrow(3, 0, width / multiple * multiple)?.contiguous()
}

/// The settings that a style was trained with, or the usual ones.
fn settings(recipe: Option<&Value>) -> Result<ValidConfig> {
    let told = recipe.and_then(|recipe| serde_json::from_value::<TrainingConfig>(recipe.clone()).ok());
    let config = told.unwrap_or_else(|| {
        tell("the style does not tell the weights of its losses: it is measured with the usual ones");
        TrainingConfig::default()
    });
    Ok(config.validate()?)
}

impl Evaluation {
    fn print(&self) {
        let ObjectiveReport { content_image, network, network_style, network_content, optimiser } =
            &self.objective;
        println!("{}: equation 5, mean of {} photos", self.style, self.photos.len());
        println!("  {}", self.photos.join(", "));
        let rows: BTreeMap<String, f64> =
            optimiser.iter().map(|(n, value)| (format!("optimiser, {n:>4} iterations"), *value)).collect();
        println!("  {:<28} {content_image:>9.4}", "the photo as it is");
        println!(
            "  {:<28} {network:>9.4}   (style {network_style:.4}, content {network_content:.4}, unweighted)",
            "the network"
        );
        for (name, value) in rows {
            println!("  {name:<28} {value:>9.4}");
        }
        if let Some(gain) = self.noise_gain {
            println!("  {:<28} {gain:>9.3}", "gain of noise");
        }
        if let Some(difference) = self.frame_difference {
            println!("  {:<28} {difference:>9.3}", "difference between frames");
        }
    }
}
