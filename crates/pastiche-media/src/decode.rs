//! A video, a file or numbered pictures, to frames.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ffmpeg_next as ffmpeg;
use pastiche_frame::{Frame, FramePool, Rational, Timestamp};

use crate::{
    MediaError, VideoInfo, demuxer_log,
    error::Result,
    geometry::Geometry,
    input::{self, Window},
    pictures::PictureReader,
    probe::{open_decoder, pixel_aspect},
    raw,
    rgb_pictures::RgbPictures,
    scale::RgbConverter,
    source::Pictures,
    times::{DecodeClock, Place},
};

/// How much less than it says a file may hold before it counts as cut short.
const END_SLACK: Duration = Duration::from_millis(250);

/// Which part of a video to decode, and to what size. The default is all of it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecodeOptions {
    /// Leaves out the frames before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
    /// Scales every frame to this width and height.
    pub size: Option<(u32, u32)>,
    /// Leaves out frames that come faster than this; numbered pictures, which have no rate of their own, come at it.
    pub max_frame_rate: Option<Rational>,
}

/// What of a video could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Pieces of the file that are left out.
    pub skipped: u64,
    /// Frames of which parts are guessed.
    pub concealed: u64,
    /// How much is missing at the end, where the file is shorter than it says.
    pub missing: Option<Duration>,
}

impl Damage {
    /// Whether there is any.
    pub fn is_some(self) -> bool {
        self != Self::default()
    }
}

/// Reads a video file frame by frame: upright, RGB, each at its own time.
///
/// Times count from the start asked for, else from the file's beginning; they are at least 0 and strictly increase.
pub struct VideoDecoder {
    path: PathBuf,
    pictures: Pictures,
    converter: RgbConverter,
    clock: DecodeClock,
    geometry: Geometry,
    info: VideoInfo,
    expected_frames: Option<u64>,
    concealed: u64,
    /// When the file says that its pictures end, on the stream's clock, where they are wanted to their end.
    promised_end_ticks: Option<i64>,
    /// When those end that were decoded.
    end_ticks: i64,
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
        if let Some(pictures) = RgbPictures::open(path, options.max_frame_rate)? {
            return Self::of_pictures(path, pictures, options);
        }
        let (input, has_errors) = demuxer_log::listen(|| input::open(path));
        let mut input = input?;
        let stream = input::video_stream(&input)
            .ok_or_else(|| MediaError::NoVideo { found: describe_streams(&input), path: path.to_owned() })?;
        let (stream_index, decoder) = (stream.index(), open_decoder(&stream, path)?);
        let info = VideoInfo::new(&input, &stream, &decoder);
        let promised_end_ticks = promised_end_ticks(&stream);
        let pixel_aspect = pixel_aspect(&stream, &decoder);
        check_start(&info, options, path)?;

        let origin = input::origin(&input);
        for mut other in input.streams_mut().filter(|stream| stream.index() != stream_index) {
            raw::discard(&mut other);
        }
        if let Some(start) = options.start.filter(|start| !start.is_zero()) {
            input::seek_before(&mut input, stream_index, origin, start, path);
        }
        let coded = (decoder.width(), decoder.height());
        let geometry = Geometry::new(coded, pixel_aspect, info.orientation(), options.size);
        let window = Window::new(origin, options.start, options.duration, info.time_base);
        Ok(Self {
            path: path.to_owned(),
            pictures: Pictures::File(Box::new(PictureReader::new(
                path,
                (input, has_errors),
                stream_index,
                decoder,
                info.time_base,
            ))),
            converter: RgbConverter::new(geometry),
            clock: DecodeClock::new(window, info.time_base, options.max_frame_rate),
            geometry,
            expected_frames: expected_frames(&info, options),
            info,
            concealed: 0,
            promised_end_ticks: promised_end_ticks.filter(|_| options.duration.is_none()),
            end_ticks: i64::MIN,
            finished: false,
        })
    }

    /// Over pictures that have nothing beside them.
    fn of_pictures(path: &Path, mut pictures: RgbPictures, options: &DecodeOptions) -> Result<Self> {
        let info = pictures.info().clone();
        check_start(&info, options, path)?;
        let square = ffmpeg::Rational::new(1, 1);
        let geometry = Geometry::new((info.width, info.height), square, info.orientation(), options.size);
        let window = Window::new(Timestamp::ZERO, options.start, options.duration, info.time_base);
        pictures.skip_to(window.start);
        Ok(Self {
            path: path.to_owned(),
            pictures: Pictures::Rgb(Box::new(pictures)),
            converter: RgbConverter::new(geometry),
            clock: DecodeClock::new(window, info.time_base, options.max_frame_rate),
            geometry,
            expected_frames: expected_frames(&info, options),
            info,
            concealed: 0,
            promised_end_ticks: None,
            end_ticks: i64::MIN,
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

    /// What could not be decoded so far; what is missing at the end is known only there.
    pub fn damage(&self) -> Damage {
        let missing =
            self.promised_end_ticks.filter(|_| self.finished && self.end_ticks > i64::MIN).and_then(|end| {
                let ticks = end.saturating_sub(self.end_ticks);
                let micros =
                    Timestamp::new(ticks, self.info.time_base).rescaled(Rational::MICROSECONDS).ticks;
                u64::try_from(micros).ok().map(Duration::from_micros).filter(|missing| *missing > END_SLACK)
            });
        Damage { skipped: self.pictures.skipped(), concealed: self.concealed, missing }
    }

    /// The next frame, in a buffer of `pool`; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read on, or a picture cannot be converted. Damaged pictures in between are skipped or
    /// guessed; [`Self::damage`] counts them.
    pub fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>> {
        match self.advance()? {
            Some(ticks) => self.converted(ticks, pool).map(Some),
            None => Ok(None),
        }
    }

    /// Goes past the next frame, which is decoded but not converted; its time, `None` at the end.
    ///
    /// # Errors
    /// As for [`Self::next_frame`].
    pub fn skip_frame(&mut self) -> Result<Option<SkippedFrame>> {
        let ticks = self.advance()?;
        Ok(ticks.map(|ticks| SkippedFrame {
            timestamp: Timestamp::new(ticks, self.info.time_base),
            duration_ticks: self.pictures.duration_ticks(),
        }))
    }

    /// Goes to the next picture that is wanted; its ticks.
    fn advance(&mut self) -> Result<Option<i64>> {
        while !self.finished {
            if !self.pictures.advance()? {
                self.finished = true;
                break;
            }
            let (pts_ticks, duration_ticks) = (self.pictures.pts_ticks(), self.pictures.duration_ticks());
            let place = self.clock.place(pts_ticks, duration_ticks);
            if let Some(pts_ticks) = pts_ticks {
                self.end_ticks = self.end_ticks.max(pts_ticks.saturating_add(duration_ticks.unwrap_or(0)));
            }
            match place {
                Place::At(ticks) => {
                    self.concealed += u64::from(self.pictures.is_concealed());
                    return Ok(Some(ticks));
                }
                Place::Nowhere => {}
                Place::PastEnd => self.finished = true,
            }
        }
        Ok(None)
    }

    fn converted(&mut self, ticks: i64, pool: &FramePool) -> Result<Frame> {
        let mut frame = self
            .converter
            .convert(self.pictures.picture(), pool)
            .map_err(|source| MediaError::Convert { path: self.path.clone(), source })?;
        frame.timestamp = Timestamp::new(ticks, self.info.time_base);
        frame.duration_ticks = self.pictures.duration_ticks();
        Ok(frame)
    }
}

/// A frame that was gone past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedFrame {
    /// When it is shown.
    pub timestamp: Timestamp,
    /// For how long, in ticks of `timestamp.time_base`, where the source says.
    pub duration_ticks: Option<i64>,
}

/// Whether FFmpeg only asks for more input (or room for output) first.
pub(crate) fn is_again(error: ffmpeg::Error) -> bool {
    error == ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }
}

fn check_start(info: &VideoInfo, options: &DecodeOptions, path: &Path) -> Result<()> {
    match (options.start, info.duration) {
        (Some(start), Some(length)) if start >= length => {
            Err(MediaError::StartPastEnd { start, length, path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

/// When a stream's pictures end by what the file says of this stream itself; what it says of all of them together may
/// be about its sound.
fn promised_end_ticks(stream: &ffmpeg::Stream<'_>) -> Option<i64> {
    let start = Some(stream.start_time()).filter(|ticks| *ticks != ffmpeg::ffi::AV_NOPTS_VALUE)?;
    Some(stream.duration()).filter(|ticks| *ticks > 0).and_then(|ticks| start.checked_add(ticks))
}

fn describe_streams(input: &ffmpeg::format::context::Input) -> String {
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
