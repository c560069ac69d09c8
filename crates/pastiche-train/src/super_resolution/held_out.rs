//! Patches of photographs that are kept from the training and enlarged now and then, to see how it goes.

use std::path::PathBuf;

use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};
use pastiche_nn::Network;

use super::{patches::PatchDraw, trainer::enlarged};
use crate::{
    TrainError,
    photos::picture_from_tensor,
    run::{HeldOut, sheet},
};

/// The patches, ready for the network.
pub(super) struct HeldOutPatches {
    patches: Vec<Patch>,
}

struct Patch {
    small: Tensor,
    base: Tensor,
    large: Tensor,
}

impl HeldOutPatches {
    /// How many there are at most.
    pub(super) const COUNT: usize = 4;

    /// Reads them; what cannot be read, or is too small, is left out.
    pub(super) fn open(paths: &[PathBuf], draw: &PatchDraw, device: &Device) -> Result<Self, TrainError> {
        let (large_side, small_side) = draw.sides();
        let tensor = |values: Vec<f32>, side| Tensor::from_vec(values, (1, 3, side, side), device);
        let mut patches = Vec::new();
        for path in paths {
            match draw.open(path) {
                Ok(photo) => {
                    let batch = draw.middle(&photo)?;
                    patches.push(Patch {
                        small: tensor(batch.small, small_side)?,
                        base: tensor(batch.base, large_side)?,
                        large: tensor(batch.large, large_side)?,
                    });
                }
                Err(error) => log::warn!("left out of the report: {error}"),
            }
        }
        Ok(Self { patches })
    }
}

impl HeldOut for HeldOutPatches {
    const TITLE: &'static str = "Held-out photographs: as they were, and below enlarged by a bicubic filter";

    fn is_empty(&self) -> bool {
        self.patches.is_empty()
    }

    fn originals(&self) -> Result<RgbImage, TrainError> {
        let large = sheet(self.patches.iter().map(|patch| picture_from_tensor(&patch.large)))?;
        let base = sheet(self.patches.iter().map(|patch| picture_from_tensor(&patch.base)))?;
        let mut both = RgbImage::new(large.width(), large.height() + base.height());
        imageops::replace(&mut both, &large, 0, 0);
        imageops::replace(&mut both, &base, 0, large.height().into());
        Ok(both)
    }

    fn painted(&self, network: &Network) -> Result<RgbImage, TrainError> {
        sheet(
            self.patches
                .iter()
                .map(|patch| picture_from_tensor(&enlarged(network, &patch.small, &patch.base)?.detach())),
        )
    }
}
