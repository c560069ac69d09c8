//! The first stage of a job from a file: its frames.

use std::path::Path;

use pastiche_frame::{Frame, FramePool};
use pastiche_media::{DecodeOptions, MediaError, SkippedFrame, VideoDecoder};

use crate::error::Result;

/// Buffers that go round in one job: those in two queues, one in each stage's hands, one more under way, and one to spare.
const POOLED_FRAMES: usize = 9;

/// A video's frames, up to its end or to where it cannot be read any further.
pub(crate) struct FrameReader {
    decoder: VideoDecoder,
    pool: FramePool,
    frames_read: u64,
    cut_short: Option<MediaError>,
}

impl FrameReader {
    pub(crate) fn open(path: &Path, options: &DecodeOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(path, options)?;
        Ok(Self { decoder, pool: FramePool::new(POOLED_FRAMES), frames_read: 0, cut_short: None })
    }

    pub(crate) fn decoder(&self) -> &VideoDecoder {
        &self.decoder
    }

    /// Why the video could not be read to its end.
    pub(crate) fn into_cut_short(self) -> Option<MediaError> {
        self.cut_short
    }

    /// Whether the video could not be read to its end.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.cut_short.is_some()
    }

    /// The next frame.
    ///
    /// # Errors
    /// There is not even a first one.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>> {
        let Self { decoder, pool, .. } = self;
        let read = decoder.next_frame(pool);
        self.up_to_an_error(read)
    }

    /// Goes past the next frame.
    ///
    /// # Errors
    /// As for [`Self::next_frame`].
    pub(crate) fn skip_frame(&mut self) -> Result<Option<SkippedFrame>> {
        let read = self.decoder.skip_frame();
        self.up_to_an_error(read)
    }

    /// Takes an error behind frames for the end.
    fn up_to_an_error<T>(&mut self, read: Result<Option<T>, MediaError>) -> Result<Option<T>> {
        match read {
            Err(error @ (MediaError::Read { .. } | MediaError::Convert { .. })) if self.frames_read > 0 => {
                self.cut_short = Some(error);
                Ok(None)
            }
            read => {
                let frame = read?;
                self.frames_read += u64::from(frame.is_some());
                Ok(frame)
            }
        }
    }
}
