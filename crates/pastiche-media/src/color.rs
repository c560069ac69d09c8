//! Between FFmpeg's colour tags and ours.

use ffmpeg::{color, format::Pixel};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorMatrix, ColorRange, ColorSpace};

use crate::raw::Coding;

/// How a picture with these tags is coded, exactly for the scaler and as the nearest of ours for the encoder.
/// What is untagged is guessed from the height.
pub(crate) fn coding(
    matrix: color::Space,
    range: color::Range,
    format: Pixel,
    height: u32,
) -> (Coding, ColorSpace) {
    let guess = ColorSpace::guess_from_height(height);
    let (matrix, nearest) = match matrix {
        color::Space::BT470BG | color::Space::SMPTE170M | color::Space::FCC => (matrix, ColorMatrix::Bt601),
        color::Space::BT709 | color::Space::SMPTE240M | color::Space::BT2020NCL | color::Space::BT2020CL => {
            (matrix, ColorMatrix::Bt709)
        }
        _ => (matrix_tag(guess.matrix), guess.matrix),
    };
    let full_range = range == color::Range::JPEG || is_full_range_format(format);
    let range = if full_range { ColorRange::Full } else { ColorRange::Limited };
    (Coding { matrix, full_range }, ColorSpace { matrix: nearest, range })
}

/// The tag for one of our matrices.
pub(crate) fn matrix_tag(matrix: ColorMatrix) -> color::Space {
    match matrix {
        ColorMatrix::Bt601 => color::Space::SMPTE170M,
        ColorMatrix::Bt709 => color::Space::BT709,
    }
}

/// The old formats that say "full range" by their name.
fn is_full_range_format(format: Pixel) -> bool {
    matches!(format, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(matrix: color::Space, range: color::Range, format: Pixel, height: u32) -> ColorSpace {
        coding(matrix, range, format, height).1
    }

    #[test]
    fn tags_win_over_the_guess() {
        let tagged = space(color::Space::BT709, color::Range::JPEG, Pixel::YUV420P, 480);
        assert_eq!(tagged, ColorSpace { matrix: ColorMatrix::Bt709, range: ColorRange::Full });
        let tagged = space(color::Space::BT470BG, color::Range::MPEG, Pixel::YUV420P, 1080);
        assert_eq!(tagged, ColorSpace { matrix: ColorMatrix::Bt601, range: ColorRange::Limited });
    }

    #[test]
    fn untagged_video_is_guessed_and_old_formats_are_full_range() {
        let none = (color::Space::Unspecified, color::Range::Unspecified);
        assert_eq!(space(none.0, none.1, Pixel::YUV420P, 360), ColorSpace::guess_from_height(360));
        assert_eq!(space(none.0, none.1, Pixel::YUV420P, 720), ColorSpace::guess_from_height(720));
        assert_eq!(space(none.0, none.1, Pixel::YUVJ420P, 360).range, ColorRange::Full);
    }
}
