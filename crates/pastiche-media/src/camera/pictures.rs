//! From what a camera gives to frames.

use ffmpeg::{
    Packet, Rational,
    codec::{self, Id},
    color, decoder,
    format::Pixel,
    frame,
};
use ffmpeg_next as ffmpeg;
use nokhwa::utils::FrameFormat;
use pastiche_frame::{Frame, FramePool, Orientation};

use crate::{decode::is_again, geometry::Geometry, raw, scale::RgbConverter};

/// Decodes a camera's pictures, all of one size and format.
pub(super) struct PictureDecoder {
    format: FrameFormat,
    /// For MJPEG; the other formats are pixels already.
    jpeg: Option<decoder::Video>,
    picture: frame::Video,
    converter: RgbConverter,
}

impl PictureDecoder {
    /// For pictures of `width` x `height`, to frames of `size`, or of the same.
    pub(super) fn new(
        format: FrameFormat,
        (width, height): (u32, u32),
        size: Option<(u32, u32)>,
    ) -> Result<Self, ffmpeg::Error> {
        let geometry = Geometry::new((width, height), Rational::new(1, 1), Orientation::default(), size);
        let pixels = match format {
            FrameFormat::MJPEG => None,
            FrameFormat::YUYV => Some(Pixel::YUYV422),
            FrameFormat::NV12 => Some(Pixel::NV12),
            FrameFormat::GRAY => Some(Pixel::GRAY8),
            FrameFormat::RAWRGB => Some(Pixel::RGB24),
            FrameFormat::RAWBGR => Some(Pixel::BGR24),
        };
        let mut picture = match pixels {
            Some(pixels) => raw::new_picture(pixels, width, height)?,
            None => frame::Video::empty(),
        };
        if matches!(format, FrameFormat::YUYV | FrameFormat::NV12) {
            // What cameras use, whatever their size, where they do not say otherwise.
            picture.set_color_space(color::Space::SMPTE170M);
        }
        let jpeg = match pixels {
            None => Some(open_jpeg_decoder()?),
            Some(_) => None,
        };
        Ok(Self { format, jpeg, picture, converter: RgbConverter::new(geometry) })
    }

    /// A frame of `pool`; `None` where the picture is damaged, as the first ones of many cameras are.
    pub(super) fn decode(&mut self, raw: &[u8], pool: &FramePool) -> Result<Option<Frame>, ffmpeg::Error> {
        if !self.fill(raw)? {
            return Ok(None);
        }
        self.converter.convert(&self.picture, pool).map(Some)
    }

    /// Makes `raw` the picture, and tells whether it is one.
    fn fill(&mut self, raw: &[u8]) -> Result<bool, ffmpeg::Error> {
        let Some(jpeg) = &mut self.jpeg else { return Ok(self.copy_pixels(raw)) };
        // The buffer that it came in is longer, with the rest of older pictures behind it.
        let Some(length) = jpeg_length(raw) else { return Ok(false) };
        if jpeg.send_packet(&Packet::copy(&raw[..length])).is_err() {
            return Ok(false);
        }
        match jpeg.receive_frame(&mut self.picture) {
            Ok(()) => Ok(true),
            Err(ffmpeg::Error::InvalidData) => Ok(false),
            Err(error) if is_again(error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn copy_pixels(&mut self, raw: &[u8]) -> bool {
        let (width, height) = (self.picture.width() as usize, self.picture.height() as usize);
        let planes: &[(usize, usize)] = match self.format {
            FrameFormat::YUYV => &[(2 * width, height)],
            FrameFormat::NV12 => &[(width, height), (width.next_multiple_of(2), height.div_ceil(2))],
            FrameFormat::GRAY => &[(width, height)],
            _ => &[(3 * width, height)],
        };
        if raw.len() < planes.iter().map(|(row_bytes, rows)| row_bytes * rows).sum() {
            return false;
        }
        let mut rest = raw;
        for (plane, (row_bytes, rows)) in planes.iter().enumerate() {
            let (own, after) = rest.split_at(row_bytes * rows);
            rest = after;
            let stride_bytes = self.picture.stride(plane);
            let copied = self.picture.data_mut(plane).chunks_mut(stride_bytes);
            for (row, copied) in own.chunks_exact(*row_bytes).zip(copied) {
                copied[..*row_bytes].copy_from_slice(row);
            }
        }
        true
    }
}

fn open_jpeg_decoder() -> Result<decoder::Video, ffmpeg::Error> {
    let codec = decoder::find(Id::MJPEG).ok_or(ffmpeg::Error::DecoderNotFound)?;
    let mut decoder = codec::Context::new_with_codec(codec).decoder();
    // More threads would hold pictures back.
    decoder.set_threading(codec::threading::Config::count(1));
    decoder.video()
}

/// How long the JPEG at the start of `bytes` is, up to its end marker (ITU-T T.81, annex B).
fn jpeg_length(bytes: &[u8]) -> Option<usize> {
    const START_OF_SCAN: u8 = 0xda;
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    // Segments say how long they are, and may hold a smaller JPEG; the scan's data do neither.
    loop {
        let [0xff, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            break;
        }
    }
    let end = bytes.get(at..)?.windows(2).position(|pair| pair == [0xff, 0xd9])?;
    Some(at + end + 2)
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};

    use super::*;

    const SIZE: (u32, u32) = (64, 48);

    fn decoded(format: FrameFormat, raw: &[u8]) -> Option<Frame> {
        crate::init();
        let mut decoder = PictureDecoder::new(format, SIZE, None).unwrap();
        decoder.decode(raw, &FramePool::new(1)).unwrap()
    }

    fn assert_flat(frame: &Frame, expected: [u8; 3]) {
        for pixel in frame.data().chunks_exact(3) {
            let differs = pixel.iter().zip(expected).any(|(value, wanted)| value.abs_diff(wanted) > 3);
            assert!(!differs, "{pixel:?} is not {expected:?}");
        }
    }

    #[test]
    fn a_jpeg_ends_before_the_rest_of_the_buffer() {
        let mut jpeg = Vec::new();
        let pixels = [200, 60, 40].repeat((SIZE.0 * SIZE.1) as usize);
        JpegEncoder::new(&mut jpeg).write_image(&pixels, SIZE.0, SIZE.1, ExtendedColorType::Rgb8).unwrap();
        let length = jpeg.len();
        jpeg.extend([7, 0xff, 0xd9, 0]);
        assert_eq!(jpeg_length(&jpeg), Some(length));
        assert_flat(&decoded(FrameFormat::MJPEG, &jpeg).unwrap(), [200, 60, 40]);
        assert_eq!(jpeg_length(&jpeg[..length - 2]), None);
        assert!(decoded(FrameFormat::MJPEG, &jpeg[..length / 2]).is_none());
        assert!(decoded(FrameFormat::MJPEG, &[]).is_none());
    }

    #[test]
    fn yuyv_is_limited_range_bt601() {
        // By ITU-T H.273, section 8.3: (200, 60, 40).
        let raw = [102, 99, 102, 191].repeat((SIZE.0 * SIZE.1 / 2) as usize);
        assert_flat(&decoded(FrameFormat::YUYV, &raw).unwrap(), [200, 60, 40]);
        assert!(decoded(FrameFormat::YUYV, &raw[1..]).is_none());
    }

    #[test]
    fn other_pixels_are_taken_as_they_are() {
        let pixels = (SIZE.0 * SIZE.1) as usize;
        assert_flat(&decoded(FrameFormat::RAWRGB, &[200, 60, 40].repeat(pixels)).unwrap(), [200, 60, 40]);
        assert_flat(&decoded(FrameFormat::RAWBGR, &[40, 60, 200].repeat(pixels)).unwrap(), [200, 60, 40]);
        assert_flat(&decoded(FrameFormat::GRAY, &vec![90; pixels]).unwrap(), [90; 3]);
        let nv12: Vec<u8> = [vec![102; pixels], [99, 191].repeat(pixels / 4)].concat();
        assert_flat(&decoded(FrameFormat::NV12, &nv12).unwrap(), [200, 60, 40]);
    }
}
