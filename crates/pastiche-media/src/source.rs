//! Where a decoder's pictures come from.

use ffmpeg::frame;
use ffmpeg_next as ffmpeg;

use crate::{error::Result, pictures::PictureReader, rgb_pictures::RgbPictures};

/// A file that FFmpeg reads, or pictures that we do.
pub(crate) enum Pictures {
    File(Box<PictureReader>),
    Rgb(Box<RgbPictures>),
}

impl Pictures {
    /// Reads the next picture; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        match self {
            Self::File(reader) => reader.advance(),
            Self::Rgb(pictures) => pictures.advance(),
        }
    }

    /// The picture that [`Self::advance`] has read.
    pub(crate) fn picture(&self) -> &frame::Video {
        match self {
            Self::File(reader) => reader.picture(),
            Self::Rgb(pictures) => pictures.picture(),
        }
    }

    /// When it is shown, as far as the source says.
    pub(crate) fn pts_ticks(&self) -> Option<i64> {
        match self {
            Self::File(reader) => reader.pts_ticks(),
            Self::Rgb(pictures) => Some(pictures.pts_ticks()),
        }
    }

    /// For how long, where the source says.
    pub(crate) fn duration_ticks(&self) -> Option<i64> {
        match self {
            Self::File(reader) => reader.duration_ticks(),
            Self::Rgb(pictures) => Some(pictures.duration_ticks()),
        }
    }

    /// Whether parts of it are guessed, since they could not be decoded.
    pub(crate) fn is_concealed(&self) -> bool {
        match self {
            Self::File(reader) => reader.is_concealed(),
            Self::Rgb(_) => false,
        }
    }

    /// When the last of the packets ends that were read, of whatever stream, in microseconds.
    pub(crate) fn end_micros(&self) -> i64 {
        match self {
            Self::File(reader) => reader.end_micros(),
            Self::Rgb(_) => i64::MIN,
        }
    }

    /// Whether the source, which is read to its end, ends in the middle of something.
    pub(crate) fn breaks_off(&self) -> bool {
        match self {
            Self::File(reader) => reader.breaks_off(),
            Self::Rgb(_) => false,
        }
    }

    /// How many pieces of the source could not be decoded and are left out.
    pub(crate) fn skipped(&self) -> u64 {
        match self {
            Self::File(reader) => reader.skipped(),
            Self::Rgb(pictures) => pictures.skipped(),
        }
    }
}
