//! A video, a file or numbered pictures, to frames.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ffmpeg_next as ffmpeg;
use pastiche_frame::{Frame, FramePool, Rational, Timestamp};

use crate::{
    Damage, HardwareDecoding, MediaError, VideoInfo, demuxer_log, ending,
    error::Result,
    geometry::Geometry,
    input::{self, Window},
    pictures::PictureReader,
    probe::{open_decoder, pixel_aspect},
    rgb_pictures::RgbPictures,
    scale::RgbConverter,
    source::Pictures,
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
    /// Leaves out frames that come faster than this; numbered pictures, which have no rate of their own, come at it.
    pub max_frame_rate: Option<Rational>,
    /// What decodes it.
    pub hardware: HardwareDecoding,
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
    /// Where the pictures are wanted to their end.
    promise: Option<Promise>,
    /// When those end that were decoded.
    end_ticks: i64,
    finished: bool,
}

/// When a video is to end by what its file says.
#[derive(Debug, Clone, Copy)]
enum Promise {
    /// Of the video's stream itself, in its ticks.
    Stream(i64),
    /// Of all streams together, in microseconds: the last of them may be another.
    File(i64),
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
        let (input, heard) = demuxer_log::listen(|| input::open(path));
        let mut input = input?;
        let stream = input::video_stream(&input)
            .ok_or_else(|| MediaError::NoVideo { found: describe_streams(&input), path: path.to_owned() })?;
        let (stream_index, decoder) = (stream.index(), open_decoder(&stream, options.hardware, path)?);
        let info = VideoInfo::new(&input, &stream, &decoder);
        let pixel_aspect = pixel_aspect(&stream, &decoder);
        check_start(&info, options, path)?;

        let whole = options.duration.is_none();
        let of_stream = ending::stream_end_ticks(&stream).map(Promise::Stream);
        let promise =
            of_stream.or_else(|| ending::file_end_micros(&input).map(Promise::File)).filter(|_| whole);
        if !matches!(promise, Some(Promise::File(_))) {
            input::discard_others(&mut input, |index| index == stream_index);
        }
        let origin = input::origin(&input);
        input::go_to(&mut input, stream_index, origin, options.start, path);
        let coded = (decoder.width(), decoder.height());
        let geometry = Geometry::new(coded, pixel_aspect, info.orientation(), options.size);
        let window = Window::new(origin, options.start, options.duration, info.time_base);
        let reader = PictureReader::new(path, (input, &heard), stream_index, decoder, info.time_base);
        let opened = Self::new(path, Pictures::File(Box::new(reader)), info, geometry, window, options);
        Ok(Self { promise, ..opened })
    }

    /// Over pictures that have nothing beside them.
    fn of_pictures(path: &Path, mut pictures: RgbPictures, options: &DecodeOptions) -> Result<Self> {
        let info = pictures.info().clone();
        check_start(&info, options, path)?;
        let square = ffmpeg::Rational::new(1, 1);
        let geometry = Geometry::new((info.width, info.height), square, info.orientation(), options.size);
        let window = Window::new(Timestamp::ZERO, options.start, options.duration, info.time_base);
        pictures.skip_to(window.start);
        Ok(Self::new(path, Pictures::Rgb(Box::new(pictures)), info, geometry, window, options))
    }

    fn new(
        path: &Path,
        pictures: Pictures,
        info: VideoInfo,
        geometry: Geometry,
        window: Window,
        options: &DecodeOptions,
    ) -> Self {
        Self {
            path: path.to_owned(),
            pictures,
            converter: RgbConverter::new(geometry),
            clock: DecodeClock::new(window, info.time_base, options.max_frame_rate),
            geometry,
            expected_frames: expected_frames(&info, options),
            info,
            concealed: 0,
            promise: None,
            end_ticks: i64::MIN,
            finished: false,
        }
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
        let ended = self.finished && self.end_ticks > i64::MIN;
        let missing = match self.promise.filter(|_| ended) {
            Some(Promise::Stream(ticks)) => ending::missing(ticks, self.end_ticks, self.info.time_base),
            Some(Promise::File(micros)) => {
                ending::missing(micros, self.pictures.end_micros(), Rational::MICROSECONDS)
            }
            None => None,
        };
        let breaks_off = self.finished && self.pictures.breaks_off();
        Damage { skipped: self.pictures.skipped(), concealed: self.concealed, missing, breaks_off }
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
