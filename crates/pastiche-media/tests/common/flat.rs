//! Videos of one colour in a given coding, written and read without the crate under test.

use std::path::Path;

use ffmpeg::{Packet, codec, color, encoder, format, format::Pixel, frame, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::ColorMatrix;

/// How a fixture is coded and tagged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coding {
    pub(crate) matrix: color::Space,
    pub(crate) range: color::Range,
}

/// How light is tagged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LightTags {
    pub(crate) primaries: color::Primaries,
    pub(crate) transfer: color::TransferCharacteristic,
}

/// One lossless 4:2:0 picture of this Y'CbCr value all over, in Matroska.
pub(crate) fn write_flat(path: &Path, size: (u32, u32), yuv: [u8; 3], coding: Coding) {
    let light = LightTags {
        primaries: color::Primaries::Unspecified,
        transfer: color::TransferCharacteristic::Unspecified,
    };
    write_flat_as(path, size, Pixel::YUV420P, yuv.map(u16::from), coding, light);
}

/// As [`write_flat`], in any planar Y'CbCr format; values over 8 bits take two bytes.
pub(crate) fn write_flat_as(
    path: &Path,
    size: (u32, u32),
    pixel_format: Pixel,
    yuv: [u16; 3],
    coding: Coding,
    light: LightTags,
) {
    let mut picture = frame::Video::new(pixel_format, size.0, size.1);
    // The formats' names end in their depth where it is not 8: `yuv420p10le`.
    let wide = pixel_format.descriptor().unwrap().name().ends_with("le");
    for (plane, value) in yuv.into_iter().enumerate() {
        if wide {
            for sample in picture.data_mut(plane).chunks_exact_mut(2) {
                sample.copy_from_slice(&value.to_le_bytes());
            }
        } else {
            picture.data_mut(plane).fill(value as u8);
        }
    }
    picture.set_pts(Some(0));

    let codec = encoder::find_by_name("ffv1").unwrap();
    let mut video = codec::Context::new_with_codec(codec).encoder().video().unwrap();
    video.set_width(size.0);
    video.set_height(size.1);
    video.set_format(pixel_format);
    video.set_time_base(ffmpeg::Rational::new(1, 25));
    video.set_colorspace(coding.matrix);
    video.set_color_range(coding.range);
    video.set_color_primaries(light.primaries);
    video.set_color_transfer_characteristic(light.transfer);
    let mut encoder = video.open_as(codec).unwrap();

    let mut output = format::output_as(path, "matroska").unwrap();
    output.add_stream_with(&encoder).unwrap().set_time_base(ffmpeg::Rational::new(1, 25));
    output.write_header().unwrap();
    encoder.send_frame(&picture).unwrap();
    encoder.send_eof().unwrap();
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        packet.set_stream(0);
        packet.rescale_ts(ffmpeg::Rational::new(1, 25), output.stream(0).unwrap().time_base());
        packet.write_interleaved(&mut output).unwrap();
    }
    output.write_trailer().unwrap();
}

/// The first picture of a video as it is coded, with its tags.
pub(crate) fn first_picture(path: &Path) -> frame::Video {
    let mut input = format::input(path).unwrap();
    let stream = input.streams().best(media::Type::Video).unwrap();
    let index = stream.index();
    let mut decoder =
        codec::Context::from_parameters(stream.parameters()).unwrap().decoder().video().unwrap();
    let mut picture = frame::Video::empty();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            decoder.send_eof().unwrap();
        } else if packet.stream() == index {
            decoder.send_packet(&packet).unwrap();
        }
        if decoder.receive_frame(&mut picture).is_ok() {
            return picture;
        }
    }
}

/// Y'CbCr of an RGB colour by the definition in ITU-T H.273, section 8.3.
pub(crate) fn yuv_from_rgb(rgb: [u8; 3], matrix: ColorMatrix, full_range: bool) -> [f64; 3] {
    let (kr, kb) = match matrix {
        ColorMatrix::Bt601 => (0.299, 0.114),
        ColorMatrix::Bt709 => (0.2126, 0.0722),
    };
    let [r, g, b] = rgb.map(|value| f64::from(value) / 255.0);
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
    if full_range {
        [255.0 * y, 255.0 * u + 128.0, 255.0 * v + 128.0]
    } else {
        [219.0 * y + 16.0, 224.0 * u + 128.0, 224.0 * v + 128.0]
    }
}
