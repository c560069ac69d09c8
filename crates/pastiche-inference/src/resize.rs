//! Changing a picture's size, where the network does not run at the output's.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::InferenceError;

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
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
    pub(crate) fn resize(
        &mut self,
        pixels: &[u8],
        from: Size,
        target: &mut Vec<u8>,
        to: Size,
    ) -> Result<(), InferenceError> {
        // Both fail only where a buffer's length does not match its size.
        let failed = |error: &dyn std::fmt::Display| candle_core::Error::Msg(format!("resizing: {error}"));
        let source =
            ImageRef::new(from.width, from.height, pixels, PixelType::U8x3).map_err(|e| failed(&e))?;
        target.resize(to.width as usize * to.height as usize * 3, 0);
        let mut image =
            Image::from_slice_u8(to.width, to.height, target, PixelType::U8x3).map_err(|e| failed(&e))?;
        self.resizer.resize(&source, &mut image, &self.options).map_err(|e| failed(&e))?;
        Ok(())
    }
}
