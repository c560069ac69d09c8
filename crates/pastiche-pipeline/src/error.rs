//! What can go wrong in a job.

use std::path::PathBuf;

use pastiche_inference::InferenceError;
use pastiche_media::MediaError;

use crate::StageError;

/// Why a job ended without its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A file could not be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A frame could not be restyled.
    #[error(transparent)]
    Inference(Box<InferenceError>),
    /// A photograph could not be restyled.
    #[error("{source}: {}", path.display())]
    Restyle {
        /// The photograph.
        path: PathBuf,
        /// What the engine said.
        source: Box<InferenceError>,
    },
    /// A stage of the job crashed or could not start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Not one frame came out of the decoder.
    #[error("there is not one whole picture in this part of the video; choose another part or file: {}", path.display())]
    NoFrames {
        /// The video.
        path: PathBuf,
    },
    /// The job was cancelled before there was anything to keep.
    #[error("interrupted before the first frame was done, so nothing was written: {}", path.display())]
    NothingDone {
        /// The output asked for.
        path: PathBuf,
    },
}

impl From<InferenceError> for PipelineError {
    fn from(error: InferenceError) -> Self {
        Self::Inference(Box::new(error))
    }
}

/// The crate's result.
pub(crate) type Result<T, E = PipelineError> = std::result::Result<T, E>;
