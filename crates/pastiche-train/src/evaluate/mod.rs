//! How good a style network is: its objective beside that of the slow method, and how steady it is.

mod objective;
mod plot;
mod stability;

pub use self::{
    objective::{ObjectiveReport, objectives},
    plot::plot,
    stability::{frame_difference, noise_gain},
};
