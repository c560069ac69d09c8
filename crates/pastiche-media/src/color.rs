//! Between FFmpeg's colour tags and ours.

use ffmpeg::{color, ffi, format::Pixel};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorMatrix, ColorRange, ColorSpace};

use crate::raw::{Coding, ColorNumbers};

/// A picture's colour tags, those that are of use here; all others are as if nothing were said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColorTags {
    pub(crate) matrix: color::Space,
    pub(crate) range: color::Range,
    pub(crate) primaries: color::Primaries,
    pub(crate) transfer: color::TransferCharacteristic,
}

impl From<ColorNumbers> for ColorTags {
    fn from(numbers: ColorNumbers) -> Self {
        use color::{Primaries, Range, Space, TransferCharacteristic as Transfer};
        let matrices = [
            Space::BT470BG,
            Space::SMPTE170M,
            Space::FCC,
            Space::BT709,
            Space::SMPTE240M,
            Space::BT2020NCL,
            Space::BT2020CL,
        ];
        let primaries = [
            Primaries::BT709,
            Primaries::BT470M,
            Primaries::BT470BG,
            Primaries::SMPTE170M,
            Primaries::SMPTE240M,
            Primaries::Film,
            Primaries::BT2020,
            Primaries::SMPTE428,
            Primaries::SMPTE431,
            Primaries::SMPTE432,
            Primaries::EBU3213,
        ];
        let transfers = [Transfer::SMPTE2084, Transfer::ARIB_STD_B67];
        let matrix = |tag| ffi::AVColorSpace::from(tag) as u32;
        let range = |tag| ffi::AVColorRange::from(tag) as u32;
        let primary = |tag| ffi::AVColorPrimaries::from(tag) as u32;
        let transfer = |tag| ffi::AVColorTransferCharacteristic::from(tag) as u32;
        Self {
            matrix: known(numbers.matrix, &matrices, matrix).unwrap_or(Space::Unspecified),
            range: known(numbers.range, &[Range::MPEG, Range::JPEG], range).unwrap_or(Range::Unspecified),
            primaries: known(numbers.primaries, &primaries, primary).unwrap_or(Primaries::Unspecified),
            transfer: known(numbers.transfer, &transfers, transfer).unwrap_or(Transfer::Unspecified),
        }
    }
}

/// Which of these tags has the number.
fn known<T: Copy>(number: u32, tags: &[T], number_of: impl Fn(T) -> u32) -> Option<T> {
    tags.iter().copied().find(|tag| number_of(*tag) == number)
}

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
    fn numbers_that_are_no_tags_say_nothing() {
        let of = |number| {
            let numbers = ColorNumbers { matrix: number, range: number, primaries: number, transfer: number };
            ColorTags::from(numbers)
        };
        for number in [0, 3, 200, u32::MAX] {
            let tags = of(number);
            assert_eq!((tags.matrix, tags.range), (color::Space::Unspecified, color::Range::Unspecified));
            assert_eq!(tags.primaries, color::Primaries::Unspecified);
        }
        // By ITU-T H.273, tables 2 to 4.
        let tags = of(9);
        assert_eq!((tags.matrix, tags.primaries), (color::Space::BT2020NCL, color::Primaries::BT2020));
        assert_eq!(of(16).transfer, color::TransferCharacteristic::SMPTE2084);
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
