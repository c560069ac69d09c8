//! Frames, and the source's sound, to a video file.

use std::{collections::VecDeque, path::Path, time::Duration};

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorSpace, Frame, Rational, Timestamp};

use crate::{
    AudioOutcome, AudioRequest, MAX_SIDE, MediaError, SkippedFrame, Sound, SoundDamage,
    container::Container,
    decode::is_again,
    encoders::{self, OpenEncoder, Settings},
    error::Result,
    extras::Extras,
    movie::{Beside, Movie, unless_full},
    partial_file::PartialFile,
    scale::YuvConverter,
    times::{ConstantClock, Slot, VariableClock},
    vaapi::Uploader,
};

/// Pictures in a row that are repeated before somebody may cancel that.
pub(crate) const LONG_GAP: usize = 50;

/// What to write, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeOptions {
    /// Of every frame, in pixels; even.
    pub width: u32,
    /// Of every frame, in pixels; even.
    pub height: u32,
    /// The clock that frames are put on when their own times are kept.
    pub time_base: Rational,
    /// About how many frames a second come, where that is known: for the rate control and the last frame's length.
    pub frame_rate: Option<Rational>,
    /// Puts frames at equal distances instead of at their own times: missing ones repeat the picture before, those
    /// that come too soon are dropped.
    pub constant_frame_rate: Option<Rational>,
    /// The matrix to code the pictures with. The range is always limited, which every player takes.
    pub color_space: ColorSpace,
    /// An encoder's name; `None` takes the first of [`crate::available_encoders`] that takes the other settings.
    pub encoder: Option<String>,
    /// Quality on x264's scale, from 0, lossless, to 51; other encoders' scales are mapped to it.
    pub crf: Option<u8>,
    /// The encoder's name for a trade of speed against size, such as `veryfast`.
    pub preset: Option<String>,
    /// The sound to take along.
    pub audio: Option<AudioRequest>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeSummary {
    /// Pictures in the file, repeated ones included.
    pub frames: u64,
    /// The file's length.
    pub bytes: u64,
    /// When the first picture is shown.
    pub start: Timestamp,
    /// Until the last picture ends.
    pub duration: Duration,
    /// What of the sound could not be read or decoded.
    pub sound: SoundDamage,
    /// Why the subtitles could not be read to their end.
    pub subtitles_cut_short: Option<String>,
    /// Why the drive took no more; the file then ends there, and plays.
    pub stopped: Option<String>,
}

/// Writes a video file frame by frame, in the container that its name's ending says: 4:2:0, limited range, tagged; an
/// MP4's index at the front.
///
/// The file has a temporary name beside its own, [`Self::partial_path`], until [`Self::finish`], and is removed when the
/// encoder is dropped before.
pub struct VideoEncoder {
    movie: Movie,
    encoder: ffmpeg::encoder::Video,
    encoder_name: &'static str,
    time_base: Rational,
    converter: YuvConverter,
    /// Between the converter and an encoder that reads its own memory.
    uploader: Option<Uploader>,
    size: (u32, u32),
    clock: Clock,
    /// Whether there is a picture that could be repeated.
    started: bool,
    /// Whether it ends inside a gap that was not filled.
    broken_off: bool,
    /// Pictures inside the encoder, which does not hand their durations through.
    encoding: VecDeque<Slot>,
}

/// Where the frames of a video stand in time, for going on in another file.
#[derive(Debug)]
pub struct EncoderClock(Clock);

#[derive(Debug)]
enum Clock {
    Variable(VariableClock),
    Constant(ConstantClock),
}

impl VideoEncoder {
    /// Opens the encoder, the sound and the output, and writes the output's header.
    ///
    /// # Errors
    /// The output's folder is missing or cannot be written, or its name's ending is not known; a side is odd; the
    /// encoder is missing, or does not take a setting or go into the container; the sound cannot be read or converted.
    pub fn create(path: &Path, options: &EncodeOptions) -> Result<Self> {
        Self::create_with(path, options, None)
    }

    /// As [`Self::create`] for what may break off at any time: the file has its own name from its first pictures on,
    /// an MP4 or MOV plays up to its last seconds while it is written, and what is there stays when the encoder is dropped.
    ///
    /// `with_microphone` gives it a track for [`Self::write_sound`].
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_recording(path: &Path, options: &EncodeOptions, with_microphone: bool) -> Result<Self> {
        Self::open(path, options, None, with_microphone, PartialFile::create_growing)
    }

    /// As [`Self::create`], and takes over tags, chapters and subtitles.
    ///
    /// # Errors
    /// As [`Self::create`], or their file cannot be read.
    pub fn create_with(path: &Path, options: &EncodeOptions, extras: Option<&Extras>) -> Result<Self> {
        Self::open(path, options, extras, false, PartialFile::create)
    }

    fn open(
        path: &Path,
        options: &EncodeOptions,
        extras: Option<&Extras>,
        with_microphone: bool,
        create_file: impl Fn(&Path) -> Result<PartialFile>,
    ) -> Result<Self> {
        crate::init();
        let container = check(path, options)?;
        let rate_or_time_base = options.constant_frame_rate.map(Rational::recip);
        let OpenEncoder { name, encoder, time_base, picture_format, uploader } = encoders::open(
            options.encoder.as_deref(),
            &Settings {
                width: options.width,
                height: options.height,
                time_base: rate_or_time_base.unwrap_or(options.time_base),
                frame_rate: options.constant_frame_rate.or(options.frame_rate),
                matrix: options.color_space.matrix,
                crf: options.crf,
                preset: options.preset.as_deref(),
                container,
            },
        )?;
        let frame_rate = options.constant_frame_rate.or(options.frame_rate);
        let movie = Movie::create(
            create_file(path)?,
            container,
            |muxer| {
                let index = muxer.add_encoded_stream(&encoder, time_base)?;
                if let Some(frame_rate) = frame_rate {
                    muxer.set_frame_rate(index, frame_rate);
                }
                Ok(index)
            },
            Beside { audio: options.audio.as_ref(), extras, with_microphone },
        )?;
        let matrix = options.color_space.matrix;
        Ok(Self {
            movie,
            encoder,
            encoder_name: name,
            time_base,
            converter: YuvConverter::new(picture_format, options.width, options.height, matrix)
                .map_err(|source| MediaError::Encode { encoder: name, source })?,
            uploader,
            size: (options.width, options.height),
            clock: match options.constant_frame_rate {
                Some(rate) => Clock::Constant(ConstantClock::new(rate)),
                None => Clock::Variable(VariableClock::new(time_base, options.frame_rate)),
            },
            started: false,
            broken_off: false,
            encoding: VecDeque::new(),
        })
    }

    /// The name of the encoder in use.
    pub fn encoder_name(&self) -> &str {
        self.encoder_name
    }

    /// The file that is written until it is whole: `<name>.pastiche-unfinished`, with a number behind it where other jobs write
    /// the same.
    pub fn partial_path(&self) -> &Path {
        self.movie.partial_path()
    }

    /// What becomes of the sound.
    pub fn audio(&self) -> &AudioOutcome {
        self.movie.audio()
    }

    /// Writes a frame, at its own time unless a constant frame rate is asked for, and the sound up to there.
    ///
    /// # Errors
    /// The frame has another size than the video, the encoder fails, or the file cannot be written on. After
    /// [`MediaError::Drive`] the file can still be closed, by [`Self::finish_early`].
    pub fn write(&mut self, frame: &Frame) -> Result<()> {
        self.write_unless(frame, &|| false).map(drop)
    }

    /// As [`Self::write`]. At a constant frame rate a gap in time is filled with the picture before it, which takes long where
    /// the gap is: `is_cancelled` is asked now and then, and where it says yes the frame is left out, and with false only
    /// [`Self::finish_early`] remains to be called.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_unless(&mut self, frame: &Frame, is_cancelled: &dyn Fn() -> bool) -> Result<bool> {
        let (width, height) = (frame.width(), frame.height());
        if (width, height) != self.size {
            let (expected_width, expected_height) = self.size;
            return Err(MediaError::FrameSize { width, height, expected_width, expected_height });
        }
        match &mut self.clock {
            Clock::Variable(clock) => {
                let slot = clock.place(frame.timestamp, frame.duration_ticks);
                self.convert(frame)?;
                self.send(slot)?;
            }
            Clock::Constant(clock) => {
                if let Some((repeats, ticks)) = clock.place(frame.timestamp, frame.duration_ticks) {
                    if self.started && !self.repeat(repeats, is_cancelled)? {
                        self.broken_off = true;
                        return Ok(false);
                    }
                    self.convert(frame)?;
                    self.send(Slot { ticks, duration_ticks: 1 })?;
                }
            }
        }
        self.movie.write_beside(frame.timestamp)?;
        Ok(true)
    }

    /// Goes past a frame that another file holds, so that those after it are placed as if it were here.
    pub fn pass(&mut self, frame: SkippedFrame) {
        match &mut self.clock {
            Clock::Variable(clock) => {
                clock.place(frame.timestamp, frame.duration_ticks);
            }
            Clock::Constant(clock) => {
                clock.place(frame.timestamp, frame.duration_ticks);
            }
        }
    }

    /// Goes on where the encoder of the file before left off.
    #[must_use]
    pub fn after(self, clock: EncoderClock) -> Self {
        Self { clock: clock.0, ..self }
    }

    /// Closes one of several files that are to be joined: where a frame at `next` begins another, or at the end.
    ///
    /// # Errors
    /// As [`Self::finish`]; a drive that takes no more is an error here.
    pub fn finish_part(mut self, next: Option<Timestamp>) -> Result<(EncodeSummary, EncoderClock)> {
        if let Clock::Constant(clock) = &self.clock {
            let slots = next.map_or_else(|| clock.rest(), |next| clock.gap_before(next));
            self.repeat(slots, &|| false)?;
        }
        self.flush()?;
        Ok((self.movie.finish(None)?, EncoderClock(self.clock)))
    }

    /// Writes a piece of a microphone's sound that begins at `start`; what is before time zero is left out. Without a track
    /// for it nothing happens.
    ///
    /// # Errors
    /// The sound cannot be encoded, or the file cannot be written on.
    pub fn write_sound(&mut self, sound: &Sound, start: Timestamp) -> Result<()> {
        self.movie.write_sound(sound, start)
    }

    /// Fills with silence what the microphone's track lacks before `time`. Without a track for it nothing happens.
    ///
    /// # Errors
    /// As [`Self::write_sound`].
    pub fn fill_sound_until(&mut self, time: Timestamp) -> Result<()> {
        self.movie.fill_sound_until(time)
    }

    /// Writes what is still on its way and the rest of the sound, and gives the file its name.
    ///
    /// # Errors
    /// The encoder fails, or the file cannot be written on, or there is no picture in it. The unfinished file is removed.
    pub fn finish(self) -> Result<EncodeSummary> {
        self.close(|_| None)
    }

    /// Like [`Self::finish`] for a job that was cancelled: the sound ends with the pictures. It also closes a file after
    /// [`MediaError::Drive`], with what is written.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_early(self) -> Result<EncodeSummary> {
        self.close(Some)
    }

    fn close(mut self, sound_end: impl Fn(Timestamp) -> Option<Timestamp>) -> Result<EncodeSummary> {
        if !self.movie.has_stopped() {
            let drained = self.drain();
            unless_full(drained)?;
        }
        let end = sound_end(self.movie.end());
        self.movie.finish(end)
    }

    /// Writes the pictures that are still to be shown or inside the encoder.
    fn drain(&mut self) -> Result<()> {
        if let Clock::Constant(clock) = &self.clock
            && !self.broken_off
        {
            self.repeat(clock.rest(), &|| false)?;
        }
        self.flush()
    }

    /// Writes the pictures inside the encoder.
    fn flush(&mut self) -> Result<()> {
        self.encoder.send_eof().map_err(|source| self.failure(source))?;
        self.write_encoded()
    }

    /// Shows the last picture in these slots. False where it was cancelled on the way.
    fn repeat(&mut self, slots: std::ops::Range<i64>, is_cancelled: &dyn Fn() -> bool) -> Result<bool> {
        for (index, ticks) in slots.enumerate() {
            if index % LONG_GAP == LONG_GAP - 1 && is_cancelled() {
                return Ok(false);
            }
            self.send(Slot { ticks, duration_ticks: 1 })?;
        }
        Ok(true)
    }

    fn convert(&mut self, frame: &Frame) -> Result<()> {
        self.converter.convert(frame).map_err(|source| self.failure(source))?;
        self.started = true;
        Ok(())
    }

    /// Sends the last converted picture to be shown at `slot`.
    fn send(&mut self, slot: Slot) -> Result<()> {
        let picture = self.converter.picture();
        picture.set_pts(Some(slot.ticks));
        let sent = match &self.uploader {
            Some(uploader) => {
                uploader.upload(picture).and_then(|uploaded| self.encoder.send_frame(&uploaded))
            }
            None => self.encoder.send_frame(picture),
        };
        sent.map_err(|source| self.failure(source))?;
        self.encoding.push_back(slot);
        self.write_encoded()
    }

    fn write_encoded(&mut self) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {
                    let slot = self.encoding.iter().position(|slot| Some(slot.ticks) == packet.pts());
                    if let Some(slot) = slot.and_then(|index| self.encoding.remove(index)) {
                        packet.set_duration(slot.duration_ticks);
                    }
                    self.movie.write_picture(packet, self.time_base)?;
                }
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => return Ok(()),
                Err(source) => return Err(self.failure(source)),
            }
        }
    }

    fn failure(&self, source: ffmpeg::Error) -> MediaError {
        MediaError::Encode { encoder: self.encoder_name, source }
    }
}

/// What can be told before anything is opened.
fn check(path: &Path, options: &EncodeOptions) -> Result<Container> {
    let container = Container::of(path)
        .ok_or_else(|| MediaError::OutputKind { supported: Container::SUPPORTED, path: path.to_owned() })?;
    let fits = |side: u32| side.is_multiple_of(2) && (2..=MAX_SIDE).contains(&side);
    if !fits(options.width) || !fits(options.height) {
        return Err(MediaError::EncodeSize { width: options.width, height: options.height });
    }
    Ok(container)
}
