//! Still pictures through files and back.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::{fs, path::Path};

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};
use pastiche_frame::{ColorMatrix, ColorRange, Frame, PixelFormat};
use pastiche_media::{MediaError, read_image, write_image};

/// A smooth picture, so that JPEG keeps it.
fn gradient(width: u32, height: u32) -> Frame {
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 * 4, y as u8 * 4, 128]));
    Frame::from_data(width, height, PixelFormat::Rgb8, pixels.collect())
}

#[test]
fn png_is_exact_and_jpeg_is_close() {
    let folder = tempfile::tempdir().unwrap();
    let picture = gradient(50, 33);
    for (name, tolerance) in [("a.png", 0), ("a.JPG", 12), ("a.jpeg", 12)] {
        let path = folder.path().join(name);
        write_image(&path, &picture).unwrap();
        let read = read_image(&path).unwrap();
        assert_eq!((read.width(), read.height(), read.format()), (50, 33, PixelFormat::Rgb8));
        assert_eq!((read.color_space.matrix, read.color_space.range), (ColorMatrix::Bt601, ColorRange::Full));
        let worst = read.data().iter().zip(picture.data()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(tolerance), "{name} is off by {worst:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "a .part file is left");
}

#[test]
fn transparent_parts_are_over_black() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alpha.png");
    let pixels = [200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 0];
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels, 3, 1, ExtendedColorType::Rgba8).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(read_image(&path).unwrap().data(), [200, 100, 50, 100, 50, 25, 0, 0, 0]);
}

#[test]
fn a_photograph_is_turned_as_its_exif_data_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.jpg");
    // Big-endian TIFF header, one entry: orientation (0x0112), short, 6: "turn a quarter to the right".
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let picture = gradient(50, 33);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.write_image(picture.data(), 50, 33, ExtendedColorType::Rgb8).unwrap();
    fs::write(&path, bytes).unwrap();
    let read = read_image(&path).unwrap();
    assert_eq!((read.width(), read.height()), (33, 50));
    // The first row shown is the first column stored, from the bottom: green falls, red stays low.
    assert!(read.data()[1] > 110 && read.data()[0] < 20, "{:?}", &read.data()[..3]);
}

#[test]
fn what_is_no_picture_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.png");
    fs::write(&text, "no picture").unwrap();
    assert!(matches!(read_image(&text), Err(MediaError::ImageRead { .. })));
    assert!(matches!(read_image(Path::new("missing.png")), Err(MediaError::InputMissing { .. })));
    let picture = gradient(8, 8);
    let gif = folder.path().join("a.gif");
    assert!(matches!(write_image(&gif, &picture), Err(MediaError::OutputKind { .. })));
    let missing = folder.path().join("missing").join("a.png");
    assert!(matches!(write_image(&missing, &picture), Err(MediaError::OutputFolderMissing { .. })));
}
