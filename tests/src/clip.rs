//! Clips and photographs: made for tests, and read back.

use std::path::Path;

use pastiche_frame::{ColorSpace, Frame, FramePool, PixelFormat, Rational, Timestamp};
use pastiche_media::{DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder, write_image};

/// A silent clip to make.
#[derive(Debug, Clone, Copy)]
pub struct Clip {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How many frames.
    pub frames: u32,
    /// Frames a second.
    pub frames_per_second: i32,
}

/// What came out of a video.
#[derive(Debug)]
pub struct Decoded {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// When each frame is shown, in seconds.
    pub times: Vec<f64>,
    /// The first frame's pixels.
    pub first: Vec<u8>,
}

/// Writes a clip of a bright disc that moves over a slope.
pub fn write_clip(path: &Path, clip: Clip) {
    let rate = Rational::new(clip.frames_per_second, 1).unwrap();
    let options = EncodeOptions {
        width: clip.width,
        height: clip.height,
        time_base: rate.recip(),
        frame_rate: Some(rate),
        constant_frame_rate: None,
        color_space: ColorSpace::guess_from_height(clip.height),
        encoder: None,
        crf: None,
        preset: None,
        audio: None,
    };
    let mut encoder = VideoEncoder::create(path, &options).unwrap();
    let pool = FramePool::new(1);
    for index in 0..clip.frames {
        let mut frame = pool.take(clip.width, clip.height, PixelFormat::Rgb8);
        paint(&mut frame, index);
        frame.timestamp = Timestamp::new(i64::from(index), rate.recip());
        encoder.write(&frame).unwrap();
    }
    encoder.finish().unwrap();
}

/// Writes a still of the same scene.
pub fn write_photo(path: &Path, width: u32, height: u32) {
    let mut photo = FramePool::new(1).take(width, height, PixelFormat::Rgb8);
    paint(&mut photo, 0);
    write_image(path, &photo).unwrap();
}

fn paint(frame: &mut Frame, index: u32) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let center_x = (width / 4 + 2 * index as usize) % width;
    for (y, row) in frame.rows_mut().enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let inside = x.abs_diff(center_x).pow(2) + y.abs_diff(height / 2).pow(2) < (height / 4).pow(2);
            let slope = [(x * 160 / width) as u8, (y * 160 / height) as u8, 60];
            pixel.copy_from_slice(if inside { &[250, 240, 90] } else { &slope });
        }
    }
}

/// Decodes a whole video; every frame must decode.
pub fn decode(path: &Path) -> Decoded {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let (width, height) = decoder.size();
    let mut decoded = Decoded { width, height, times: Vec::new(), first: Vec::new() };
    let pool = FramePool::new(1);
    while let Some(frame) = decoder.next_frame(&pool).unwrap() {
        if decoded.times.is_empty() {
            decoded.first = frame.data().to_vec();
        }
        decoded.times.push(frame.timestamp.as_secs_f64());
    }
    decoded
}

/// The mean absolute difference of two pictures' bytes.
pub fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}
