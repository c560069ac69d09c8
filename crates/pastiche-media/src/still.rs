//! Still pictures: PNG, JPEG, WebP, TIFF and BMP are read, PNG and JPEG written.

use std::{
    fs::File,
    io::{BufReader, BufWriter, IntoInnerError},
    path::Path,
};

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader,
    Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    error::DecodingError,
};
use pastiche_frame::{ColorMatrix, ColorRange, ColorSpace, Frame, PixelFormat};

use crate::{
    MAX_SIDE, MediaError, color_profile::to_srgb, error::Result, input::check_readable, jpeg,
    output_file::sync, partial_file::PartialFile,
};

/// Of 100: no loss that is seen, at a third of the size of 100.
const JPEG_QUALITY: u8 = 92;

/// Bytes of the largest picture that is read, as wide and high as any and with 16 bits a channel.
const MAX_BYTES: u64 = MAX_SIDE as u64 * MAX_SIDE as u64 * 8;

/// The endings of the names of pictures that are read, in lower case.
pub const IMAGE_ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp"];

/// Reads a picture of one of the [`IMAGE_ENDINGS`]' kinds as an RGB frame, upright as its EXIF data asks, in sRGB where an ICC
/// profile says what its colours are, transparent parts over black.
///
/// # Errors
/// The file is missing or cannot be read, or is of another kind, or is damaged.
pub fn read_image(path: &Path) -> Result<Frame> {
    check_readable(path)?;
    let (picture, profile) = decode(path).map_err(|source| match source {
        ImageError::Limits(_) => MediaError::ImageTooLarge { path: path.to_owned() },
        source => MediaError::ImageRead { path: path.to_owned(), source },
    })?;
    let (width, height) = (picture.width(), picture.height());
    let mut pixels = rgb_over_black(picture);
    if let Some(Err(error)) = profile.map(|profile| to_srgb(&mut pixels, &profile)) {
        log::warn!(
            "its ICC profile is of no use ({error}), its colours are taken for sRGB: {}",
            path.display()
        );
    }
    let mut frame = Frame::from_data(width, height, PixelFormat::Rgb8, pixels);
    frame.color_space = ColorSpace { matrix: ColorMatrix::Bt601, range: ColorRange::Full };
    Ok(frame)
}

/// The picture, upright, and its ICC profile.
fn decode(path: &Path) -> Result<(DynamicImage, Option<Vec<u8>>), ImageError> {
    // By its contents: pictures with the wrong ending are common.
    let reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg::is_whole(&mut BufReader::new(File::open(path)?))?
    {
        let reason = "it breaks off before its end";
        return Err(ImageError::Decoding(DecodingError::new(ImageFormat::Jpeg.into(), reason)));
    }
    let mut decoder = reader.into_decoder()?;
    // A header of a few bytes can claim any size; an allocation that fails would end the program.
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let (width, height) = decoder.dimensions();
    limits.check_dimensions(width, height)?;
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    let orientation = decoder.orientation()?;
    let profile = decoder.icc_profile()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok((picture, profile))
}

fn rgb_over_black(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_rgb8().into_raw();
    }
    let scaled = |value: u8, alpha: u8| ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8;
    picture
        .into_rgba8()
        .pixels()
        .flat_map(|pixel| {
            let [red, green, blue, alpha] = pixel.0;
            [red, green, blue].map(|value| scaled(value, alpha))
        })
        .collect()
}

/// Writes an RGB frame as PNG or JPEG, as the name's ending says; the file appears when it is whole.
///
/// # Errors
/// The ending is another one, or the file cannot be written.
pub fn write_image(path: &Path, frame: &Frame) -> Result<()> {
    write(path, frame).map(drop)
}

/// As [`write_image`]; the file's length in bytes.
pub(crate) fn write(path: &Path, frame: &Frame) -> Result<u64> {
    let kind = Kind::of(path)?;
    let file = PartialFile::create(path)?;
    encode(file.path(), kind, frame).map_err(|error| match error {
        ImageError::IoError(source) => MediaError::Drive { path: path.to_owned(), source },
        source => MediaError::ImageWrite { path: path.to_owned(), source },
    })?;
    file.keep()
}

/// What pictures are written as.
pub(crate) enum Kind {
    Png,
    Jpeg,
}

impl Kind {
    /// What people call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }

    /// As a name's ending says.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            _ => Err(MediaError::OutputKind { supported: ".png, .jpg or .jpeg", path: path.to_owned() }),
        }
    }
}

/// Whether [`read_image`] reads files of this name.
pub fn is_read_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    IMAGE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

/// Whether [`write_image`] writes files of this name.
pub fn is_written_image(path: &Path) -> bool {
    Kind::of(path).is_ok()
}

fn encode(path: &Path, kind: Kind, frame: &Frame) -> Result<(), ImageError> {
    let mut file = BufWriter::new(File::create(path)?);
    let color = match frame.format() {
        PixelFormat::Rgb8 => ExtendedColorType::Rgb8,
        PixelFormat::Rgba8 => ExtendedColorType::Rgba8,
    };
    let (data, width, height) = (frame.data(), frame.width(), frame.height());
    match kind {
        Kind::Png => PngEncoder::new(&mut file).write_image(data, width, height, color)?,
        Kind::Jpeg => {
            JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(data, width, height, color)?;
        }
    }
    let file = file.into_inner().map_err(IntoInnerError::into_error)?;
    sync(&file)?;
    Ok(())
}
