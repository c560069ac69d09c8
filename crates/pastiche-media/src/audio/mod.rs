//! The source's sound on its way into the output: packets as they are, or converted.

mod adapter;
mod copy;
mod encoder;
mod layout;
mod limiter;
mod microphone;
mod transcode;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ffmpeg::{Packet, Stream, codec::Id, ffi::AV_NOPTS_VALUE, format, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    MediaError, SoundDamage,
    demuxer_log::Heard,
    ending,
    error::Result,
    input::{self, Window},
    mux::Muxer,
    packets::{Packets, Piece},
    rgb_pictures::is_pictures_alone,
};
use copy::CopiedTrack;
pub(crate) use microphone::MicrophoneTrack;
use transcode::TranscodedTrack;

/// Which sound goes into the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioRequest {
    /// The file to take it from; nothing happens where that has no sound.
    pub source: PathBuf,
    /// How to take it.
    pub mode: AudioMode,
    /// Leaves out what is before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
}

/// How sound is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudioMode {
    /// The sound that players play, packet for packet where the output takes the codec, else converted.
    #[default]
    Copy,
    /// The sound that players play, converted whatever it is.
    Aac,
    /// The sound of this number, from 1 on, as [`Self::Copy`] takes it.
    Track(usize),
}

/// What became of the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioOutcome {
    /// There is none, or none was asked for.
    None,
    /// It is the source's, packet for packet.
    Copied {
        /// The codec's name.
        codec: &'static str,
    },
    /// It was converted.
    Transcoded {
        /// The source's codec.
        from: &'static str,
        /// The output's: `aac`, in WebM `opus`.
        to: &'static str,
    },
}

/// How far before the start reading begins, so that a decoder has settled when the start comes.
const PRE_ROLL: Duration = Duration::from_millis(100);

/// The sound of one source, written piece by piece beside the pictures.
pub(crate) enum AudioTrack {
    Copied(Box<CopiedTrack>),
    Transcoded(Box<TranscodedTrack>),
}

/// The demuxer of the sound, and which part of it is wanted.
struct Source {
    path: PathBuf,
    packets: Packets,
    stream_index: usize,
    time_base: Rational,
    window: Window,
    codec: Id,
    /// When the file says that this sound ends, where it is wanted to its end.
    promised_end_ticks: Option<i64>,
    /// When those packets end that were read.
    end_ticks: i64,
    ended: bool,
    damage: SoundDamage,
}

impl AudioTrack {
    /// Opens the sound and adds a stream for it to the output, whose header is not yet written; `None` where the source has no sound.
    pub(crate) fn open(request: &AudioRequest, muxer: &mut Muxer) -> Result<Option<Self>> {
        let Some(source) = Source::open(request)? else {
            return Ok(None);
        };
        if request.mode != AudioMode::Aac && muxer.container().takes_sound(source.codec) {
            return CopiedTrack::open(source, muxer).map(|track| Some(Self::Copied(Box::new(track))));
        }
        TranscodedTrack::open(source, muxer).map(|track| Some(Self::Transcoded(Box::new(track))))
    }

    pub(crate) fn outcome(&self) -> AudioOutcome {
        match self {
            Self::Copied(track) => AudioOutcome::Copied { codec: track.source().codec.name() },
            Self::Transcoded(track) => AudioOutcome::Transcoded {
                from: track.source().codec.name(),
                to: track.output_codec().name(),
            },
        }
    }

    /// What of it could not be read or decoded so far; what is missing at the end is known only there.
    pub(crate) fn damage(&self) -> SoundDamage {
        match self {
            Self::Copied(track) => track.source().damage(),
            Self::Transcoded(track) => track.source().damage(),
        }
    }

    /// Writes what is heard before `until`.
    pub(crate) fn write_until(&mut self, until: Timestamp, muxer: &mut Muxer) -> Result<()> {
        match self {
            Self::Copied(track) => track.write_until(Some(until), muxer),
            Self::Transcoded(track) => track.write_until(Some(until), muxer),
        }
    }

    /// Writes the rest, up to `end` where there is one, and what the encoder still holds.
    pub(crate) fn finish(&mut self, end: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        match self {
            Self::Copied(track) => track.write_until(end, muxer),
            Self::Transcoded(track) => track.finish(end, muxer),
        }
    }
}

/// The sound of this number, from 1 on.
fn numbered<'a>(input: &'a format::context::Input, number: usize, path: &Path) -> Result<Stream<'a>> {
    let sounds = || input.streams().filter(|stream| stream.parameters().medium() == media::Type::Audio);
    let wanted = number.checked_sub(1).and_then(|index| sounds().nth(index));
    wanted.ok_or_else(|| MediaError::NoSuchSound { number, count: sounds().count(), path: path.to_owned() })
}

impl Source {
    fn open(request: &AudioRequest) -> Result<Option<Self>> {
        let path = &request.source;
        if is_pictures_alone(path) {
            return match request.mode {
                AudioMode::Track(number) => {
                    Err(MediaError::NoSuchSound { number, count: 0, path: path.clone() })
                }
                AudioMode::Copy | AudioMode::Aac => Ok(None),
            };
        }
        let mut input = input::open(path)?;
        let origin = input::origin(&input);
        let stream = match request.mode {
            AudioMode::Track(number) => Some(numbered(&input, number, path)?),
            AudioMode::Copy | AudioMode::Aac => input::audio_stream(&input),
        };
        let Some(stream) = stream else {
            return Ok(None);
        };
        let stream_index = stream.index();
        let time_base = input::rational(stream.time_base()).unwrap_or(Rational::MICROSECONDS);
        let codec = stream.parameters().id();
        let promised_end_ticks = ending::stream_end_ticks(&stream).filter(|_| request.duration.is_none());
        input::discard_others(&mut input, |index| index == stream_index);
        let start = request.start.map(|start| start.saturating_sub(PRE_ROLL));
        input::go_to(&mut input, stream_index, origin, start, path);
        let window = Window::new(origin, request.start, request.duration, time_base);
        Ok(Some(Self {
            path: path.clone(),
            packets: Packets::new(input, &Heard::default()),
            stream_index,
            time_base,
            window,
            codec,
            promised_end_ticks,
            end_ticks: AV_NOPTS_VALUE,
            ended: false,
            damage: SoundDamage::default(),
        }))
    }

    /// The stream's next packet; `None` at the end of the file, and where it cannot be read any further.
    fn next_packet(&mut self) -> Option<Packet> {
        while !self.ended {
            match self.packets.next() {
                Ok(Piece::Packet(packet)) if packet.stream() == self.stream_index => {
                    if let Some(start) = packet.pts().or(packet.dts()) {
                        self.end_ticks = self.end_ticks.max(start.saturating_add(packet.duration()));
                    }
                    return Some(packet);
                }
                Ok(Piece::Packet(_)) => {}
                Ok(Piece::Damaged(error)) => self.note_damage(error),
                Ok(Piece::End) => self.ended = true,
                Err(source) => {
                    self.ended = true;
                    let error = MediaError::Read { path: self.path.clone(), source };
                    self.damage.cut_short = Some(error.to_string());
                }
            }
        }
        None
    }

    /// Whether the packets' marks are counted where they are read.
    fn counts_losses(&self) -> bool {
        self.packets.losses(self.stream_index).is_some()
    }

    fn note_damage(&mut self, error: ffmpeg::Error) {
        if self.damage.damaged == 0 {
            log::info!("the sound is damaged ({error}): {}", self.path.display());
        }
        self.damage.damaged += 1;
    }

    fn damage(&self) -> SoundDamage {
        let at_end = self.ended && self.damage.cut_short.is_none() && self.end_ticks != AV_NOPTS_VALUE;
        let promised = self.promised_end_ticks.filter(|_| at_end);
        let missing = promised.and_then(|end| ending::missing(end, self.end_ticks, self.time_base));
        let damaged = self.damage.damaged + self.packets.losses(self.stream_index).unwrap_or(0);
        SoundDamage { damaged, missing, ..self.damage.clone() }
    }

    /// The stream, which an open file never loses.
    fn stream(&self) -> Result<Stream<'_>> {
        let stream = self.packets.input().stream(self.stream_index);
        stream.ok_or_else(|| self.failure(ffmpeg::Error::StreamNotFound))
    }

    fn failure(&self, source: ffmpeg::Error) -> MediaError {
        MediaError::Audio { codec: self.codec.name(), path: self.path.clone(), source }
    }
}
