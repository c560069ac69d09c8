//! The file that becomes of a video: pictures that are encoded already, and the source's sound and subtitles beside them.

use std::{path::Path, time::Duration};

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    AudioOutcome, AudioRequest, EncodeSummary, MediaError, Sound, SoundDamage,
    audio::{AudioTrack, MicrophoneTrack},
    container::Container,
    error::Result,
    extras::Extras,
    mux::Muxer,
    partial_file::PartialFile,
    rgb_pictures::is_pictures_alone,
    subtitles::Subtitles,
};

/// A file that is written, its header already.
pub(crate) struct Movie {
    // Before the file in this list, so that it is closed before it is removed.
    muxer: Muxer,
    video_index: usize,
    audio: Option<AudioTrack>,
    audio_outcome: AudioOutcome,
    microphone: Option<MicrophoneTrack>,
    subtitles: Option<Subtitles>,
    /// Pictures that are written.
    frames: u64,
    /// When the first of them is shown, and the last of them ends.
    start: Option<Timestamp>,
    end: Timestamp,
    file: PartialFile,
}

/// What goes into the file beside the pictures.
pub(crate) struct Beside<'a> {
    /// The source's sound.
    pub(crate) audio: Option<&'a AudioRequest>,
    /// The source's tags, chapters and subtitles.
    pub(crate) extras: Option<&'a Extras>,
    /// A track for sound that is heard meanwhile.
    pub(crate) with_microphone: bool,
}

impl Movie {
    /// Opens the sound and the subtitles, and writes the header; `add_video` adds the stream of pictures.
    pub(crate) fn create(
        file: PartialFile,
        container: Container,
        add_video: impl FnOnce(&mut Muxer) -> Result<usize>,
        Beside { audio, extras, with_microphone }: Beside<'_>,
    ) -> Result<Self> {
        let mut muxer = Muxer::create(&file, container)?;
        let video_index = add_video(&mut muxer)?;
        let audio = match audio {
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
        muxer.write_header(if file.is_growing() {
            container.growing_options()
        } else {
            container.options()
        })?;
        Ok(Self {
            muxer,
            video_index,
            audio_outcome: audio.as_ref().map_or(AudioOutcome::None, AudioTrack::outcome),
            audio,
            microphone,
            subtitles,
            frames: 0,
            start: None,
            end: Timestamp::ZERO,
            file,
        })
    }

    /// Where it is written until it is whole.
    pub(crate) fn partial_path(&self) -> &Path {
        self.file.path()
    }

    /// What becomes of the sound.
    pub(crate) fn audio(&self) -> &AudioOutcome {
        &self.audio_outcome
    }

    /// When the last picture ends that is written.
    pub(crate) fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether the drive takes no more: then the file can only be closed.
    pub(crate) fn has_stopped(&self) -> bool {
        self.muxer.has_stopped()
    }

    /// Writes an encoded picture that has its time and duration on `clock`.
    pub(crate) fn write_picture(&mut self, packet: Packet, clock: Rational) -> Result<()> {
        let start_ticks = packet.pts().unwrap_or_default();
        let end_ticks = start_ticks.saturating_add(packet.duration());
        self.muxer.write(packet, self.video_index, clock)?;
        self.file.note_written();
        self.frames += 1;
        // An encoder's first picture needs no other, so none is shown before it.
        self.start.get_or_insert(Timestamp::new(start_ticks, clock));
        self.end = self.end.max(Timestamp::new(end_ticks, clock));
        Ok(())
    }

    /// Writes what is heard and read before `until`.
    pub(crate) fn write_beside(&mut self, until: Timestamp) -> Result<()> {
        if let Some(audio) = &mut self.audio {
            audio.write_until(until, &mut self.muxer)?;
        }
        if let Some(subtitles) = &mut self.subtitles {
            subtitles.write_until(Some(until), &mut self.muxer)?;
        }
        Ok(())
    }

    /// Writes a piece of the microphone's sound that begins at `start`, where there is a track for it.
    pub(crate) fn write_sound(&mut self, sound: &Sound, start: Timestamp) -> Result<()> {
        match &mut self.microphone {
            Some(track) => track.write(&sound.samples, sound.rate_hz, start, &mut self.muxer),
            None => Ok(()),
        }
    }

    /// Fills with silence what the microphone's track, where there is one, lacks before `time`.
    pub(crate) fn fill_sound_until(&mut self, time: Timestamp) -> Result<()> {
        match &mut self.microphone {
            Some(track) => track.fill_until(time, &mut self.muxer),
            None => Ok(()),
        }
    }

    /// Writes the rest of the sound and the subtitles, up to `until` where there is an end, and gives the file its name.
    ///
    /// A drive that takes no more leaves what is written, which plays.
    pub(crate) fn finish(mut self, until: Option<Timestamp>) -> Result<EncodeSummary> {
        if !self.has_stopped() {
            let written = self.write_rest(until);
            unless_full(written)?;
        }
        let Self { muxer, audio, subtitles, file, frames, start, end, .. } = self;
        let stopped = match muxer.finish()? {
            Some(error) if frames == 0 || file.is_empty() => return Err(error),
            stopped => stopped.map(|error| error.to_string()),
        };
        let micros = end.rescaled(Rational::MICROSECONDS).ticks;
        Ok(EncodeSummary {
            frames,
            bytes: file.keep()?,
            start: start.unwrap_or(Timestamp::ZERO),
            duration: Duration::from_micros(u64::try_from(micros).unwrap_or_default()),
            sound: audio.as_ref().map_or_else(SoundDamage::default, AudioTrack::damage),
            subtitles_cut_short: subtitles.as_ref().and_then(Subtitles::cut_short).map(str::to_owned),
            stopped,
        })
    }

    fn write_rest(&mut self, until: Option<Timestamp>) -> Result<()> {
        if let Some(audio) = &mut self.audio {
            audio.finish(until, &mut self.muxer)?;
        }
        if let Some(microphone) = &mut self.microphone {
            microphone.finish(&mut self.muxer)?;
        }
        if let Some(subtitles) = &mut self.subtitles {
            subtitles.write_until(until, &mut self.muxer)?;
        }
        Ok(())
    }
}

/// A drive that takes no more is no failure: the file is closed where it is.
pub(crate) fn unless_full(written: Result<()>) -> Result<()> {
    match written {
        Err(MediaError::Drive { .. }) => Ok(()),
        written => written,
    }
}
