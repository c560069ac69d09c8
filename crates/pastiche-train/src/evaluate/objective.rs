//! Equation 5 of a network's paintings beside that of the photos as they are and of the optimiser (the paper's figure 5).

use std::collections::BTreeMap;

use candle_core::Tensor;
use pastiche_nn::Network;
use serde::Serialize;

use crate::{
    PerceptualLoss, TrainError,
    optimize::{PixelOptimiser, white_noise},
};

/// Means over the photos of equation 5.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// Measures equation 5 over photos (1, 3, H, W). `progress` is told after each iteration of the optimiser how many are
/// done over all photos.
///
/// # Errors
/// A photo is too small for the loss network, or the device fails.
pub fn objectives(
    loss: &PerceptualLoss,
    network: &Network,
    photos: &[Tensor],
    iterations: &[usize],
    progress: &mut dyn FnMut(usize),
) -> Result<ObjectiveReport, TrainError> {
    let (mut content_image, mut network_total, mut style, mut content) = (0.0, 0.0, 0.0, 0.0);
    let mut optimiser: BTreeMap<usize, f64> = iterations.iter().map(|count| (*count, 0.0)).collect();
    let most = iterations.iter().copied().max().unwrap_or(0);
    let mut done = 0;
    for (seed, photo) in photos.iter().enumerate() {
        let target = loss.content_target(photo)?;
        content_image += scalar(&loss.terms(photo, &target)?.total()?)?;
        // What is seen lies on 0-255.
        let painting = network.forward(photo)?.clamp(0.0f32, 255.0f32)?;
        let terms = loss.terms(&painting, &target)?;
        network_total += scalar(&terms.total()?)?;
        style += scalar(&terms.style)? / loss.weights().style;
        content += scalar(&terms.content)? / loss.weights().content;
        if most == 0 {
            continue;
        }
        let (_, _, height, width) = photo.dims4()?;
        let start = white_noise(height, width, seed as u64, photo.device())?;
        let mut pixels = PixelOptimiser::new(loss, photo, &start)?;
        let mut goes_down = true;
        for iteration in 1..=most {
            goes_down = goes_down && pixels.iterate()?;
            if let Some(sum) = optimiser.get_mut(&iteration) {
                *sum += pixels.value();
            }
            done += 1;
            progress(done);
        }
    }
    let count = photos.len() as f64;
    optimiser.values_mut().for_each(|sum| *sum /= count);
    Ok(ObjectiveReport {
        content_image: content_image / count,
        network: network_total / count,
        network_style: style / count,
        network_content: content / count,
        optimiser,
    })
}

fn scalar(tensor: &Tensor) -> Result<f64, TrainError> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}
