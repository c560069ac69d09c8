//! What can go wrong in a job.

use std::{io, path::PathBuf};

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
    /// What is kept of a job that was stopped is of another one.
    #[error("what is kept there is of another job: {differences}; give those again, or remove the folder to start anew: {}", folder.display())]
    OtherParts {
        /// What differs, in words.
        differences: String,
        /// Where the parts are.
        folder: PathBuf,
    },
    /// What is kept of a job that was stopped cannot be used.
    #[error("what is kept there cannot be used ({reason}); remove the folder to start anew: {}", folder.display())]
    PartsUnusable {
        /// Why.
        reason: String,
        /// Where the parts are.
        folder: PathBuf,
    },
    /// Another process works on the same parts.
    #[error("another program works on this video already; let it finish, or end it: {}", folder.display())]
    PartsBusy {
        /// Where the parts are.
        folder: PathBuf,
    },
    /// The parts of a job cannot be written.
    #[error("the parts cannot be written ({source}); make room on the drive, or choose another: {}", folder.display())]
    PartsNotWritable {
        /// Where the parts are.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
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
    /// A job in parts was cancelled before the first of them was done.
    #[error("interrupted before the first {frames} frames, which are kept together, were done, so nothing was written; start it once more: {}", path.display())]
    NoPart {
        /// Frames in a part.
        frames: u64,
        /// The output asked for.
        path: PathBuf,
    },
}

impl PipelineError {
    /// Whether the drive takes no more of the output; what is written by then can be kept.
    pub(crate) fn is_of_output_drive(&self) -> bool {
        matches!(
            self,
            Self::PartsNotWritable { .. }
                | Self::Media(MediaError::Drive { .. } | MediaError::OutputNotWritable { .. })
        )
    }
}

impl From<InferenceError> for PipelineError {
    fn from(error: InferenceError) -> Self {
        Self::Inference(Box::new(error))
    }
}

/// The crate's result.
pub(crate) type Result<T, E = PipelineError> = std::result::Result<T, E>;
