//! Still pictures through files and back.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{fs, path::Path};

use common::{cli::ffmpeg, cmyk::cmyk_jpeg};
use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};
use pastiche_frame::{ColorMatrix, ColorRange, Frame, PixelFormat};
use pastiche_media::{IMAGE_ENDINGS, MediaError, read_image, write_image};

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
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "an unfinished file is left");
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

#[test]
fn every_kind_of_picture_is_read_in_its_colours() {
    let folder = tempfile::tempdir().unwrap();
    let mut endings = Vec::new();
    for (name, coding, tolerance) in [
        ("a.png", "-pix_fmt rgb24", 0),
        ("b.png", "-pix_fmt rgb48be", 1),
        ("c.png", "-pix_fmt pal8", 0),
        ("d.jpg", "-pix_fmt yuvj444p -q:v 1", 3),
        ("e.jpeg", "-pix_fmt yuvj420p -q:v 1", 3),
        ("f.webp", "-c:v libwebp -lossless 1 -pix_fmt bgra", 0),
        ("g.webp", "-c:v libwebp -quality 95 -pix_fmt yuv420p", 4),
        ("h.tif", "-pix_fmt rgb24", 0),
        ("i.tiff", "-pix_fmt rgb48le", 1),
        ("j.bmp", "-pix_fmt bgr24", 0),
    ] {
        let palette = if coding.contains("pal8") {
            ",split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse"
        } else {
            ""
        };
        // Through 16 bits nowhere but where they are asked for: the program's own way there would change the colours.
        let depth = if coding.contains("48") { "format=gbrp16le" } else { "format=gbrp" };
        let source = format!("color=0xc83c28:s=40x24:d=0.04,{depth}{palette}");
        ffmpeg(folder.path(), &format!("-filter_complex {source} -frames:v 1 {coding} {name}"));
        let picture = read_image(&folder.path().join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (40, 24), "{name}");
        for (channel, expected) in picture.data().iter().zip([200, 60, 40].iter().cycle()) {
            assert!(channel.abs_diff(*expected) <= tolerance, "{name}: {:?}", &picture.data()[..3]);
        }
        endings.push(name.split_once('.').unwrap().1);
    }
    assert!(IMAGE_ENDINGS.iter().all(|ending| endings.contains(ending)), "{endings:?}");
}

#[test]
fn a_printer_s_jpeg_is_read_as_the_colours_of_its_inks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("print.jpg");
    for (stored, expected) in [([200, 60, 40, 255], [200, 60, 40]), ([200, 60, 40, 128], [100, 30, 20])] {
        fs::write(&path, cmyk_jpeg(stored)).unwrap();
        let picture = read_image(&path).unwrap();
        assert_eq!((picture.width(), picture.height()), (8, 8));
        for (channel, expected) in picture.data().iter().zip(expected.iter().cycle()) {
            assert!(channel.abs_diff(*expected) <= 2, "{stored:?}: {:?}", &picture.data()[..3]);
        }
    }
}

#[test]
fn every_exif_orientation_is_made_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.jpg");
    // What the four corners hold, row by row, once it is upright, by the standard's description of where the stored
    // picture's first row and first column are.
    for (orientation, corners) in [
        (1, [0, 1, 2, 3]),
        (2, [1, 0, 3, 2]),
        (3, [3, 2, 1, 0]),
        (4, [2, 3, 0, 1]),
        (5, [0, 2, 1, 3]),
        (6, [2, 0, 3, 1]),
        (7, [3, 1, 2, 0]),
        (8, [1, 3, 0, 2]),
    ] {
        let colors = [[220, 30, 30], [30, 200, 30], [30, 30, 220], [230, 230, 230]];
        let (width, height) = (48, 32);
        let pixels: Vec<u8> = (0..height)
            .flat_map(|y| {
                (0..width)
                    .flat_map(move |x| colors[usize::from(y >= height / 2) * 2 + usize::from(x >= width / 2)])
            })
            .collect();
        let exif =
            [&b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], b"\0\0\0\0\0\0"]
                .concat();
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&pixels, width, height, ExtendedColorType::Rgb8).unwrap();
        fs::write(&path, bytes).unwrap();
        let picture = read_image(&path).unwrap();
        let (turned_width, turned_height) = if orientation > 4 { (32, 48) } else { (48, 32) };
        assert_eq!(
            (picture.width(), picture.height()),
            (turned_width, turned_height),
            "orientation {orientation}"
        );
        let seen = [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| {
            let at = ((turned_height * y / 4) * turned_width + turned_width * x / 4) as usize * 3;
            let near = |color: &[u8; 3]| {
                picture.data()[at..at + 3].iter().zip(color).all(|(a, b)| a.abs_diff(*b) < 12)
            };
            colors.iter().position(near).unwrap()
        });
        assert_eq!(seen, corners, "orientation {orientation}");
    }
}

/// A header of a few bytes can claim more than any memory holds.
#[test]
fn a_picture_that_claims_a_monstrous_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monster.bmp");
    let mut bytes = b"BM".to_vec();
    let words: [u32; 13] = [54, 0, 54, 40, 60_000, 60_000, 24 << 16 | 1, 0, 0, 0, 0, 0, 0];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    fs::write(&path, bytes).unwrap();
    let error = read_image(&path).unwrap_err();
    let MediaError::ImageTooLarge { .. } = error else { panic!("{error}") };
}
