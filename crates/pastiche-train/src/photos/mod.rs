//! The photographs to train on: found in a folder, cut and varied in threads of their own.
//!
//! What is drawn for a step depends on the seed and the step's number only, so a training that goes on later sees the
//! same photographs as one that was never stopped.

mod augment;
mod folder;
mod loader;
mod pixels;

pub use self::{
    augment::{Augmentation, Variation},
    folder::PhotoFolder,
    loader::{Batch, photos_per_second},
    pixels::{
        centre_square, one_below_the_other, open_reduced, open_rgb, picture_from_tensor, resized,
        side_by_side, tensor_from_picture,
    },
};
pub(crate) use augment::window;
pub(crate) use loader::{Draw, Drawing, PhotoLoader, Photos, threads_beside};
