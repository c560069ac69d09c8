//! A photograph, restyled.

use std::path::Path;

use pastiche_frame::{Frame, FramePool};
use pastiche_inference::{Stylizer, Upscaler, resized};
use pastiche_media::read_image;

use crate::{PipelineError, error::Result, restyle::warn};

/// How large a restyled picture is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum OutputSize {
    /// As large as the source.
    #[default]
    Source,
    /// This width and height.
    Exactly(u32, u32),
    /// The source's width and height times this factor.
    Scaled(f64),
}

impl OutputSize {
    /// Width and height for a source of `width` x `height`, at least 1 each.
    pub fn of(self, width: u32, height: u32) -> (u32, u32) {
        self.rounded(width, height, 1)
    }

    /// As [`Self::of`], but scaled to even sides, as video needs them.
    pub fn even_of(self, width: u32, height: u32) -> (u32, u32) {
        self.rounded(width, height, 2)
    }

    fn rounded(self, width: u32, height: u32, multiple: u32) -> (u32, u32) {
        match self {
            Self::Source => (width, height),
            Self::Exactly(width, height) => (width, height),
            Self::Scaled(factor) => {
                let scaled = |side| {
                    let multiples = (f64::from(side) * factor / f64::from(multiple)).round().max(1.0);
                    multiples as u32 * multiple
                };
                (scaled(width), scaled(height))
            }
        }
    }
}

/// Reads a picture, scales it, restyles it and enlarges it as far as there is something to do that with. Enlarging takes long
/// for a large picture: `on_part` is told now and then how much of that is done, up to 1.
///
/// # Errors
/// The picture cannot be read, is too small to be restyled, or would become too large.
pub fn restyle_image(
    input: &Path,
    size: OutputSize,
    stylizer: Option<&mut Stylizer>,
    upscaler: Option<&mut Upscaler>,
    on_part: &mut dyn FnMut(f64),
) -> Result<Frame> {
    let picture = read_image(input)?;
    let (width, height) = size.of(picture.width(), picture.height());
    // Before the long work.
    upscaler
        .as_ref()
        .map_or(Ok(()), |upscaler| upscaler.check(width, height))
        .and_then(|()| resized(picture, width, height))
        .and_then(|picture| match stylizer {
            Some(stylizer) => {
                // A photograph has no past: nothing of the one before may shine through.
                stylizer.reset();
                let painted = stylizer.stylize(picture);
                warn(stylizer.take_warning());
                painted
            }
            None => Ok(picture),
        })
        .and_then(|picture| match upscaler {
            Some(upscaler) => {
                let enlarged = upscaler.upscale_watched(&picture, &FramePool::new(0), on_part);
                warn(upscaler.take_warning());
                enlarged
            }
            None => Ok(picture),
        })
        .map_err(|source| PipelineError::Restyle { path: input.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_source_unless_told() {
        assert_eq!(OutputSize::Source.of(31, 17), (31, 17));
        assert_eq!(OutputSize::Exactly(64, 48).of(31, 17), (64, 48));
        assert_eq!(OutputSize::Scaled(0.5).of(31, 17), (16, 9));
        assert_eq!(OutputSize::Scaled(0.01).of(31, 17), (1, 1));
        assert_eq!(OutputSize::Scaled(0.1).even_of(64, 48), (6, 4));
        assert_eq!(OutputSize::Scaled(0.01).even_of(64, 48), (2, 2));
    }
}
