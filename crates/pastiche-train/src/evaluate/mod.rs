//! How good a style network is: its objective and its speed beside those of the slow method, and how steady it is. And how
//! near super-resolution comes to the pictures as they were.

mod grid;
mod histogram;
mod objective;
mod paper;
mod plot;
mod similarity;
mod speed;
mod stability;
mod super_resolution;

pub use self::{
    grid::grid,
    histogram::match_histograms,
    objective::{ObjectiveReport, objective},
    paper::{PaperRow, PaperRows},
    plot::plot,
    similarity::{Luma, psnr, ssim},
    speed::{OptimiserSpeed, Speed, speed},
    stability::{frame_difference, noise_gain},
    super_resolution::{
        Compared, Enlargers, ReducedPair, Reduction, SuperResolutionReport, SuperResolutionRow,
        super_resolution,
    },
};
