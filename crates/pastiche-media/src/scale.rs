//! Between the encoder's and decoder's Y'CbCr and the engine's RGB, with the colour coding and the row strides right.

use ffmpeg::{
    Error, color,
    format::Pixel,
    frame,
    software::scaling::{self, Flags},
};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorMatrix, ColorSpace, Frame, FramePool, PixelFormat};

use crate::{
    color::{ColorTags, coding, matrix_tag},
    geometry::Geometry,
    raw::{self, Coding, SendScaler},
    tone::{Light, ToneMapper},
};

/// RGB has no matrix; this only says that all code values are in use.
const RGB_CODING: Coding = Coding { matrix: color::Space::RGB, full_range: true };

/// For light that 8 bits are too coarse for, as this machine orders bytes.
const SIXTEEN_BIT_RGB: Pixel = if cfg!(target_endian = "big") { Pixel::RGB48BE } else { Pixel::RGB48LE };

const SIXTEEN_BIT_RGBA: Pixel = if cfg!(target_endian = "big") { Pixel::RGBA64BE } else { Pixel::RGBA64LE };

/// Decoded pictures to RGB frames: what is transparent over black, what is brighter or more colourful than screens show
/// brought into what they do.
pub(crate) struct RgbConverter {
    geometry: Geometry,
    scaler: Option<(Source, SendScaler)>,
    tone: Option<ToneMapper>,
    scaled: frame::Video,
}

/// What a scaler was built for; a stream may change it on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Source {
    format: Pixel,
    size: (u32, u32),
    coding: Coding,
    light: Option<Light>,
}

impl Source {
    /// What the scaler makes of it, to be finished row by row.
    fn scaled_format(&self) -> Pixel {
        match self.light {
            Some(_) if raw::has_alpha(self.format) => SIXTEEN_BIT_RGBA,
            Some(_) => SIXTEEN_BIT_RGB,
            None if raw::has_alpha(self.format) => Pixel::RGBA,
            None => Pixel::RGB24,
        }
    }
}

impl RgbConverter {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, scaler: None, tone: None, scaled: frame::Video::empty() }
    }

    /// The picture as an upright frame of the pool, with its colour space but without its time.
    pub(crate) fn convert(&mut self, picture: &frame::Video, pool: &FramePool) -> Result<Frame, Error> {
        let size = (picture.width(), picture.height());
        let tags = ColorTags::from(raw::color_numbers(picture));
        let (coding, color_space) = coding(tags.matrix, tags.range, picture.format(), size.1);
        let light = Light::of(tags.primaries, tags.transfer, tags.matrix);
        let source = Source { format: picture.format(), size, coding, light };
        if self.scaler.as_ref().is_none_or(|(built_for, _)| *built_for != source) {
            self.build(source)?;
        }
        let Some((_, scaler)) = &mut self.scaler else { return Err(Error::Bug) };
        scaler.run(picture, &mut self.scaled)?;

        let kept = self.geometry.kept;
        let mut frame = pool.take(kept.width, kept.height, PixelFormat::Rgb8);
        frame.color_space = color_space;
        let pixel_bytes = match self.scaled.format() {
            Pixel::RGB24 => 3,
            Pixel::RGBA => 4,
            SIXTEEN_BIT_RGBA => 8,
            _ => 6,
        };
        let (start, length) = (kept.x as usize * pixel_bytes, kept.width as usize * pixel_bytes);
        let stride_bytes = self.scaled.stride(0);
        let rows = self.scaled.data(0).chunks(stride_bytes).skip(kept.y as usize);
        for (row, scaled) in frame.rows_mut().zip(rows) {
            let scaled = &scaled[start..start + length];
            match &self.tone {
                Some(tone) => tone.convert_row(scaled, pixel_bytes, row),
                None if pixel_bytes == 4 => put_over_black(scaled, row),
                None => row.copy_from_slice(scaled),
            }
        }
        Ok(self.geometry.orientation.apply(frame, pool))
    }

    fn build(&mut self, source: Source) -> Result<(), Error> {
        let (width, height) = self.geometry.scaled;
        let format = source.scaled_format();
        self.scaled = raw::new_picture(format, width, height)?;
        match source.light {
            Some(light) if self.tone.as_ref().is_none_or(|tone| tone.light() != light) => {
                self.tone = Some(ToneMapper::new(light));
            }
            Some(_) => {}
            None => self.tone = None,
        }
        self.scaler = Some((source, rgb_scaler(source, format, (width, height))?));
        Ok(())
    }
}

/// Rows of RGBA to RGB.
fn put_over_black(rgba: &[u8], rgb: &mut [u8]) {
    for (from, to) in rgba.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let alpha = u16::from(from[3]);
        for (to, from) in to.iter_mut().zip(from) {
            // At most 255 * 255 / 255.
            *to = ((u16::from(*from) * alpha + 127) / 255) as u8;
        }
    }
}

/// RGB frames to the 4:2:0 pictures that encoders take, in limited range.
pub(crate) struct YuvConverter {
    matrix: color::Space,
    scaler: Option<(Pixel, SendScaler)>,
    rgb: frame::Video,
    picture: frame::Video,
}

impl YuvConverter {
    /// For pictures in `format`, which is a 4:2:0 one.
    ///
    /// # Errors
    /// There is no memory for one.
    pub(crate) fn new(format: Pixel, width: u32, height: u32, matrix: ColorMatrix) -> Result<Self, Error> {
        let mut picture = raw::new_picture(format, width, height)?;
        picture.set_color_space(matrix_tag(matrix));
        picture.set_color_range(color::Range::MPEG);
        Ok(Self { matrix: matrix_tag(matrix), scaler: None, rgb: frame::Video::empty(), picture })
    }

    /// Converts a frame of the video's size; the result is [`Self::picture`].
    pub(crate) fn convert(&mut self, frame: &Frame) -> Result<(), Error> {
        let format = match frame.format() {
            PixelFormat::Rgb8 => Pixel::RGB24,
            PixelFormat::Rgba8 => Pixel::RGBA,
        };
        let size = (frame.width(), frame.height());
        let scaler = match &mut self.scaler {
            Some((built_for, scaler)) if *built_for == format => scaler,
            outdated => {
                self.rgb = raw::new_picture(format, size.0, size.1)?;
                let scaler = yuv_scaler((format, self.picture.format()), size, self.matrix)?;
                &mut outdated.insert((format, scaler)).1
            }
        };
        let stride_bytes = self.rgb.stride(0);
        for (row, copied) in frame.rows().zip(self.rgb.data_mut(0).chunks_mut(stride_bytes)) {
            copied[..row.len()].copy_from_slice(row);
        }
        raw::make_writable(&mut self.picture)?;
        scaler.run(&self.rgb, &mut self.picture)
    }

    /// The last converted picture, to be given its time and sent.
    pub(crate) fn picture(&mut self) -> &mut frame::Video {
        &mut self.picture
    }
}

fn rgb_scaler(source: Source, format: Pixel, size: (u32, u32)) -> Result<SendScaler, Error> {
    // At the same size only the chroma is interpolated, where bilinear looks the same in less than half the time.
    let kernel = if source.size == size { Flags::BILINEAR } else { Flags::BICUBIC };
    let flags = kernel | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
    let mut scaler = new_scaler((source.format, source.size), (format, size), flags)?;
    // Through a matrix and back by another one, RGB would change.
    let coding = if raw::is_rgb(source.format) { RGB_CODING } else { source.coding };
    raw::set_coding(&mut scaler, coding, RGB_CODING);
    Ok(scaler)
}

fn yuv_scaler(
    (from_format, to_format): (Pixel, Pixel),
    size: (u32, u32),
    matrix: color::Space,
) -> Result<SendScaler, Error> {
    let flags = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INP;
    let mut scaler = new_scaler((from_format, size), (to_format, size), flags)?;
    raw::set_coding(&mut scaler, RGB_CODING, Coding { matrix, full_range: false });
    Ok(scaler)
}

fn new_scaler(
    (from_format, from): (Pixel, (u32, u32)),
    (to_format, to): (Pixel, (u32, u32)),
    flags: Flags,
) -> Result<SendScaler, Error> {
    scaling::Context::get(from_format, from.0, from.1, to_format, to.0, to.1, flags).map(SendScaler::new)
}

/// The colour space that a stream's frames will have, from its tags.
pub(crate) fn color_space(decoder: &ffmpeg::decoder::Video) -> ColorSpace {
    let tags = ColorTags::from(raw::decoder_color_numbers(decoder));
    coding(tags.matrix, tags.range, decoder.format(), decoder.height()).1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (64, 48);

    fn picture(format: Pixel, matrix: ColorMatrix, data: Vec<u8>) -> frame::Video {
        let mut converter = YuvConverter::new(format, SIZE.0, SIZE.1, matrix).unwrap();
        converter.convert(&Frame::from_data(SIZE.0, SIZE.1, PixelFormat::Rgb8, data)).unwrap();
        converter.picture().clone()
    }

    #[test]
    fn a_flat_patch_in_nv12_has_the_value_of_its_definition() {
        // By ITU-T H.273, section 8.3, in limited range.
        for (matrix, [y, u, v]) in
            [(ColorMatrix::Bt601, [101.5, 98.5, 190.9]), (ColorMatrix::Bt709, [91.9, 105.1, 190.3])]
        {
            let pixels = (SIZE.0 * SIZE.1) as usize;
            let picture = picture(Pixel::NV12, matrix, [200, 60, 40].repeat(pixels));
            assert_eq!((picture.format(), picture.planes()), (Pixel::NV12, 2));
            let expect = |plane: usize, rows: usize, columns: &[f64]| {
                for row in picture.data(plane).chunks(picture.stride(plane)).take(rows) {
                    for (x, value) in row[..SIZE.0 as usize].iter().enumerate() {
                        let expected = columns[x % columns.len()];
                        let what =
                            format!("{matrix:?}, plane {plane}, column {x}: {value} is not {expected}");
                        assert!((f64::from(*value) - expected).abs() <= 2.0, "{what}");
                    }
                }
            };
            expect(0, SIZE.1 as usize, &[y]);
            expect(1, SIZE.1 as usize / 2, &[u, v]);
        }
    }

    #[test]
    fn nv12_is_the_planar_picture_with_its_chroma_woven() {
        let channel = |x: u32, y: u32, c: u32| (x * (3 + c) + y * (5 - c) + 40 * c) as u8;
        let pixels = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y)));
        let data: Vec<u8> = pixels.flat_map(|(x, y)| [0, 1, 2].map(|c| channel(x, y, c))).collect();
        let planar = picture(Pixel::YUV420P, ColorMatrix::Bt709, data.clone());
        let woven = picture(Pixel::NV12, ColorMatrix::Bt709, data);
        let row = |picture: &frame::Video, plane: usize, y: usize, length: usize| {
            picture.data(plane)[y * picture.stride(plane)..][..length].to_vec()
        };
        let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
        for y in 0..height {
            assert_eq!(row(&planar, 0, y, width), row(&woven, 0, y, width), "luma, row {y}");
        }
        for y in 0..height / 2 {
            let (u, v) = (row(&planar, 1, y, width / 2), row(&planar, 2, y, width / 2));
            let expected: Vec<u8> = u.into_iter().zip(v).flat_map(|(u, v)| [u, v]).collect();
            assert_eq!(expected, row(&woven, 1, y, width), "chroma, row {y}");
        }
    }
}
