//! How steady a network is: what becomes of noise, and of what stands still between two frames.

use candle_core::{Device, Tensor};
use pastiche_nn::Network;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use crate::{TrainError, stability::NOISE_UNIT};

/// Noisy versions of each photo.
const DRAWS: usize = 8;

/// Mean over pixels and photos (1, 3, H, W) of the standard deviation of the painting when the photo is drawn eight times
/// with Gaussian noise of deviation 3 on 0-255, divided by 3: 1 passes noise on as it is, less is steadier.
///
/// # Errors
/// The device fails.
pub fn noise_gain(network: &Network, photos: &[Tensor], seed: u64) -> Result<f64, TrainError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = 0.0;
    for photo in photos {
        let mut paintings = Vec::new();
        for _ in 0..DRAWS {
            paintings.push(painted(network, &(photo + noise(photo, &mut random)?)?)?);
        }
        let paintings = Tensor::cat(&paintings, 0)?;
        let centred = paintings.broadcast_sub(&paintings.mean_keepdim(0)?)?;
        let deviation = (centred.sqr()?.sum(0)? / (DRAWS - 1) as f64)?.sqrt()?;
        sum += f64::from(deviation.mean_all()?.to_scalar::<f32>()?);
    }
    Ok(sum / photos.len() as f64 / NOISE_UNIT)
}

/// Mean of |(O_t - O_t-1) - (I_t - I_t-1)| over the pixels of successive frames (1, 3, H, W), on 0-255: how much more the
/// paintings O change than the frames I do.
///
/// # Errors
/// A frame cannot be read (as the iterator says), or has another size than the one before, or the device fails.
pub fn frame_difference(
    network: &Network,
    frames: impl Iterator<Item = Result<Tensor, TrainError>>,
) -> Result<Option<f64>, TrainError> {
    let (mut sum, mut pairs) = (0.0, 0);
    let mut before: Option<Tensor> = None;
    for frame in frames {
        let frame = frame?;
        // What is added to the frame by painting it; that differs where the painting changes unlike the frame.
        let added = (painted(network, &frame)? - frame)?;
        if let Some(before) = before {
            let change = (&added - before)?.abs()?.mean_all()?.to_scalar::<f32>()?;
            sum += f64::from(change);
            pairs += 1;
        }
        before = Some(added);
    }
    Ok((pairs > 0).then(|| sum / f64::from(pairs)))
}

/// The painting as it is seen: on 0-255.
fn painted(network: &Network, picture: &Tensor) -> Result<Tensor, TrainError> {
    Ok(network.forward(picture)?.clamp(0.0f32, 255.0f32)?)
}

fn noise(like: &Tensor, random: &mut ChaCha8Rng) -> Result<Tensor, TrainError> {
    let mut values = vec![0.0f32; like.elem_count()];
    // The deviation is positive and finite.
    if let Ok(normal) = Normal::new(0.0f32, NOISE_UNIT as f32) {
        values.iter_mut().for_each(|value| *value = normal.sample(random));
    }
    Ok(Tensor::from_vec(values, like.shape(), &Device::Cpu)?.to_device(like.device())?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pastiche_nn::{Layer, NetworkDescription, Output};

    use super::*;

    /// A network that repeats every pixel so many times, which passes noise on unchanged.
    fn identity() -> Network {
        let layers = vec![Layer::UpsampleNearest(1)];
        let description = NetworkDescription {
            architecture: "identity".to_owned(),
            layers,
            sizes: Vec::new(),
            side_multiple: 1,
            output: Output::Painting,
        };
        Network::new(description, BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_network_that_changes_nothing_has_gain_1_and_adds_no_differences() {
        let photo = Tensor::full(128f32, (1, 3, 64, 64), &Device::Cpu).unwrap();
        let gain = noise_gain(&identity(), std::slice::from_ref(&photo), 0).unwrap();
        // The mean of a deviation estimated from eight draws is 3.5 % too small.
        assert!((0.95..1.0).contains(&gain), "{gain}");
        let frames = [photo.clone(), (&photo + 20.0).unwrap(), photo];
        let difference = frame_difference(&identity(), frames.into_iter().map(Ok)).unwrap();
        assert_eq!(difference, Some(0.0));
    }
}
