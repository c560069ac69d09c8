//! Super-resolution measured as in figures 8 and 9 of Johnson et al. 2016, section 4.2: pictures are made small, enlarged
//! again, and compared with what they were.

use std::path::Path;

use candle_core::Device;
use image::{RgbImage, imageops};
use pastiche_nn::{Network, Output};
use serde::Serialize;

use super::{
    histogram::match_histograms,
    paper::PaperRows,
    similarity::{Luma, gaussian, psnr, ssim},
};
use crate::{
    TrainError,
    photos::{PhotoFolder, open_rgb, picture_from_tensor, resized, tensor_from_picture},
    super_resolution,
};

/// Where the blur's bell ends, in deviations.
const BLUR_TRUNCATE: f64 = 4.0;
/// The fewest pixels on a side that similarity can be told from.
const MIN_COMPARED: u32 = 11;

/// How the small pictures are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduction {
    /// By how much they are smaller.
    pub factor: u32,
    /// Deviation in pixels of the Gaussian blur before; 0 for none. The paper's networks saw 1.0.
    pub blur: f64,
}

/// Means over the pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuperResolutionReport {
    /// By how much the small pictures are smaller.
    pub factor: u32,
    /// Deviation in pixels of the blur before.
    pub blur: f64,
    /// How many pictures there were.
    pub pictures: usize,
    /// A row a method.
    pub rows: Vec<SuperResolutionRow>,
    /// What the paper prints, where the folder is one of its sets.
    pub paper: Option<PaperRows>,
}

/// How near one method comes to the pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuperResolutionRow {
    /// Its name.
    pub method: String,
    /// Peak signal-to-noise ratio of the luma, in decibels.
    pub psnr: f64,
    /// Structural similarity of the luma, at most 1.
    pub ssim: f64,
}

/// A picture and its small version.
#[derive(Debug, Clone)]
pub struct ReducedPair {
    /// The picture, its sides cut to multiples of the factor.
    pub large: RgbImage,
    /// The same, smaller.
    pub small: RgbImage,
}

impl Reduction {
    /// Cuts the right and lower edges so that the sides are multiples of the factor, blurs, and reduces by an antialiased
    /// bicubic filter.
    ///
    /// # Errors
    /// The picture is smaller than the factor.
    pub fn apply(&self, picture: &RgbImage) -> Result<ReducedPair, TrainError> {
        let multiple = |side: u32| side / self.factor * self.factor;
        let (width, height) = (multiple(picture.width()), multiple(picture.height()));
        let large = imageops::crop_imm(picture, 0, 0, width, height).to_image();
        let to = (width / self.factor, height / self.factor);
        let small =
            if self.blur > 0.0 { resized(&blurred(&large, self.blur), to) } else { resized(&large, to) }?;
        Ok(ReducedPair { large, small })
    }
}

/// What is measured beside bicubic enlargement.
#[derive(Debug, Default)]
pub struct Enlargers {
    /// Networks that enlarge, with their names; all on one device.
    pub networks: Vec<(String, Network)>,
    /// Whether to measure each a second time, its colours brought back to those of the small picture by
    /// [`match_histograms`], as the paper does.
    pub match_histograms: bool,
}

/// One picture as every method enlarged it.
#[derive(Debug)]
pub struct Compared {
    /// Its file's name.
    pub name: String,
    /// The picture as it was.
    pub truth: RgbImage,
    /// By each method, bicubic first: its name, what it made, and how near that is.
    pub enlarged: Vec<(SuperResolutionRow, RgbImage)>,
}

/// Measures how near bicubic enlargement, the baseline of every method, and some networks come to the pictures of a
/// folder. `watch` sees each picture.
///
/// # Errors
/// A picture cannot be read, or is too small; a network enlarges by another factor, or fails.
pub fn super_resolution(
    pictures: &PhotoFolder,
    reduction: Reduction,
    enlargers: &Enlargers,
    watch: &mut dyn FnMut(Compared),
) -> Result<SuperResolutionReport, TrainError> {
    for (name, network) in &enlargers.networks {
        check_factor(name, network, reduction.factor)?;
    }
    let mut sums: Vec<SuperResolutionRow> = Vec::new();
    for path in pictures.photos() {
        let picture = open_rgb(path)?;
        check_size(&picture, reduction.factor, path)?;
        let pair = reduction.apply(&picture)?;
        let truth = Luma::new(&pair.large, reduction.factor);
        let mut enlarged = Vec::new();
        for (method, picture) in enlargers.run(&pair)? {
            // Without a border as wide as the factor.
            let luma = Luma::new(&picture, reduction.factor);
            let row = SuperResolutionRow { method, psnr: psnr(&luma, &truth), ssim: ssim(&luma, &truth) };
            enlarged.push((row, picture));
        }
        if sums.is_empty() {
            let none = |(row, _): &(SuperResolutionRow, _)| SuperResolutionRow {
                method: row.method.clone(),
                psnr: 0.0,
                ssim: 0.0,
            };
            sums = enlarged.iter().map(none).collect();
        }
        for (sum, (row, _)) in sums.iter_mut().zip(&enlarged) {
            sum.psnr += row.psnr;
            sum.ssim += row.ssim;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        watch(Compared { name, truth: pair.large, enlarged });
    }
    let count = pictures.photos().len();
    for sum in &mut sums {
        sum.psnr /= count as f64;
        sum.ssim /= count as f64;
    }
    let Reduction { factor, blur } = reduction;
    let paper = PaperRows::of(pictures.path(), factor);
    Ok(SuperResolutionReport { factor, blur, pictures: count, rows: sums, paper })
}

impl Enlargers {
    /// What every method makes of a small picture, bicubic enlargement first.
    fn run(&self, pair: &ReducedPair) -> Result<Vec<(String, RgbImage)>, TrainError> {
        let base = resized(&pair.small, pair.large.dimensions())?;
        let mut enlarged = Vec::new();
        for (name, network) in &self.networks {
            let device = network.parameters().values().next().map_or(&Device::Cpu, |tensor| tensor.device());
            let small = tensor_from_picture(&pair.small, device)?;
            let base = tensor_from_picture(&base, device)?;
            let picture = picture_from_tensor(&super_resolution::enlarged(network, &small, &base)?)?;
            let matched = self.match_histograms.then(|| match_histograms(&picture, &pair.small));
            enlarged.push((name.clone(), picture));
            enlarged.extend(matched.map(|picture| (format!("{name}, matched"), picture)));
        }
        enlarged.insert(0, ("bicubic".to_owned(), base));
        Ok(enlarged)
    }
}

fn check_factor(name: &str, network: &Network, factor: u32) -> Result<(), TrainError> {
    match network.description().output {
        Output::Correction { factor: found } if found == factor as usize => Ok(()),
        Output::Correction { factor: found } => Err(TrainError::Setting {
            name: "--factor",
            value: factor.to_string(),
            allowed: format!("{found}, by which {name} enlarges"),
        }),
        Output::Painting => Err(TrainError::Setting {
            name: "--network",
            value: name.to_owned(),
            allowed: "a network that enlarges".to_owned(),
        }),
    }
}

fn check_size(picture: &RgbImage, factor: u32, path: &Path) -> Result<(), TrainError> {
    let (width, height) = picture.dimensions();
    let least = (MIN_COMPARED + 2 * factor).next_multiple_of(factor);
    if width.min(height) < least {
        return Err(TrainError::PictureTooSmall { width, height, least, path: path.to_owned() });
    }
    Ok(())
}

/// Blurs by a Gaussian bell; the picture is mirrored at its edges.
fn blurred(picture: &RgbImage, sigma: f64) -> RgbImage {
    let bell = gaussian(sigma, BLUR_TRUNCATE);
    let radius = (bell.len() / 2) as i64;
    let (width, height) = picture.dimensions();
    let pass = |from: &[f64], to: &mut Vec<f64>, [across, down]: [i64; 2]| {
        for y in 0..i64::from(height) {
            for x in 0..i64::from(width) {
                for channel in 0..3 {
                    let weighted = (-radius..=radius).zip(&bell).map(|(offset, weight)| {
                        let x = mirrored(x + offset * across, width);
                        let y = mirrored(y + offset * down, height);
                        weight * from[(y * width as usize + x) * 3 + channel]
                    });
                    to.push(weighted.sum());
                }
            }
        }
    };
    let pixels: Vec<f64> = picture.as_raw().iter().map(|value| f64::from(*value)).collect();
    let (mut rows, mut both) = (Vec::with_capacity(pixels.len()), Vec::with_capacity(pixels.len()));
    pass(&pixels, &mut rows, [1, 0]);
    pass(&rows, &mut both, [0, 1]);
    let mut result = picture.clone();
    for (to, value) in result.iter_mut().zip(both) {
        // `as` saturates.
        *to = value.round() as u8;
    }
    result
}

/// The place that shows what lies past an edge, which is itself mirrored: ... 1 0 | 0 1 2 ...
fn mirrored(place: i64, side: u32) -> usize {
    let side = i64::from(side);
    let place = place.rem_euclid(2 * side);
    place.min(2 * side - 1 - place) as usize
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn sides_become_multiples_of_the_factor() {
        let pair = Reduction { factor: 4, blur: 0.0 }.apply(&RgbImage::new(43, 38)).unwrap();
        assert_eq!((pair.large.dimensions(), pair.small.dimensions()), ((40, 36), (10, 9)));
    }

    #[test]
    fn blur_spreads_a_dot_by_the_bell_and_keeps_its_light_at_the_edges_too() {
        let mut dot = RgbImage::new(21, 17);
        dot.put_pixel(10, 8, Rgb([255; 3]));
        let spread = blurred(&dot, 1.0);
        let bell = gaussian(1.0, BLUR_TRUNCATE);
        for (place, weight) in [(10, bell[4] * bell[4]), (11, bell[4] * bell[5]), (13, bell[4] * bell[7])] {
            assert!((f64::from(spread.get_pixel(place, 8).0[0]) - 255.0 * weight).abs() <= 0.5);
        }
        let flat = RgbImage::from_pixel(9, 9, Rgb([77, 3, 250]));
        assert_eq!(blurred(&flat, 1.0), flat);
    }
}
