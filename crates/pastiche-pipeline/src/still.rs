//! A photograph, restyled into another.

use std::path::Path;

use fast_image_resize::{PixelType, Resizer, images::Image, images::ImageRef};
use pastiche_frame::{Frame, PixelFormat};
use pastiche_inference::Stylizer;
use pastiche_media::{read_image, write_image};

use crate::{PipelineError, error::Result};

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

/// Reads a picture, scales it, restyles it and writes it; returns its new width and height.
///
/// # Errors
/// The picture cannot be read, is too small to be restyled, or the result cannot be written.
pub fn restyle_image(
    input: &Path,
    output: &Path,
    size: OutputSize,
    stylizer: &mut Stylizer,
) -> Result<(u32, u32)> {
    let picture = read_image(input)?;
    let (width, height) = size.of(picture.width(), picture.height());
    let picture = scaled(picture, width, height).map_err(|source| PipelineError::Scale {
        width,
        height,
        path: input.to_owned(),
        source,
    })?;
    // A photograph has no past: nothing of the one before may shine through.
    stylizer.reset();
    let restyled = stylizer
        .stylize(picture)
        .map_err(|source| PipelineError::Restyle { path: input.to_owned(), source: Box::new(source) })?;
    write_image(output, &restyled)?;
    Ok((width, height))
}

fn scaled(frame: Frame, width: u32, height: u32) -> Result<Frame, Box<dyn std::error::Error + Send + Sync>> {
    if (width, height) == (frame.width(), frame.height()) {
        return Ok(frame);
    }
    let pixels = match frame.format() {
        PixelFormat::Rgb8 => PixelType::U8x3,
        PixelFormat::Rgba8 => PixelType::U8x4,
    };
    let source = ImageRef::new(frame.width(), frame.height(), frame.data(), pixels)?;
    let mut target = Image::new(width, height, pixels);
    Resizer::new().resize(&source, &mut target, None)?;
    let mut scaled = Frame::from_data(width, height, frame.format(), target.into_vec());
    scaled.copy_properties_from(&frame);
    Ok(scaled)
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

    #[test]
    fn scaling_keeps_the_picture_upright() {
        // The upper half red; below, black on the left and white on the right.
        let mut picture = Frame::from_data(40, 20, PixelFormat::Rgb8, vec![0; 40 * 20 * 3]);
        for (y, row) in picture.rows_mut().enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                pixel.fill(if x < 20 { 0 } else { 255 });
                if y < 10 {
                    pixel.copy_from_slice(&[255, 0, 0]);
                }
            }
        }
        let small = scaled(picture, 20, 10).unwrap();
        assert_eq!((small.width(), small.height()), (20, 10));
        let pixel = |x: usize, y: usize| &small.data()[(y * 20 + x) * 3..][..3];
        assert_eq!(
            (pixel(1, 1), pixel(1, 8), pixel(18, 8)),
            (&[255, 0, 0][..], &[0, 0, 0][..], &[255, 255, 255][..])
        );
    }
}
