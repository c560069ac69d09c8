//! Patches of photographs, made small and enlarged again.

use std::path::Path;

use image::{RgbImage, imageops};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::ValidEnlargingConfig;
use crate::{
    TrainError,
    evaluate::Reduction,
    photos::{Drawing, Photos, open_rgb, resized, window},
};

/// What one step learns from: planes (N, 3, H, W), RGB on 0-255.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchBatch {
    /// The patches made small.
    pub small: Vec<f32>,
    /// Those, enlarged by a bicubic filter.
    pub base: Vec<f32>,
    /// The patches as they were.
    pub large: Vec<f32>,
}

/// How patches are drawn.
#[derive(Debug, Clone)]
pub(super) struct PatchDraw {
    seed: u64,
    batch: usize,
    side: u32,
    reduction: Reduction,
}

impl From<&ValidEnlargingConfig> for PatchDraw {
    fn from(config: &ValidEnlargingConfig) -> Self {
        let reduction = Reduction { factor: config.factor, blur: config.blur };
        Self { seed: config.seed, batch: config.batch, side: config.patch, reduction }
    }
}

impl Drawing for PatchDraw {
    type Batch = PatchBatch;

    fn seed(&self) -> u64 {
        self.seed
    }

    fn batch(&self, step: u64, photos: &Photos) -> Result<PatchBatch, TrainError> {
        let mut random = photos.random(step);
        let mut batch = PatchBatch { small: Vec::new(), base: Vec::new(), large: Vec::new() };
        for index in 0..self.batch as u64 {
            let photo = photos.due(step * self.batch as u64 + index, &mut random, |path| self.open(path))?;
            self.add(&patch(&photo, self.side, &mut random), &mut batch)?;
        }
        Ok(batch)
    }
}

impl PatchDraw {
    /// A photograph with room for a patch. Smaller ones are not enlarged: there is nothing sharp to be learned from that.
    pub(super) fn open(&self, path: &Path) -> Result<RgbImage, TrainError> {
        let photo = open_rgb(path)?;
        let (width, height) = photo.dimensions();
        if width.min(height) < self.side {
            return Err(TrainError::PictureTooSmall {
                width,
                height,
                least: self.side,
                path: path.to_owned(),
            });
        }
        Ok(photo)
    }

    /// The patch in the middle of a photograph, as a batch of its own.
    pub(super) fn middle(&self, photo: &RgbImage) -> Result<PatchBatch, TrainError> {
        let corner = |side: u32| (side - self.side) / 2;
        let (left, top) = (corner(photo.width()), corner(photo.height()));
        let patch = imageops::crop_imm(photo, left, top, self.side, self.side).to_image();
        let mut batch = PatchBatch { small: Vec::new(), base: Vec::new(), large: Vec::new() };
        self.add(&patch, &mut batch)?;
        Ok(batch)
    }

    /// Side of the patches, and of what is made of them.
    pub(super) fn sides(&self) -> (usize, usize) {
        (self.side as usize, (self.side / self.reduction.factor) as usize)
    }

    fn add(&self, patch: &RgbImage, batch: &mut PatchBatch) -> Result<(), TrainError> {
        let pair = self.reduction.apply(patch)?;
        let base = resized(&pair.small, pair.large.dimensions())?;
        window(&pair.small, [0, 0], pair.small.width(), &mut batch.small);
        window(&base, [0, 0], self.side, &mut batch.base);
        window(&pair.large, [0, 0], self.side, &mut batch.large);
        Ok(())
    }
}

/// A square of a photograph, its pixels as they are, at a random place and in one of eight orientations.
fn patch(photo: &RgbImage, side: u32, random: &mut ChaCha8Rng) -> RgbImage {
    let left = random.random_range(0..=photo.width() - side);
    let top = random.random_range(0..=photo.height() - side);
    let mut patch = imageops::crop_imm(photo, left, top, side, side).to_image();
    if random.random() {
        imageops::flip_horizontal_in_place(&mut patch);
    }
    if random.random() {
        imageops::flip_vertical_in_place(&mut patch);
    }
    if random.random() {
        patch = imageops::rotate90(&patch);
    }
    patch
}
