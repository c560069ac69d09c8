//! The edge to video files: reading, writing and probing them through FFmpeg, and stills through `image`.
//!
//! Start with [`probe`] to see what a file holds, [`VideoDecoder`] to read its frames, [`VideoEncoder`] to write one
//! with the source's sound, [`read_image`] and [`write_image`] for stills. No other crate names FFmpeg.
//!
//! ```no_run
//! use std::path::Path;
//! use pastiche_frame::FramePool;
//! use pastiche_media::{AudioMode, AudioRequest, DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder};
//!
//! let source = Path::new("in.mp4");
//! let mut decoder = VideoDecoder::open(source, &DecodeOptions::default())?;
//! let (width, height) = decoder.size();
//! let mut encoder = VideoEncoder::create(Path::new("out.mp4"), &EncodeOptions {
//!     width,
//!     height,
//!     time_base: decoder.time_base(),
//!     frame_rate: decoder.info().frame_rate,
//!     constant_frame_rate: None,
//!     color_space: decoder.info().color_space,
//!     encoder: None,
//!     crf: None,
//!     preset: None,
//!     audio: Some(AudioRequest { source: source.to_owned(), mode: AudioMode::Copy, start: None, duration: None }),
//! })?;
//! let pool = FramePool::new(4);
//! while let Some(frame) = decoder.next_frame(&pool)? {
//!     encoder.write(&frame)?;
//! }
//! let summary = encoder.finish()?;
//! println!("{} frames, {} bytes", summary.frames, summary.bytes);
//! # Ok::<(), pastiche_media::MediaError>(())
//! ```
//!
//! Invariants: frames are RGB with even sides, upright, in order, their times strictly increasing from the start
//! asked for; pictures and sound count time from the same origin, the file's first picture or sound; an output
//! appears under its name only when it is whole.

use std::sync::Once;

mod animation;
mod audio;
mod camera;
mod color;
mod color_profile;
mod container;
mod damage;
mod decode;
mod deinterlace;
mod demuxer_log;
mod discontinuities;
mod encode;
mod encoders;
mod ending;
mod error;
mod extras;
mod geometry;
mod hardware;
mod input;
mod join;
mod jpeg;
mod microphone;
mod movie;
mod mux;
mod nvdec;
mod output_file;
mod packets;
mod partial_file;
mod pictures;
mod probe;
mod raw;
mod rgb_pictures;
mod scale;
mod sequence;
mod source;
mod still;
mod subtitle_text;
mod subtitles;
mod times;
mod tone;
mod vaapi;
mod virtual_camera;

pub use audio::{AudioMode, AudioOutcome, AudioRequest};
pub use camera::{Camera, CameraChoice, CameraEvent, CameraInfo, CameraMode, CameraOptions, list_cameras};
pub use damage::{Damage, SoundDamage};
pub use decode::{DecodeOptions, SkippedFrame, VideoDecoder};
pub use encode::{EncodeOptions, EncodeSummary, EncoderClock, VideoEncoder};
pub use encoders::{EncoderInfo, available_encoders};
pub use error::MediaError;
pub use extras::Extras;
pub use join::{JoinOptions, VideoPart, join_parts};
pub use microphone::{
    Microphone, MicrophoneChoice, MicrophoneEvent, MicrophoneInfo, Sound, list_microphones,
};
pub use nvdec::HardwareDecoding;
pub use partial_file::remove_unfinished;
pub use probe::{AudioInfo, MediaInfo, VideoInfo, probe};
pub use sequence::{PictureSequence, SEQUENCE_RATE, is_picture_sequence};
pub use still::{IMAGE_ENDINGS, is_read_image, is_written_image, read_image, write_image};
pub use virtual_camera::VirtualCamera;

/// The longest side that is encoded: H.264's limit at its highest levels.
pub const MAX_SIDE: u32 = 16_384;

/// Some decoders call a damaged picture fatal.
const QUIET: ffmpeg_next::log::Level = ffmpeg_next::log::Level::Panic;

/// Registers FFmpeg's error texts and silences its own messages, which would tear a progress bar; once.
fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = ffmpeg_next::init() {
            log::error!("FFmpeg could not be set up: {error}");
        }
        ffmpeg_next::log::set_level(QUIET);
        demuxer_log::attach();
    });
}

/// Whether FFmpeg and its encoders print their own messages to standard error; they do not unless asked.
pub fn show_ffmpeg_messages(show: bool) {
    use ffmpeg_next::log::Level;
    init();
    ffmpeg_next::log::set_level(if show { Level::Info } else { QUIET });
}
