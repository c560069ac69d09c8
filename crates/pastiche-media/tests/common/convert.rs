//! Decoding and encoding as a job does, without painting in between.

use std::path::Path;

use ffmpeg::{Packet, format, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::FramePool;
use pastiche_media::{
    AudioMode, AudioOutcome, AudioRequest, DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder,
};

/// Decodes and encodes a file as a job does.
pub(crate) fn convert(source: &Path, output: &Path, mode: AudioMode, part: &DecodeOptions) -> AudioOutcome {
    let mut decoder = VideoDecoder::open(source, part).unwrap();
    let (width, height) = decoder.size();
    let audio = AudioRequest { source: source.to_owned(), mode, start: part.start, duration: part.duration };
    let options = EncodeOptions {
        time_base: decoder.time_base(),
        frame_rate: decoder.info().frame_rate,
        color_space: decoder.info().color_space,
        crf: Some(20),
        audio: Some(audio),
        ..super::options(width, height)
    };
    let mut encoder = VideoEncoder::create(output, &options).unwrap();
    let pool = FramePool::new(2);
    while let Some(frame) = decoder.next_frame(&pool).unwrap() {
        encoder.write(&frame).unwrap();
    }
    let outcome = encoder.audio().clone();
    encoder.finish().unwrap();
    outcome
}

/// When the file's pictures are shown by its packets, in seconds from the first picture or sound, in order.
pub(crate) fn picture_times(path: &Path) -> Vec<f64> {
    let mut input = format::input(path).unwrap();
    let stream = input.streams().best(media::Type::Video).unwrap();
    let (index, time_base) = (stream.index(), f64::from(stream.time_base()));
    let start = |kind| {
        let stream = input.streams().best(kind)?;
        Some(stream.start_time() as f64 * f64::from(stream.time_base()))
    };
    let origin =
        [media::Type::Video, media::Type::Audio].into_iter().filter_map(start).fold(f64::MAX, f64::min);
    let mut times = Vec::new();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            times.sort_by(f64::total_cmp);
            return times;
        }
        let shown = !packet.flags().contains(ffmpeg::codec::packet::Flags::from_bits_retain(DISCARD));
        if packet.stream() == index && shown {
            times.push(packet.pts().unwrap() as f64 * time_base - origin);
        }
    }
}

/// Set on pictures that an edit list hides.
const DISCARD: i32 = ffmpeg::ffi::AV_PKT_FLAG_DISCARD;
