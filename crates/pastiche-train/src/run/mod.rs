//! A whole training: from pictures to a file of weights, with everything that a long job needs around it.

mod files;
mod held_out;
mod metrics;
mod report;
mod session;
mod style;

pub use self::{
    files::RunFolder,
    session::{Ending, RunOptions},
    style::{TrainJob, train},
};
pub(crate) use self::{
    files::write_whole,
    held_out::{HeldOutPhotos, sheet},
    metrics::{StepFigures, Term},
    report::HeldOut,
    session::{Session, Training},
    style::population,
};
