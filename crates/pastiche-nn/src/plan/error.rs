//! Why a network cannot be compiled.

use crate::Margins;

/// Why a network cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The layers are none that plans know.
    #[error("plans do not know {what}")]
    Unsupported {
        /// What they do not know.
        what: String,
    },
    /// A reflection would reach past the other edge.
    #[error("reflection by {margins:?} needs a larger picture than {width}x{height}")]
    TooSmall {
        /// How far it reaches.
        margins: Margins,
        /// Of what is mirrored.
        height: usize,
        /// Of what is mirrored.
        width: usize,
    },
    /// The network's weights could not be read.
    #[error("the weights could not be read: {message}")]
    Weights {
        /// What candle said.
        message: String,
    },
}

impl PlanError {
    pub(crate) fn weights(error: candle_core::Error) -> Self {
        Self::Weights { message: error.to_string() }
    }
}
