//! From light to a picture: anti-aliasing, the bloom of bright lights, tone curve, bytes.

use rayon::prelude::*;

use crate::camera::Camera;
use crate::scene::Harbour;
use crate::vector::{Rgb, Vec3, vec3};

/// Where more than one sample of a pixel lies, in pixels from its middle.
const EXTRA_SAMPLES: [(f32, f32); 3] = [(-0.36, -0.20), (0.35, -0.21), (0.01, 0.41)];
/// Neighbours that differ by this much, on a scale from black to white, are worth more samples.
const CONTRAST: f32 = 0.06;

/// The frame `time_s` seconds into the clip as RGB bytes, row by row.
pub(crate) fn frame(harbour: &Harbour, width: u32, height: u32, time_s: f32) -> Vec<u8> {
    let mut light = expose(harbour, width, height, time_s);
    bloom(&mut light, width as usize);
    light.iter().enumerate().flat_map(|(index, &colour)| develop(colour, index, width, height)).collect()
}

/// One sample for each pixel, then more where neighbours differ.
fn expose(harbour: &Harbour, width: u32, height: u32, time_s: f32) -> Vec<Rgb> {
    let moment = harbour.at(time_s);
    let camera = Camera::new(width, height, time_s);
    let sample = |x: f32, y: f32| moment.colour(&camera.ray(x + 0.5, y + 0.5), camera.pixel_angle());
    let (width, height) = (width as usize, height as usize);
    let first: Vec<Rgb> = (0..width * height)
        .into_par_iter()
        .map(|index| sample((index % width) as f32, (index / width) as f32))
        .collect();
    let shades: Vec<Vec3> = first.par_iter().map(|&colour| tone(colour)).collect();
    let differs = |index: usize| {
        let (x, y) = (index % width, index / width);
        let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        around.into_iter().filter(|&(x, y)| x < width && y < height).any(|(x, y)| {
            let gap = shades[index] - shades[y * width + x];
            gap.x.abs().max(gap.y.abs()).max(gap.z.abs()) > CONTRAST
        })
    };
    (0..width * height)
        .into_par_iter()
        .map(|index| {
            if !differs(index) {
                return first[index];
            }
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let sum = EXTRA_SAMPLES
                .iter()
                // A single sparkle must not outweigh the rest of its pixel.
                .map(|&(dx, dy)| clamped(sample(x + dx, y + dy)))
                .fold(clamped(first[index]), |sum, colour| sum + colour);
            sum * (1.0 / (EXTRA_SAMPLES.len() + 1) as f32)
        })
        .collect()
}

fn clamped(colour: Rgb) -> Rgb {
    vec3(colour.x.min(6.0), colour.y.min(6.0), colour.z.min(6.0))
}

/// Spreads a little of the brightest light over its surroundings, as a lens and an eye do.
fn bloom(light: &mut [Rgb], width: usize) {
    let mut spread: Vec<Rgb> = light
        .iter()
        .map(|&colour| vec3((colour.x - 1.3).max(0.0), (colour.y - 1.3).max(0.0), (colour.z - 1.3).max(0.0)))
        .collect();
    let height = light.len() / width;
    // Three boxes one after the other are nearly a bell.
    for radius in [4, 7, 11] {
        spread = box_blur(&spread, width, height, radius);
        spread = box_blur(&spread, height, width, radius);
    }
    for (colour, glow) in light.iter_mut().zip(spread) {
        *colour += glow * 0.55;
    }
}

/// Averages along the rows of a picture and returns it turned, so that twice is both ways.
fn box_blur(from: &[Rgb], width: usize, height: usize, radius: usize) -> Vec<Rgb> {
    let mut to = vec![Vec3::ZERO; from.len()];
    for y in 0..height {
        let row = &from[y * width..(y + 1) * width];
        let at = |x: isize| row[x.clamp(0, width as isize - 1) as usize];
        let reach = radius as isize;
        let mut sum = (-reach..=reach).fold(Vec3::ZERO, |sum, x| sum + at(x));
        for x in 0..width as isize {
            to[x as usize * height + y] = sum * (1.0 / (2 * radius + 1) as f32);
            sum = sum + at(x + reach + 1) - at(x - reach);
        }
    }
    to
}

/// The film's curve (after Narkowicz' fit of ACES): deep shadows, soft highlights; 0..1, ready for a screen.
fn tone(colour: Rgb) -> Vec3 {
    let curve = |x: f32| {
        let x = 0.62 * x.max(0.0);
        let linear = ((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)).clamp(0.0, 1.0);
        if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
    };
    vec3(curve(colour.x), curve(colour.y), curve(colour.z))
}

/// The bytes of one pixel; the corners of the picture are a little darker.
fn develop(colour: Rgb, index: usize, width: u32, height: u32) -> [u8; 3] {
    let x = (index % width as usize) as f32 / width as f32 - 0.5;
    let y = (index / width as usize) as f32 / height as f32 - 0.5;
    let shade = tone(colour * (1.0 - 0.42 * (x * x + y * y)));
    [shade.x, shade.y, shade.z].map(|channel| (channel * 255.0 + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_moment_gives_the_same_frame_and_another_gives_another() {
        let harbour = Harbour::new();
        let at = |time_s| frame(&harbour, 64, 48, time_s);
        assert!(at(2.0) == at(2.0));
        assert!(at(2.0) != at(2.04));
    }

    #[test]
    fn the_sky_is_brighter_than_the_water_and_nothing_is_flat() {
        let picture = frame(&Harbour::new(), 64, 48, 0.0);
        let mean = |rows: std::ops::Range<usize>| {
            let bytes = &picture[rows.start * 192..rows.end * 192];
            bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>() / bytes.len() as f64
        };
        assert!(mean(0..20) > mean(28..48) + 10.0);
        assert!(picture.iter().max() > picture.iter().min().map(|least| least + 150).as_ref());
    }
}
