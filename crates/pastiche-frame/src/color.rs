//! What the bytes of a pixel mean.

/// How the bytes of one pixel lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Red, green, blue; one byte each, interleaved. The engine's format.
    Rgb8,
    /// Red, green, blue, opacity (not premultiplied); one byte each, interleaved.
    Rgba8,
}

impl PixelFormat {
    /// Bytes that one pixel takes.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }
}

/// Which luma weights relate RGB to the Y'CbCr that the picture came from or goes to (ITU-T H.273, table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColorMatrix {
    /// ITU-R BT.601: standard definition, JPEG.
    Bt601,
    /// ITU-R BT.709: high definition.
    #[default]
    Bt709,
}

/// Which code values of Y'CbCr carry the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColorRange {
    /// Luma 16-235, chroma 16-240: nearly all video.
    #[default]
    Limited,
    /// 0-255: JPEG, many webcams and phones.
    Full,
}

/// The Y'CbCr coding that a frame's RGB came from, and so the one that it is best encoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ColorSpace {
    /// Luma weights.
    pub matrix: ColorMatrix,
    /// Code values in use.
    pub range: ColorRange,
}

impl ColorSpace {
    /// What an untagged video of this height almost always is: BT.601 below 720 lines, BT.709 from there on, limited
    /// range. Players guess the same way.
    pub const fn guess_from_height(height: u32) -> Self {
        let matrix = if height < 720 { ColorMatrix::Bt601 } else { ColorMatrix::Bt709 };
        Self { matrix, range: ColorRange::Limited }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untagged_video_is_guessed_by_its_height() {
        assert_eq!(ColorSpace::guess_from_height(480).matrix, ColorMatrix::Bt601);
        assert_eq!(ColorSpace::guess_from_height(719).matrix, ColorMatrix::Bt601);
        assert_eq!(ColorSpace::guess_from_height(720).matrix, ColorMatrix::Bt709);
    }
}
