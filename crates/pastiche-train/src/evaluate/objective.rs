//! Equation 5 of a network's paintings beside that of the photos as they are and of the optimiser (the paper's figure 5).

use std::collections::BTreeMap;

use candle_core::Tensor;
use pastiche_nn::Network;
use serde::{Deserialize, Serialize};

use crate::{
    PerceptualLoss, TrainError,
    optimize::{PixelOptimiser, white_noise},
};

/// Equation 5, of one photo or as the mean of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveReport {
    /// Of the photos as they are.
    pub content_image: f64,
    /// Of the network's paintings.
    pub network: f64,
    /// The style term alone of the network's paintings, without its factor.
    pub network_style: f64,
    /// The content term alone of the network's paintings, without its factor.
    pub network_content: f64,
    /// Of the optimiser from white noise, after so many iterations.
    pub optimiser: BTreeMap<usize, f64>,
}

/// Measures equation 5 of one photo (1, 3, H, W). The optimiser starts from white noise of `seed`; `progress` is called
/// after each of its iterations.
///
/// # Errors
/// The photo is too small for the loss network, or the device fails.
pub fn objective(
    loss: &PerceptualLoss,
    network: &Network,
    photo: &Tensor,
    iterations: &[usize],
    seed: u64,
    progress: &mut dyn FnMut(),
) -> Result<ObjectiveReport, TrainError> {
    let target = loss.content_target(photo)?;
    let content_image = scalar(&loss.terms(photo, &target)?.total()?)?;
    // What is seen lies on 0-255.
    let painting = network.forward(photo)?.clamp(0.0f32, 255.0f32)?;
    let terms = loss.terms(&painting, &target)?;
    let mut report = ObjectiveReport {
        content_image,
        network: scalar(&terms.total()?)?,
        network_style: scalar(&terms.style)? / loss.weights().style,
        network_content: scalar(&terms.content)? / loss.weights().content,
        optimiser: BTreeMap::new(),
    };
    let Some(&most) = iterations.iter().max() else { return Ok(report) };
    let (_, _, height, width) = photo.dims4()?;
    let start = white_noise(height, width, seed, photo.device())?;
    let mut pixels = PixelOptimiser::new(loss, photo, &start)?;
    let mut goes_down = true;
    for iteration in 1..=most {
        goes_down = goes_down && pixels.iterate()?;
        if iterations.contains(&iteration) {
            report.optimiser.insert(iteration, pixels.value());
        }
        progress();
    }
    Ok(report)
}

impl ObjectiveReport {
    /// The means of some photos' figures; nothing where there are none.
    pub fn mean(reports: &[Self]) -> Option<Self> {
        let mean =
            |value: &dyn Fn(&Self) -> f64| reports.iter().map(value).sum::<f64>() / reports.len() as f64;
        let of = |iterations: usize| {
            mean(&|report: &Self| report.optimiser.get(&iterations).copied().unwrap_or(f64::NAN))
        };
        Some(Self {
            content_image: mean(&|report| report.content_image),
            network: mean(&|report| report.network),
            network_style: mean(&|report| report.network_style),
            network_content: mean(&|report| report.network_content),
            optimiser: reports.first()?.optimiser.keys().map(|count| (*count, of(*count))).collect(),
        })
    }
}

fn scalar(tensor: &Tensor) -> Result<f64, TrainError> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}
