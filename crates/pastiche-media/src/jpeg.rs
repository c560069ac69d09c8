//! Telling a whole JPEG from one that breaks off, which its decoder paints grey from there on without a word.

use std::io::{self, BufRead, Read};

/// Markers of ITU-T T.81, table B.1.
const END_OF_IMAGE: u8 = 0xD9;
/// Those that stand alone: an escaped 0xFF among the pixels, TEM, the restarts, and the start of the image.
const ALONE: [std::ops::RangeInclusive<u8>; 2] = [0x00..=0x01, 0xD0..=0xD8];

/// Whether the first picture in a JPEG file has an end.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn is_whole(file: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match next_marker(file)? {
            None => return Ok(false),
            Some(END_OF_IMAGE) => return Ok(true),
            Some(marker) if ALONE.iter().any(|alone| alone.contains(&marker)) => {}
            Some(_) => {
                let mut length = [0; 2];
                if file.read_exact(&mut length).is_err() {
                    return Ok(false);
                }
                // It counts itself.
                let rest = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
                io::copy(&mut file.by_ref().take(rest), &mut io::sink())?;
            }
        }
    }
}

/// The next byte behind one 0xFF or several.
fn next_marker(file: &mut impl BufRead) -> io::Result<Option<u8>> {
    file.skip_until(0xFF)?;
    for byte in file.bytes() {
        match byte? {
            0xFF => {}
            marker => return Ok(Some(marker)),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use image::{RgbImage, codecs::jpeg::JpegEncoder};

    use super::*;

    #[test]
    fn a_picture_is_whole_where_its_pixels_end() {
        let picture =
            RgbImage::from_fn(40, 30, |x, y| image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y) as u8]));
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg).encode_image(&picture).unwrap();
        assert!(is_whole(&mut jpeg.as_slice()).unwrap());
        for length in [0, 1, 2, 3, 20, jpeg.len() / 2, jpeg.len() - 1] {
            assert!(!is_whole(&mut &jpeg[..length]).unwrap(), "{length} of {}", jpeg.len());
        }
        // A thumbnail in the metadata has an end of its own.
        let thumbnail = [0xFF, 0xE1, 0x00, 0x06, 0xFF, 0xD8, 0xFF, 0xD9];
        let with_thumbnail = [&jpeg[..2], &thumbnail, &jpeg[2..]].concat();
        assert!(is_whole(&mut with_thumbnail.as_slice()).unwrap());
        assert!(!is_whole(&mut &with_thumbnail[..with_thumbnail.len() - 2]).unwrap());
        // What follows the picture is nobody's concern.
        assert!(is_whole(&mut [&jpeg[..], &jpeg[..9]].concat().as_slice()).unwrap());
    }
}
