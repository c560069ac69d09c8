//! What can go wrong with a card. Which card it was is for the caller to say.

use crate::error::gigabytes;

/// Why a card cannot be used, or not any longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// No engine for cards is installed.
    #[error("{reason}")]
    NotInstalled {
        /// What was looked for, and where.
        reason: String,
    },
    /// The card's memory does not suffice.
    #[error(
        "its memory does not suffice, {} are needed and {} are free; a smaller `--process-size` needs less",
        gigabytes(*.needed), gigabytes(*.free)
    )]
    OutOfMemory {
        /// In bytes.
        needed: u64,
        /// In bytes.
        free: u64,
    },
    /// The card is gone, or a fault on it has ended everything that ran there.
    #[error("it was lost, {reason}")]
    Lost {
        /// What was being done, and what the driver said.
        reason: String,
    },
    /// It cannot be used, for another reason.
    #[error("{reason}")]
    Failed {
        /// What, why, and what to do.
        reason: String,
    },
}
