//! Times one training step: a 16-32-64 transformer_net on a batch of two 160x160 pictures, with content, style and
//! total-variation losses through VGG-19 up to relu4_1, and Adam.
//!
//! `cargo run --release --example training_step -- --loss-net vgg19_normalised.safetensors --threads 2 --steps 5`
//! prints one line of JSON.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    path::{Path, PathBuf},
    time::Instant,
};

use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use pastiche_nn::{
    Features, FrozenNetwork, Network, PadMode, WeightsFile,
    networks::{self, LossNetInput, VggNaming},
    ops,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const WIDTH: usize = 16;
const SIDE: usize = 160;
const BATCH: usize = 2;
const CONTENT_LAYER: &str = "relu2_2";
const STYLE_LAYERS: [&str; 4] = ["relu1_2", "relu2_2", "relu3_3", "relu4_1"];

const USAGE: &str = "there are --loss-net FILE, --threads N, --steps N, --content-until LAYER (relu4_1: all features of \
                     the batch, as of the output; relu2_2: no more than its loss needs)";

/// What the command line says.
struct Arguments {
    loss_net: PathBuf,
    threads: usize,
    steps: usize,
    content_until: String,
}

impl Arguments {
    fn read() -> Result<Self> {
        let (mut loss_net, mut threads, mut steps) = (None, 2, 5);
        let mut content_until = "relu4_1".to_owned();
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--loss-net" => loss_net = Some(PathBuf::from(value)),
                "--threads" => threads = value.parse()?,
                "--steps" => steps = value.parse()?,
                "--content-until" => content_until = value,
                _ => return Err(format!("{word} is unknown; {USAGE}").into()),
            }
        }
        let loss_net = loss_net.ok_or("--loss-net FILE is needed: a VGG-19 as .safetensors")?;
        Ok(Self { loss_net, threads, steps, content_until })
    }
}

fn main() -> Result<()> {
    let Arguments { loss_net, threads, steps, content_until } = Arguments::read()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let times_ms = pool.install(|| -> Result<Vec<f64>> {
        let mut training = Training::new(&loss_net, content_until)?;
        training.step()?;
        (0..steps.max(1))
            .map(|_| {
                let start = Instant::now();
                training.step()?;
                Ok(start.elapsed().as_secs_f64() * 1000.0)
            })
            .collect()
    })?;
    println!("{}", report(times_ms));
    Ok(())
}

/// Median, 95th percentile and minimum as JSON.
fn report(mut times_ms: Vec<f64>) -> String {
    times_ms.sort_by(f64::total_cmp);
    let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share).round() as usize];
    let (median, p95, min) = (at(0.5), at(0.95), at(0.0));
    format!(r#"{{"ms": {{"median": {median:.1}, "p95": {p95:.1}, "min": {min:.1}}}}}"#)
}

/// Everything that lives from step to step.
struct Training {
    network: Network,
    loss_network: FrozenNetwork,
    batch: Tensor,
    content_until: String,
    style: BTreeMap<&'static str, Tensor>,
    adam: AdamW,
}

impl Training {
    fn new(loss_net: &Path, content_until: String) -> Result<Self> {
        let description =
            networks::vgg19("relu4_1", VggNaming::Blocks, LossNetInput::Caffe, PadMode::Reflect)
                .ok_or("VGG-19 has a relu4_1")?;
        let weights = WeightsFile::open(loss_net)?.network_within(description, &Device::Cpu)?;
        let loss_network = FrozenNetwork::new(&weights)?;
        let start = Network::random(networks::transformer_net(WIDTH), 0, &Device::Cpu)?;
        let mut variables = BTreeMap::new();
        for (name, tensor) in start.parameters() {
            variables.insert(name.clone(), Var::from_tensor(tensor)?);
        }
        let parameters =
            variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
        let network = Network::new(networks::transformer_net(WIDTH), parameters)?;
        let settings = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() };
        let adam = AdamW::new(variables.into_values().collect(), settings)?;
        let style_picture = Tensor::rand(0f32, 255f32, (1, 3, 256, 256), &Device::Cpu)?;
        let features = loss_network.features(&style_picture, &STYLE_LAYERS)?;
        let mut style = BTreeMap::new();
        for layer in STYLE_LAYERS {
            style.insert(layer, ops::gram_matrix(&features[layer])?);
        }
        let batch = Tensor::rand(0f32, 255f32, (BATCH, 3, SIDE, SIDE), &Device::Cpu)?;
        Ok(Self { network, loss_network, batch, content_until, style, adam })
    }

    /// One step; gives the loss before it.
    fn step(&mut self) -> Result<f32> {
        let output = self.network.forward(&self.batch)?;
        let features = self.loss_network.features(&output, &STYLE_LAYERS)?;
        let content = self.loss_network.features(&self.batch, &[CONTENT_LAYER, &self.content_until])?;
        let content_loss = ops::mean_squared_error(&features[CONTENT_LAYER], &content[CONTENT_LAYER])?;
        let style_loss = (self.style_loss(&features)? * 100.0)?;
        let smoothness_loss = (total_variation(&output)? * 1e-4)?;
        let loss = ((content_loss + style_loss)? + smoothness_loss)?;
        self.adam.step(&loss.backward()?)?;
        Ok(loss.to_scalar()?)
    }

    fn style_loss(&self, features: &Features) -> Result<Tensor> {
        let mut sum = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)?;
        for (layer, gram) in &self.style {
            let difference = ops::gram_matrix(&features[*layer])?.broadcast_sub(gram)?;
            sum = (sum + difference.sqr()?.sum((1, 2))?.mean_all()?)?;
        }
        Ok(sum)
    }
}

/// Mean squared differences of neighbours, below and beside, of pictures (N, C, H, W).
fn total_variation(picture: &Tensor) -> candle_core::Result<Tensor> {
    let along = |axis: usize| {
        let pairs = picture.dim(axis)? - 1;
        ops::mean_squared_error(&picture.narrow(axis, 1, pairs)?, &picture.narrow(axis, 0, pairs)?)
    };
    along(2)? + along(3)?
}
