//! Changing a picture's size.

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};

use pastiche_frame::{Frame, PixelFormat};

use crate::InferenceError;

/// `frame` at another size, with its time and colour space.
///
/// # Errors
/// The frame is not RGB.
///
/// # Panics
/// A side is 0.
pub fn resized(frame: Frame, width: u32, height: u32) -> Result<Frame, InferenceError> {
    let (from, to) = (Size { width: frame.width(), height: frame.height() }, Size { width, height });
    if frame.format() != PixelFormat::Rgb8 {
        return Err(InferenceError::Format { found: frame.format() });
    }
    if from == to {
        return Ok(frame);
    }
    let mut pixels = Vec::new();
    RgbResizer::new().resize(frame.data(), from, &mut pixels, to)?;
    let mut resized = Frame::from_data(width, height, PixelFormat::Rgb8, pixels);
    resized.copy_properties_from(&frame);
    Ok(resized)
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    /// Bytes of an RGB8 picture.
    pub(crate) const fn rgb8_len(self) -> usize {
        self.width as usize * self.height as usize * 3
    }
}

/// Resizes RGB pictures, keeping its buffers.
pub(crate) struct RgbResizer {
    resizer: Resizer,
    options: ResizeOptions,
}

impl RgbResizer {
    pub(crate) fn new() -> Self {
        // Catmull-Rom averages when it shrinks, and stays sharp without rings when it enlarges.
        let algorithm = ResizeAlg::Convolution(FilterType::CatmullRom);
        Self { resizer: Resizer::new(), options: ResizeOptions::new().resize_alg(algorithm) }
    }

    /// Resizes RGB8 pixels of size `from` into `target`, which becomes RGB8 of size `to`.
    // Inlined elsewhere it would take the resizer's kernels along, which compile for most of a minute.
    #[inline(never)]
    pub(crate) fn resize(
        &mut self,
        pixels: &[u8],
        from: Size,
        target: &mut Vec<u8>,
        to: Size,
    ) -> Result<(), InferenceError> {
        target.resize(to.rgb8_len(), 0);
        self.resize_into(pixels, from, target, to)
    }

    /// As [`Self::resize`], into a buffer of the right length.
    pub(crate) fn resize_into(
        &mut self,
        pixels: &[u8],
        from: Size,
        target: &mut [u8],
        to: Size,
    ) -> Result<(), InferenceError> {
        let source = TypedImageRef::<U8x3>::from_buffer(from.width, from.height, pixels).map_err(failed)?;
        let mut image = TypedImage::<U8x3>::from_buffer(to.width, to.height, target).map_err(failed)?;
        self.resizer.resize_typed(&source, &mut image, &self.options).map_err(failed)
    }
}

/// The resizer fails only where a buffer's length does not match its size.
fn failed(error: impl std::fmt::Display) -> InferenceError {
    candle_core::Error::Msg(format!("resizing: {error}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let small = resized(picture, 20, 10).unwrap();
        assert_eq!((small.width(), small.height()), (20, 10));
        let pixel = |x: usize, y: usize| &small.data()[(y * 20 + x) * 3..][..3];
        assert_eq!(
            (pixel(1, 1), pixel(1, 8), pixel(18, 8)),
            (&[255, 0, 0][..], &[0, 0, 0][..], &[255, 255, 255][..])
        );
    }
}
