//! A video file to frames.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ffmpeg::{Packet, format, frame};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Frame, FramePool, Rational, Timestamp};

use crate::{
    MediaError, VideoInfo,
    error::Result,
    geometry::Geometry,
    input::{self, Window},
    probe::open_decoder,
    raw,
    scale::RgbConverter,
    times::{DecodeClock, Place},
};

/// Which part of a video to decode, and to what size. The default is all of it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecodeOptions {
    /// Leaves out the frames before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
    /// Scales every frame to this width and height.
    pub size: Option<(u32, u32)>,
    /// Leaves out frames that come faster than this.
    pub max_frame_rate: Option<Rational>,
}

/// Reads a video file frame by frame: upright, RGB, each at its own time.
///
/// Times count from the start asked for, else from the file's beginning; they are at least 0 and strictly increase.
pub struct VideoDecoder {
    path: PathBuf,
    input: format::context::Input,
    stream_index: usize,
    decoder: ffmpeg::decoder::Video,
    decoded: frame::Video,
    converter: RgbConverter,
    clock: DecodeClock,
    geometry: Geometry,
    info: VideoInfo,
    expected_frames: Option<u64>,
    damaged_packets: u64,
    finished: bool,
}

impl VideoDecoder {
    /// Opens the video in a file.
    ///
    /// # Errors
    /// The file is missing, cannot be read, is no media file, or holds no video that can be decoded; or the start is
    /// past the video's end.
    pub fn open(path: &Path, options: &DecodeOptions) -> Result<Self> {
        crate::init();
        let mut input = input::open(path)?;
        let stream = input::video_stream(&input)
            .ok_or_else(|| MediaError::NoVideo { found: describe_streams(&input), path: path.to_owned() })?;
        let (stream_index, decoder) = (stream.index(), open_decoder(&stream, path)?);
        let info = VideoInfo::new(&input, &stream, &decoder);
        if let (Some(start), Some(length)) = (options.start, info.duration)
            && start >= length
        {
            return Err(MediaError::StartPastEnd { start, length, path: path.to_owned() });
        }

        let origin = input::origin(&input);
        for mut other in input.streams_mut().filter(|stream| stream.index() != stream_index) {
            raw::discard(&mut other);
        }
        if let Some(start) = options.start.filter(|start| !start.is_zero()) {
            input::seek_before(&mut input, origin, start, path);
        }
        let coded = (decoder.width(), decoder.height());
        let geometry = Geometry::new(coded, decoder.aspect_ratio(), info.rotation, options.size);
        let window = Window::new(origin, options.start, options.duration, info.time_base);
        Ok(Self {
            path: path.to_owned(),
            input,
            stream_index,
            decoder,
            decoded: frame::Video::empty(),
            converter: RgbConverter::new(geometry),
            clock: DecodeClock::new(window, info.time_base, options.max_frame_rate),
            geometry,
            expected_frames: expected_frames(&info, options),
            info,
            damaged_packets: 0,
            finished: false,
        })
    }

    /// What the file holds.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Width and height of the frames: those asked for, else those shown, made even.
    pub fn size(&self) -> (u32, u32) {
        self.geometry.size()
    }

    /// Whether the last column or row of an odd-sized video is left out.
    pub fn cropped(&self) -> bool {
        self.geometry.cropped()
    }

    /// How many frames there will be, as far as the file tells: exact for ordinary files, else an estimate.
    pub fn expected_frames(&self) -> Option<u64> {
        self.expected_frames
    }

    /// The clock that the frames' times are on.
    pub fn time_base(&self) -> Rational {
        self.info.time_base
    }

    /// The next frame, in a buffer of `pool`; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read on, or a picture cannot be converted. Damaged pictures in between are skipped.
    pub fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>> {
        while !self.finished {
            match self.decoder.receive_frame(&mut self.decoded) {
                Ok(()) => match self.clock.place(self.decoded.timestamp(), self.decoded_duration_ticks()) {
                    Place::At(ticks) => return self.converted(ticks, pool).map(Some),
                    Place::Nowhere => {}
                    Place::PastEnd => self.finish(),
                },
                Err(error) if is_again(error) => self.feed()?,
                Err(ffmpeg::Error::Eof) => self.finish(),
                Err(error) => self.note_damage(error),
            }
        }
        Ok(None)
    }

    fn converted(&mut self, ticks: i64, pool: &FramePool) -> Result<Frame> {
        let mut frame = self
            .converter
            .convert(&self.decoded, pool)
            .map_err(|source| MediaError::Convert { path: self.path.clone(), source })?;
        frame.timestamp = Timestamp::new(ticks, self.info.time_base);
        frame.duration_ticks = self.decoded_duration_ticks();
        Ok(frame)
    }

    fn decoded_duration_ticks(&self) -> Option<i64> {
        Some(self.decoded.packet().duration).filter(|ticks| *ticks > 0)
    }

    /// Gives the decoder the next packet of the video, or tells it that there are no more.
    fn feed(&mut self) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            let fed = match packet.read(&mut self.input) {
                Ok(()) if packet.stream() != self.stream_index => continue,
                Ok(()) => self.decoder.send_packet(&packet),
                Err(ffmpeg::Error::Eof) => self.decoder.send_eof(),
                Err(source) => return Err(MediaError::Read { path: self.path.clone(), source }),
            };
            if let Err(error) = fed {
                self.note_damage(error);
            }
            return Ok(());
        }
    }

    fn note_damage(&mut self, error: ffmpeg::Error) {
        if self.damaged_packets == 0 {
            log::warn!(
                "the video is damaged ({error}); what cannot be decoded is skipped: {}",
                self.path.display()
            );
        }
        self.damaged_packets += 1;
    }

    fn finish(&mut self) {
        self.finished = true;
        if self.damaged_packets > 0 {
            log::warn!("{} damaged pieces were skipped: {}", self.damaged_packets, self.path.display());
        }
    }
}

/// Whether FFmpeg only asks for more input (or room for output) first.
pub(crate) fn is_again(error: ffmpeg::Error) -> bool {
    error == ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }
}

fn describe_streams(input: &format::context::Input) -> String {
    match input::audio_stream(input) {
        Some(stream) => format!("sound ({})", stream.parameters().id().name()),
        None => "other data".to_owned(),
    }
}

/// The container's count for a whole video, else the length times the rate.
fn expected_frames(info: &VideoInfo, options: &DecodeOptions) -> Option<u64> {
    let thinned = match (options.max_frame_rate, info.frame_rate) {
        (Some(limit), Some(rate)) => limit.as_f64() < rate.as_f64(),
        _ => false,
    };
    if options.start.is_none() && options.duration.is_none() && !thinned && info.frame_count.is_some() {
        return info.frame_count;
    }
    let left = info.duration.map(|length| length.saturating_sub(options.start.unwrap_or_default()));
    let length = match (left, options.duration) {
        (Some(left), Some(asked)) => left.min(asked),
        (left, asked) => left.or(asked)?,
    };
    let rate = if thinned { options.max_frame_rate } else { info.frame_rate }?;
    // A frame counts when it starts inside; the slack forgives the rounding of the length to microseconds.
    Some((length.as_secs_f64() * rate.as_f64() - 1e-3).ceil().max(0.0) as u64)
}
