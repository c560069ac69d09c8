//! Frames, and the source's sound, to a video file.

use std::{collections::VecDeque, path::Path, time::Duration};

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorSpace, Frame, Rational, Timestamp};

use crate::{
    AudioOutcome, AudioRequest, MAX_SIDE, MediaError, Sound,
    audio::{AudioTrack, MicrophoneTrack},
    container::Container,
    decode::is_again,
    encoders::{self, OpenEncoder, Settings},
    error::Result,
    extras::Extras,
    mux::Muxer,
    partial_file::PartialFile,
    rgb_pictures::is_pictures_alone,
    scale::YuvConverter,
    subtitles::Subtitles,
    times::{ConstantClock, Slot, VariableClock},
    vaapi::Uploader,
};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeSummary {
    /// Pictures in the file, repeated ones included.
    pub frames: u64,
    /// The file's length.
    pub bytes: u64,
    /// Until the last picture ends.
    pub duration: Duration,
}

/// Writes a video file frame by frame, in the container that its name's ending says: 4:2:0, limited range, tagged; an
/// MP4's index at the front.
///
/// The file has a temporary name beside its own, [`Self::partial_path`], until [`Self::finish`], and is removed when the
/// encoder is dropped before.
pub struct VideoEncoder {
    // Before the file in this list, so that it is closed before it is removed.
    muxer: Muxer,
    encoder: ffmpeg::encoder::Video,
    encoder_name: &'static str,
    time_base: Rational,
    video_index: usize,
    converter: YuvConverter,
    /// Between the converter and an encoder that reads its own memory.
    uploader: Option<Uploader>,
    size: (u32, u32),
    clock: Clock,
    /// Pictures inside the encoder, which does not hand their durations through.
    encoding: VecDeque<Slot>,
    frames: u64,
    end: Timestamp,
    audio: Option<AudioTrack>,
    audio_outcome: AudioOutcome,
    microphone: Option<MicrophoneTrack>,
    subtitles: Option<Subtitles>,
    file: PartialFile,
}

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

    /// As [`Self::create`] for what may break off at any time: the file has its own name from the start, an MP4 or MOV
    /// plays up to its last seconds while it is written, and what is there stays when the encoder is dropped.
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
        let file = create_file(path)?;
        let mut muxer = Muxer::create(file.path(), file.target(), container)?;
        let video_index = muxer.add_encoded_stream(&encoder, time_base)?;
        if let Some(frame_rate) = options.constant_frame_rate.or(options.frame_rate) {
            muxer.set_frame_rate(video_index, frame_rate);
        }
        let audio = match &options.audio {
            Some(request) => AudioTrack::open(request, &mut muxer)?,
            None => None,
        };
        let microphone = with_microphone.then(|| MicrophoneTrack::open(&mut muxer)).transpose()?;
        let subtitles = match extras.filter(|extras| !is_pictures_alone(&extras.source)) {
            Some(extras) => {
                extras.describe(&mut muxer)?;
                Subtitles::open(extras, container, &mut muxer)?
            }
            None => None,
        };
        let layout = if file.is_growing() { container.growing_options() } else { container.options() };
        muxer.write_header(layout)?;
        Ok(Self {
            muxer,
            encoder,
            encoder_name: name,
            time_base,
            video_index,
            converter: YuvConverter::new(
                picture_format,
                options.width,
                options.height,
                options.color_space.matrix,
            )
            .map_err(|source| MediaError::Encode { encoder: name, source })?,
            uploader,
            size: (options.width, options.height),
            clock: match options.constant_frame_rate {
                Some(rate) => Clock::Constant(ConstantClock::new(rate)),
                None => Clock::Variable(VariableClock::new(time_base, options.frame_rate)),
            },
            encoding: VecDeque::new(),
            frames: 0,
            end: Timestamp::ZERO,
            audio_outcome: audio.as_ref().map_or(AudioOutcome::None, AudioTrack::outcome),
            audio,
            microphone,
            subtitles,
            file,
        })
    }

    /// The name of the encoder in use.
    pub fn encoder_name(&self) -> &str {
        self.encoder_name
    }

    /// The file that is written until it is whole: `<name>.part`, or `<name>.1.part` and so on where that is taken.
    pub fn partial_path(&self) -> &Path {
        self.file.path()
    }

    /// What becomes of the sound.
    pub fn audio(&self) -> &AudioOutcome {
        &self.audio_outcome
    }

    /// Writes a frame, at its own time unless a constant frame rate is asked for, and the sound up to there.
    ///
    /// # Errors
    /// The frame has another size than the video, the encoder fails, or the file or the sound cannot be read or
    /// written on.
    pub fn write(&mut self, frame: &Frame) -> Result<()> {
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
                    self.repeat(repeats)?;
                    self.convert(frame)?;
                    self.send(Slot { ticks, duration_ticks: 1 })?;
                }
            }
        }
        if let Some(audio) = &mut self.audio {
            audio.write_until(frame.timestamp, &mut self.muxer)?;
        }
        if let Some(subtitles) = &mut self.subtitles {
            subtitles.write_until(Some(frame.timestamp), &mut self.muxer)?;
        }
        Ok(())
    }

    /// Writes a piece of a microphone's sound that begins at `start`; what is before time zero is left out. Without a track
    /// for it nothing happens.
    ///
    /// # Errors
    /// The sound cannot be encoded, or the file cannot be written on.
    pub fn write_sound(&mut self, sound: &Sound, start: Timestamp) -> Result<()> {
        match &mut self.microphone {
            Some(track) => track.write(&sound.samples, sound.rate_hz, start, &mut self.muxer),
            None => Ok(()),
        }
    }

    /// Fills with silence what the microphone's track lacks before `time`. Without a track for it nothing happens.
    ///
    /// # Errors
    /// As [`Self::write_sound`].
    pub fn fill_sound_until(&mut self, time: Timestamp) -> Result<()> {
        match &mut self.microphone {
            Some(track) => track.fill_until(time, &mut self.muxer),
            None => Ok(()),
        }
    }

    /// Writes what is still on its way and the rest of the sound, and gives the file its name.
    ///
    /// # Errors
    /// The encoder fails, or the file or the sound cannot be read or written on. The unfinished file is removed.
    pub fn finish(self) -> Result<EncodeSummary> {
        self.close(|_| None)
    }

    /// Like [`Self::finish`] for a job that was cancelled: the sound ends with the pictures.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_early(self) -> Result<EncodeSummary> {
        self.close(Some)
    }

    fn close(mut self, sound_end: impl Fn(Timestamp) -> Option<Timestamp>) -> Result<EncodeSummary> {
        if let Clock::Constant(clock) = &self.clock {
            self.repeat(clock.rest())?;
        }
        self.encoder.send_eof().map_err(|source| self.failure(source))?;
        self.write_encoded()?;
        if let Some(audio) = &mut self.audio {
            audio.finish(sound_end(self.end), &mut self.muxer)?;
        }
        if let Some(microphone) = &mut self.microphone {
            microphone.finish(&mut self.muxer)?;
        }
        if let Some(subtitles) = &mut self.subtitles {
            subtitles.write_until(sound_end(self.end), &mut self.muxer)?;
        }
        let Self { muxer, file, frames, end, .. } = self;
        muxer.finish()?;
        let micros = end.rescaled(Rational::MICROSECONDS).ticks;
        let duration = Duration::from_micros(u64::try_from(micros).unwrap_or_default());
        Ok(EncodeSummary { frames, bytes: file.keep()?, duration })
    }

    fn repeat(&mut self, slots: std::ops::Range<i64>) -> Result<()> {
        for ticks in slots {
            self.send(Slot { ticks, duration_ticks: 1 })?;
        }
        Ok(())
    }

    fn convert(&mut self, frame: &Frame) -> Result<()> {
        self.converter.convert(frame).map_err(|source| self.failure(source))
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
        self.frames += 1;
        self.end = Timestamp::new(slot.ticks.saturating_add(slot.duration_ticks), self.time_base);
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
                    self.muxer.write(packet, self.video_index, self.time_base)?;
                    self.file.note_written();
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
