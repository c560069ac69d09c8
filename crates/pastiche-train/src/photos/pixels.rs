//! Between picture files, RGB8 pixels and tensors.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};
use image::{ImageDecoder, ImageReader, RgbImage};

use crate::{TrainError, config::MIN_SIDE};

/// Reads a picture upright as RGB8.
///
/// # Errors
/// The file cannot be read or is no picture.
pub fn open_rgb(path: &Path) -> Result<RgbImage, TrainError> {
    let failed = |source| TrainError::Picture { source, path: path.to_owned() };
    let reader = ImageReader::open(path).map_err(|source| failed(source.into()))?;
    let reader = reader.with_guessed_format().map_err(|source| failed(source.into()))?;
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let orientation = decoder.orientation().map_err(failed)?;
    let mut picture = image::DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Reads a picture and brings its shorter side to `size` pixels, without enlarging it.
///
/// # Errors
/// The file cannot be read, or the picture has fewer than 32 pixels on its shorter side.
pub fn open_reduced(path: &Path, size: u32) -> Result<RgbImage, TrainError> {
    let picture = open_rgb(path)?;
    let (width, height) = picture.dimensions();
    let shorter = width.min(height);
    if shorter < MIN_SIDE {
        return Err(TrainError::PictureTooSmall { width, height, least: MIN_SIDE, path: path.to_owned() });
    }
    if shorter < size {
        log::warn!("a picture has {shorter} pixels on its shorter side, not {size}: {}", path.display());
    }
    reduced(&picture, size)
}

/// A rectangle of a picture, `left`, `top`, `width`, `height`, resized to `to` (width, height).
pub(super) fn resized_part(
    picture: &RgbImage,
    [left, top, width, height]: [f64; 4],
    to: (u32, u32),
) -> Result<RgbImage, TrainError> {
    // Rounding may have put the far edge a hair outside.
    let width = width.min(f64::from(picture.width()) - left);
    let height = height.min(f64::from(picture.height()) - top);
    let options = ResizeOptions::new()
        .crop(left, top, width, height)
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut result = RgbImage::new(to.0, to.1);
    let failed = |reason: String| TrainError::Resize { reason };
    let source = TypedImageRef::<U8x3>::from_buffer(picture.width(), picture.height(), picture.as_raw())
        .map_err(|error| failed(error.to_string()))?;
    let mut target = TypedImage::<U8x3>::from_buffer(to.0, to.1, result.as_mut())
        .map_err(|error| failed(error.to_string()))?;
    // Not `resize`, which would compile the kernels of every kind of pixel.
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| failed(error.to_string()))?;
    Ok(result)
}

/// The whole picture in another size (width, height).
///
/// # Errors
/// A side is 0.
pub fn resized(picture: &RgbImage, to: (u32, u32)) -> Result<RgbImage, TrainError> {
    let (width, height) = picture.dimensions();
    resized_part(picture, [0.0, 0.0, width.into(), height.into()], to)
}

/// The picture with its shorter side reduced to `size` pixels, or as it is where that is shorter.
fn reduced(picture: &RgbImage, size: u32) -> Result<RgbImage, TrainError> {
    let (width, height) = picture.dimensions();
    let shorter = width.min(height);
    let scale = f64::from(size.min(shorter)) / f64::from(shorter);
    let side = |side: u32| (f64::from(side) * scale).round() as u32;
    resized(picture, (side(width), side(height)))
}

/// The largest square in the middle of a picture, as `side` x `side` pixels.
///
/// # Errors
/// A side is 0.
pub fn centre_square(picture: &RgbImage, side: u32) -> Result<RgbImage, TrainError> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let shorter = width.min(height);
    let part = [(width - shorter) / 2.0, (height - shorter) / 2.0, shorter, shorter];
    resized_part(picture, part, (side, side))
}

/// A picture as planes (1, 3, H, W) on 0-255.
///
/// # Errors
/// The device has no memory left.
pub fn tensor_from_picture(picture: &RgbImage, device: &Device) -> candle_core::Result<Tensor> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = Tensor::from_slice(picture.as_raw(), (height, width, 3), &Device::Cpu)?;
    pixels.permute((2, 0, 1))?.to_dtype(DType::F32)?.contiguous()?.unsqueeze(0)?.to_device(device)
}

/// The first picture of planes (N, 3, H, W) on 0-255, rounded and clamped.
///
/// # Errors
/// The tensor has another shape.
pub fn picture_from_tensor(planes: &Tensor) -> candle_core::Result<RgbImage> {
    let (_, _, height, width) = planes.dims4()?;
    let pixels = planes.get(0)?.permute((1, 2, 0))?.round()?.clamp(0.0, 255.0)?;
    let bytes = pixels.to_dtype(DType::U8)?.flatten_all()?.to_vec1()?;
    RgbImage::from_raw(width as u32, height as u32, bytes)
        .ok_or_else(|| candle_core::Error::Msg(format!("no RGB picture: {:?}", planes.dims())))
}

/// Pictures side by side, their upper edges in line.
pub fn side_by_side(pictures: &[RgbImage]) -> RgbImage {
    let width = pictures.iter().map(RgbImage::width).sum();
    let height = pictures.iter().map(RgbImage::height).max().unwrap_or(0);
    let mut sheet = RgbImage::new(width, height);
    let mut left = 0;
    for picture in pictures {
        image::imageops::replace(&mut sheet, picture, left.into(), 0);
        left += picture.width();
    }
    sheet
}

/// Pictures one below the other, their left edges in line.
pub fn one_below_the_other(pictures: &[RgbImage]) -> RgbImage {
    let width = pictures.iter().map(RgbImage::width).max().unwrap_or(0);
    let height = pictures.iter().map(RgbImage::height).sum();
    let mut sheet = RgbImage::new(width, height);
    let mut top = 0;
    for picture in pictures {
        image::imageops::replace(&mut sheet, picture, 0, top.into());
        top += picture.height();
    }
    sheet
}
