//! How good a style network is: its objective beside that of the slow method, and how steady it is. And how
//! near super-resolution comes to the pictures as they were.

mod grid;
mod histogram;
mod objective;
mod plot;
mod similarity;
mod stability;
mod super_resolution;

pub use self::{
    grid::grid,
    histogram::match_histograms,
    objective::{ObjectiveReport, objectives},
    plot::plot,
    similarity::{Luma, psnr, ssim},
    stability::{frame_difference, noise_gain},
    super_resolution::{
        Compared, Enlargers, ReducedPair, Reduction, SuperResolutionReport, SuperResolutionRow,
        super_resolution,
    },
};
