//! The card beside an independent implementation, whose values are in files.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use anyhow::{Context, Result};
use candle_core::{Device, Tensor, Var};
use pastiche_nn::{
    CudaPlan, CudaPrecision, Features, FrozenNetwork, Network, PadMode, WeightsFile,
    networks::{self, LossNetInput, VggNaming},
    ops,
};
use serde_json::{Value, json};

use crate::{Bench, networks::psnr_db, operations::relative_difference, report};

/// Largest difference as a part of the largest expected value.
const TOLERANCE: f64 = 1e-2;
/// Of a painting in `f16`.
const LEAST_PSNR_DB: f64 = 45.0;
/// The content is compared at the second.
const STYLE_LAYERS: [&str; 4] = ["relu1_2", "relu2_2", "relu3_3", "relu4_1"];

pub(crate) fn check(bench: &Bench<'_>) -> Result<Value> {
    let Some(assets) = &bench.cli.assets else {
        return Ok(report::missing("no --assets, so there are no reference values"));
    };
    let part = |result: Result<Vec<Value>>| result.map_or_else(|error| report::failed(&error), Value::from);
    Ok(json!({
        "paintings": part(paintings(assets, bench)),
        "losses": part(losses(assets, bench.device)),
        "training_step": part(training_step(assets, bench.device)),
    }))
}

fn values(assets: &Path, file: &str, device: &Device) -> Result<HashMap<String, Tensor>> {
    let path = assets.join("reference/golden").join(file);
    candle_core::safetensors::load(&path, device).with_context(|| format!("cannot read {}", path.display()))
}

fn value<'a>(values: &'a HashMap<String, Tensor>, name: &str) -> Result<&'a Tensor> {
    values.get(name).with_context(|| format!("the reference has no {name}"))
}

fn close(name: &str, found: &Tensor, expected: &Tensor) -> Result<Value> {
    let difference = relative_difference(found, expected)?;
    Ok(report::compared(name, json!({ "difference": difference }), difference <= TOLERANCE))
}

/// Styles of the community, painted in `f16`.
fn paintings(assets: &Path, bench: &Bench<'_>) -> Result<Vec<Value>> {
    let golden = values(assets, "style_nets.safetensors", &Device::Cpu)?;
    let input = value(&golden, "even.input")?;
    let (_, _, height, width) = input.dims4()?;
    // (1, 3, H, W) of whole numbers to RGB8.
    let pixels: Vec<u8> =
        input.permute((0, 2, 3, 1))?.flatten_all()?.to_vec1::<f32>()?.iter().map(|v| *v as u8).collect();
    let mut rows = Vec::new();
    for (style, file) in [
        ("starrynight", "starrynight.transformer_net"),
        ("pointillism", "pointillism.transformer_net"),
        ("wave", "wave.lengstrom"),
    ] {
        let path = assets.join(format!("assets/style_nets/{file}.safetensors"));
        let network = WeightsFile::open(&path).and_then(|file| file.style_network(&Device::Cpu));
        let network = network.with_context(|| format!("cannot read {}", path.display()))?;
        let mut plan = CudaPlan::new(&network, bench.card, CudaPrecision::F16)?;
        let mut painting = vec![0f32; pixels.len()];
        plan.paint(&pixels, (height, width), &mut painting)?;
        let expected = value(&golden, &format!("even.{style}"))?;
        let expected = expected.permute((0, 2, 3, 1))?.flatten_all()?.to_vec1::<f32>()?;
        // The reference of some is within the range of pictures.
        let clamped: Vec<f32> = painting.iter().map(|value| value.clamp(0.0, 255.0)).collect();
        let expected: Vec<f32> = expected.iter().map(|value| value.clamp(0.0, 255.0)).collect();
        let psnr = psnr_db(&clamped, &expected);
        rows.push(report::compared(
            style,
            json!({ "psnr_db": report::rounded(psnr) }),
            psnr >= LEAST_PSNR_DB,
        ));
    }
    Ok(rows)
}

/// As the training uses it.
fn loss_network(assets: &Path, device: &Device) -> Result<FrozenNetwork> {
    let path = assets.join("assets/loss_nets/vgg19_normalised.safetensors");
    let description = networks::vgg19("relu4_1", VggNaming::Blocks, LossNetInput::Caffe, PadMode::Reflect)
        .context("there is no layer relu4_1")?;
    let network = WeightsFile::open(&path).and_then(|file| file.network(description, device));
    let network = network.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(FrozenNetwork::new(&network)?)
}

fn grams(features: &Features) -> Result<Vec<Tensor>> {
    STYLE_LAYERS
        .iter()
        .map(|layer| Ok(ops::gram_matrix(features.get(*layer).context("a layer has no features")?)?))
        .collect()
}

/// The mean over the pictures of the squared distances of their Gram matrices to the painting's, summed over the layers.
fn style_loss(found: &[Tensor], painting: &[Tensor]) -> Result<Tensor> {
    let terms = found
        .iter()
        .zip(painting)
        .map(|(found, painting)| Ok(found.broadcast_sub(painting)?.sqr()?.sum((1, 2))?.mean_all()?));
    let terms: Vec<Tensor> = terms.collect::<Result<_>>()?;
    Ok(Tensor::stack(&terms, 0)?.sum_all()?)
}

fn content_loss(found: &Features, content: &Features) -> Result<Tensor> {
    Ok(ops::mean_squared_error(&found["relu2_2"], &content["relu2_2"])?)
}

/// Losses of one picture, and their gradients.
fn losses(assets: &Path, device: &Device) -> Result<Vec<Value>> {
    let golden = values(assets, "perceptual_loss.safetensors", device)?;
    let vgg = loss_network(assets, device)?;
    let output = Var::from_tensor(value(&golden, "output")?)?;
    let features = vgg.features(&output, &STYLE_LAYERS)?;
    let content = vgg.features(value(&golden, "content")?, &STYLE_LAYERS)?;
    let painting = grams(&vgg.features(value(&golden, "style")?, &STYLE_LAYERS)?)?;
    let mut rows = Vec::new();
    for (name, loss) in [
        ("content_loss", content_loss(&features, &content)?),
        ("style_loss", style_loss(&grams(&features)?, &painting)?),
        ("tv_loss", ops::total_variation(&output)?),
    ] {
        rows.push(close(name, &loss.reshape(1)?, value(&golden, name)?)?);
        let gradients = loss.backward()?;
        let name = format!("{name}.grad");
        let gradient = gradients.get(&output).context("the picture has no gradient")?;
        rows.push(close(&name, gradient, value(&golden, &name)?)?);
    }
    Ok(rows)
}

/// The first step of a training: its loss, and the gradients of all weights.
fn training_step(assets: &Path, device: &Device) -> Result<Vec<Value>> {
    let golden = values(assets, "train_steps.safetensors", device)?;
    let vgg = loss_network(assets, device)?;
    let start = golden.iter().filter_map(|(name, start)| Some((name.strip_prefix("start.")?, start)));
    let variables: BTreeMap<String, Var> =
        start.map(|(name, start)| Ok((name.to_owned(), Var::from_tensor(start)?))).collect::<Result<_>>()?;
    let parameters = variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let network = Network::new(networks::transformer_net(8), parameters)?;
    let batch = value(&golden, "batch")?;
    let painting = grams(&vgg.features(value(&golden, "style")?, &STYLE_LAYERS)?)?;
    let content = vgg.features(batch, &STYLE_LAYERS)?;

    let output = network.forward(batch)?;
    let features = vgg.features(&output, &STYLE_LAYERS)?;
    let style = (style_loss(&grams(&features)?, &painting)? * 1e2)?;
    let smoothness = (ops::total_variation(&output)? * 1e-4)?;
    let total = ((content_loss(&features, &content)? + style)? + smoothness)?;
    let gradients = total.backward()?;
    let first = value(&golden, "losses")?.narrow(0, 0, 1)?;
    let mut rows = vec![close("loss", &total.reshape(1)?, &first)?];
    for (name, var) in &variables {
        // Gradients that are zero in exact arithmetic are not in the reference.
        let name = format!("grad.{name}");
        if let Some(expected) = golden.get(&name) {
            let found = gradients.get(var).with_context(|| format!("the card gave no {name}"))?;
            rows.push(close(&name, found, expected)?);
        }
    }
    Ok(rows)
}
