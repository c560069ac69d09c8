//! The clip as a file: every frame, and the sound under it.

use std::{fs::File, io::BufWriter, path::Path};

use anyhow::Context;
use pastiche_frame::{ColorSpace, Frame, PixelFormat, Rational, Timestamp};
use pastiche_media::{AudioMode, AudioRequest, EncodeOptions, EncodeSummary, VideoEncoder};

use crate::camera::CLIP_S;
use crate::film;
use crate::scene::Harbour;
use crate::{sound, wav};

pub(crate) const WIDTH: u32 = 640;
pub(crate) const HEIGHT: u32 = 480;
const FRAMES_PER_S: i32 = 25;
/// Constant quality on x264's scale: glitter costs bits, and this keeps the clip near one and a half megabytes.
const CRF: u8 = 23;

/// Renders the clip into `path`, and calls `after_frame` with the number of frames done and of all.
pub(crate) fn render(path: &Path, mut after_frame: impl FnMut(i64, i64)) -> anyhow::Result<EncodeSummary> {
    let sound_file = tempfile::Builder::new().suffix(".wav").tempfile().context("no place for the sound")?;
    let sound = BufWriter::new(File::create(sound_file.path())?);
    wav::write_stereo(sound, sound::SAMPLE_RATE_HZ, &sound::soundtrack(CLIP_S))
        .context("cannot write the sound")?;
    let frame_rate = Rational::new(FRAMES_PER_S, 1)?;
    let color_space = ColorSpace::guess_from_height(HEIGHT);
    let options = EncodeOptions {
        width: WIDTH,
        height: HEIGHT,
        time_base: frame_rate.recip(),
        frame_rate: Some(frame_rate),
        constant_frame_rate: None,
        color_space,
        encoder: None,
        crf: Some(CRF),
        preset: Some("slow".to_owned()),
        audio: Some(AudioRequest {
            source: sound_file.path().to_owned(),
            mode: AudioMode::Aac,
            start: None,
            duration: None,
        }),
    };
    let mut encoder = VideoEncoder::create(path, &options)?;
    let harbour = Harbour::new();
    let frames = (CLIP_S * FRAMES_PER_S as f32).round() as i64;
    for index in 0..frames {
        let pixels = film::frame(&harbour, WIDTH, HEIGHT, index as f32 / FRAMES_PER_S as f32);
        let mut frame = Frame::from_data(WIDTH, HEIGHT, PixelFormat::Rgb8, pixels);
        frame.timestamp = Timestamp::new(index, frame_rate.recip());
        frame.color_space = color_space;
        encoder.write(&frame)?;
        after_frame(index + 1, frames);
    }
    Ok(encoder.finish()?)
}
