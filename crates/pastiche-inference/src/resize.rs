//! Changing a picture's size, where the network does not run at the output's.

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
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
    // Inlined elsewhere it would take the resizer's kernels along, which compile for most of a minute.
    #[inline(never)]
    pub(crate) fn resize(
        &mut self,
        pixels: &[u8],
        from: Size,
        target: &mut Vec<u8>,
        to: Size,
    ) -> Result<(), InferenceError> {
        target.resize(to.width as usize * to.height as usize * 3, 0);
        let source = TypedImageRef::<U8x3>::from_buffer(from.width, from.height, pixels).map_err(failed)?;
        let mut image = TypedImage::<U8x3>::from_buffer(to.width, to.height, target).map_err(failed)?;
        self.resizer.resize_typed(&source, &mut image, &self.options).map_err(failed)
    }
}

/// The resizer fails only where a buffer's length does not match its size.
fn failed(error: impl std::fmt::Display) -> InferenceError {
    candle_core::Error::Msg(format!("resizing: {error}")).into()
}
