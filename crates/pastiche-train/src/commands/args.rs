//! Groups of options that several subcommands share.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use clap::Args;
use pastiche_nn::DeviceChoice;
use pastiche_train::{
    LossWeights,
    loss_net::{self, LossNetFile, LossNetInputChoice},
    losses::LayerWeight,
    photos::{self, PhotoFolder},
};

use super::console;

/// The network that compares paintings.
#[derive(Debug, Args)]
pub(crate) struct LossNetArgs {
    /// The loss network: VGG-16 or VGG-19 as .safetensors. Unless given, torchvision's VGG-16 is fetched from the Hugging
    /// Face hub, once.
    #[arg(long, value_name = "FILE")]
    loss_net: Option<PathBuf>,

    /// What the loss network takes, where its file does not say so: torchvision (RGB with mean and deviation) or caffe
    /// (BGR on 0-255 minus means).
    #[arg(long, value_name = "KIND", requires = "loss_net")]
    loss_net_input: Option<LossNetInputChoice>,
}

impl LossNetArgs {
    pub(crate) fn open(&self) -> Result<LossNetFile> {
        Ok(match &self.loss_net {
            Some(path) => LossNetFile::open(path, self.loss_net_input)?,
            None => loss_net::download(console::download_bar)?,
        })
    }
}

/// The weights of equation 5.
#[derive(Debug, Args)]
pub(crate) struct LossArgs {
    /// Layers whose style counts, such as relu1_2,relu3_3=2 (which counts double).
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    style_layers: Option<Vec<LayerWeight>>,

    /// Layers whose content counts.
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    content_layers: Option<Vec<LayerWeight>>,

    /// How much the style counts.
    #[arg(long, value_name = "X")]
    style_weight: Option<f64>,

    /// How much the content counts.
    #[arg(long, value_name = "X")]
    content_weight: Option<f64>,

    /// How much smoothness counts (total variation).
    #[arg(long, value_name = "X")]
    total_variation_weight: Option<f64>,
}

impl LossArgs {
    /// These weights, changed as the command line asks.
    pub(crate) fn over(&self, usual: LossWeights) -> LossWeights {
        LossWeights {
            style_layers: self.style_layers.clone().unwrap_or(usual.style_layers),
            content_layers: self.content_layers.clone().unwrap_or(usual.content_layers),
            style: self.style_weight.unwrap_or(usual.style),
            content: self.content_weight.unwrap_or(usual.content),
            total_variation: self.total_variation_weight.unwrap_or(usual.total_variation),
        }
    }
}

/// What computes.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// The device: auto, cpu, cuda, or cuda:N.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,

    /// Threads on a CPU; all cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Numbers to compute with: f32, or auto, which is f32 too, but lets a CUDA card round the factors of convolutions and
    /// matrix products (TF32), as PyTorch does for convolutions.
    #[arg(long, value_name = "TYPE", default_value = "auto", value_parser = ["auto", "f32"])]
    precision: String,
}

impl DeviceArgs {
    /// Opens the device, says so on standard error, and runs `work` on it.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce(&Device) -> Result<T> + Send) -> Result<T> {
        let opened = self.device.open()?;
        let exact = self.precision == "f32";
        opened.prepare_training(exact)?;
        match opened.note() {
            // Whoever built for a card expects one.
            Some(note) if cfg!(feature = "cuda") => console::tell(note),
            Some(note) => log::info!("{note}"),
            None => {}
        }
        let threads = usize::from(self.threads.unwrap_or(0));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("train-{index}"))
            .build()?;
        let threads = pool.current_num_threads();
        let detail = match (opened.device(), exact) {
            (Device::Cpu, _) => format!("f32, {threads} threads"),
            (_card, true) => "f32".to_owned(),
            (_card, false) => "f32, products in TF32 where the card has it".to_owned(),
        };
        console::tell(format_args!("on {} ({}), {detail}", opened.id(), opened.name()));
        pool.install(|| work(opened.device()))
    }
}

/// Refuses an output that long work could not be written to.
pub(crate) fn refuse_missing_folder(output: &Path) -> Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        bail!("the folder for the result does not exist; make it first: {}", output.display());
    }
    Ok(())
}

/// A square out of the middle of a photograph.
pub(crate) struct SquarePhoto {
    pub(crate) path: PathBuf,
    /// (1, 3, side, side), RGB on 0-255.
    pub(crate) pixels: Tensor,
}

impl SquarePhoto {
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The first `count` photographs of a folder as squares of `side` pixels; those that cannot be read are passed over and
/// named.
pub(crate) fn square_photos(
    folder: &Path,
    count: usize,
    side: u32,
    device: &Device,
) -> Result<Vec<SquarePhoto>> {
    let folder = PhotoFolder::open(folder)?;
    let mut squares = Vec::new();
    for path in folder.photos() {
        if squares.len() == count {
            break;
        }
        match photos::open_rgb(path) {
            Ok(photo) => {
                let pixels = photos::tensor_from_picture(&photos::centre_square(&photo, side)?, device)?;
                squares.push(SquarePhoto { path: path.clone(), pixels });
            }
            Err(error) => log::warn!("passed over: {error}"),
        }
    }
    if squares.is_empty() {
        bail!("no photograph can be read in {}", folder.path().display());
    }
    Ok(squares)
}
