//! Photographs that are kept from the training and restyled now and then, to see how it goes.

use std::path::PathBuf;

use candle_core::{Device, Tensor};
use image::RgbImage;
use pastiche_nn::Network;

use super::HeldOut;
use crate::{
    TrainError,
    photos::{
        one_below_the_other, open_rgb, picture_from_tensor, resized, side_by_side, tensor_from_picture,
    },
};

/// Height of the pictures on a sheet.
const HEIGHT: u32 = 256;

/// The photographs, ready for the network.
pub(crate) struct HeldOutPhotos {
    photos: Vec<Tensor>,
    /// Those that another network painted of them, to compare with.
    paintings: Vec<RgbImage>,
}

impl HeldOutPhotos {
    /// How many there are at most.
    pub(crate) const COUNT: usize = 4;

    /// Reads them, with sides that are multiples of `multiple`; what cannot be read is left out.
    pub(crate) fn open(paths: &[PathBuf], multiple: usize, device: &Device) -> Result<Self, TrainError> {
        let multiple = multiple as u32;
        let mut photos = Vec::new();
        for path in paths {
            match open_rgb(path) {
                Ok(photo) => {
                    let width = photo.width() * HEIGHT / photo.height().max(1);
                    let width = (width / multiple).max(HEIGHT / 4 / multiple) * multiple;
                    photos.push(tensor_from_picture(&resized(&photo, (width, HEIGHT))?, device)?);
                }
                Err(error) => log::warn!("left out of the report: {error}"),
            }
        }
        Ok(Self { photos, paintings: Vec::new() })
    }

    /// These, to be shown above what a teacher paints of them.
    pub(crate) fn beside_paintings(self, teacher: &Network) -> Result<Self, TrainError> {
        let paintings = painted(&self.photos, teacher)?;
        Ok(Self { paintings, ..self })
    }
}

impl HeldOut for HeldOutPhotos {
    const TITLE: &'static str = "Held-out photographs";

    fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// The photographs side by side as they are; below them, where there is one, what a teacher paints of them.
    fn originals(&self) -> Result<RgbImage, TrainError> {
        let photos = sheet(self.photos.iter().map(picture_from_tensor))?;
        Ok(one_below_the_other(&[photos, side_by_side(&self.paintings)]))
    }

    /// The photographs side by side as the network paints them now.
    fn painted(&self, network: &Network) -> Result<RgbImage, TrainError> {
        Ok(side_by_side(&painted(&self.photos, network)?))
    }
}

fn painted(photos: &[Tensor], network: &Network) -> Result<Vec<RgbImage>, TrainError> {
    let pictures = photos.iter().map(|photo| picture_from_tensor(&network.forward(photo)?.detach()));
    Ok(pictures.collect::<candle_core::Result<_>>()?)
}

/// Pictures side by side.
pub(crate) fn sheet(
    pictures: impl Iterator<Item = candle_core::Result<RgbImage>>,
) -> Result<RgbImage, TrainError> {
    Ok(side_by_side(&pictures.collect::<candle_core::Result<Vec<RgbImage>>>()?))
}
