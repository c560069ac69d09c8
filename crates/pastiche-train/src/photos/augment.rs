//! A square out of a photograph, varied at random; and a second version of it that a steady network answers alike.

use image::RgbImage;
use rand::Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::pixels::resized_part;
use crate::TrainError;

/// How far samples may be varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Smallest part of a photo's shorter side that is taken; the largest is 1.
    pub min_scale: f64,
    /// Largest factor by which contrast and saturation change, either way: 0.1 for 0.9 to 1.1.
    pub contrast: f64,
    /// Largest change of brightness, on 0-255.
    pub brightness: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { min_scale: 0.6, contrast: 0.1, brightness: 12.0 }
    }
}

/// How the second version of a sample differs from the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Largest deviation of the Gaussian noise, on 0-255.
    pub noise: f64,
    /// Largest shift in pixels, either way, both ways.
    pub shift: u32,
    /// Largest change of the light: 0.05 for factors from 0.95 to 1.05.
    pub light: f64,
}

impl Default for Variation {
    fn default() -> Self {
        Self { noise: 8.0, shift: 2, light: 0.05 }
    }
}

/// A square of `side + 2 * margin` pixels out of a photo: at random place, scale, and orientation, in slightly other
/// colours.
pub(super) fn square(
    photo: &RgbImage,
    side: u32,
    how: &Augmentation,
    random: &mut impl Rng,
) -> Result<RgbImage, TrainError> {
    let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
    let shorter = width.min(height);
    // Enlarged photographs are blurred ones: where there are enough pixels none is invented.
    let least = (how.min_scale * shorter).max(f64::from(side).min(shorter));
    let window = random.random_range(least..=shorter);
    let left = random.random_range(0.0..=width - window);
    let top = random.random_range(0.0..=height - window);
    let mut sample = resized_part(photo, [left, top, window, window], (side, side))?;
    if random.random() {
        image::imageops::flip_horizontal_in_place(&mut sample);
    }
    recolour(&mut sample, how, random);
    Ok(sample)
}

fn recolour(sample: &mut RgbImage, how: &Augmentation, random: &mut impl Rng) {
    let mut factor = || 1.0 + random.random_range(-how.contrast..=how.contrast) as f32;
    let (contrast, saturation) = (factor(), factor());
    let brightness = random.random_range(-how.brightness..=how.brightness) as f32;
    for pixel in sample.pixels_mut() {
        let [r, g, b] = pixel.0.map(f32::from);
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        pixel.0 = [r, g, b].map(|value| {
            let saturated = grey + (value - grey) * saturation;
            // `as` saturates.
            ((saturated - 128.0) * contrast + 128.5 + brightness) as u8
        });
    }
}

/// A square window of a sample as planes (3, side, side) on 0-255, with its corner at `left`, `top`.
pub(crate) fn window(sample: &RgbImage, [left, top]: [u32; 2], side: u32, planes: &mut Vec<f32>) {
    for channel in 0..3 {
        for y in top..top + side {
            for x in left..left + side {
                planes.push(f32::from(sample.get_pixel(x, y).0[channel]));
            }
        }
    }
}

/// Adds noise and changes the light of planes on 0-255.
pub(super) fn disturb(planes: &mut [f32], how: Variation, random: &mut impl Rng) {
    let light = 1.0 + random.random_range(-how.light..=how.light) as f32;
    let deviation = random.random_range(0.0..=how.noise) as f32;
    // A deviation that is finite and not negative makes a distribution.
    let Ok(noise) = Normal::new(0.0f32, deviation) else { return };
    for value in planes {
        *value = (*value * light + noise.sample(random)).clamp(0.0, 255.0);
    }
}
