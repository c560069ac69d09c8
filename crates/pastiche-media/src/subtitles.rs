//! The source's text subtitles on their way into the output: as they are where it takes them, else as plain text.

use std::path::PathBuf;

use ffmpeg::{Packet, codec::Id, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    MediaError,
    container::Container,
    demuxer_log::Heard,
    error::Result,
    extras::Extras,
    input::{self, Window},
    mux::Muxer,
    packets::{Packets, Piece as Read},
    subtitle_text::{packed, text_of},
};

/// How far a packet may stand behind others of its time: what muxers let pass.
const LATE_MICROS: i64 = 10_000_000;

/// The text subtitles of one source, written piece by piece beside the pictures.
pub(crate) struct Subtitles {
    path: PathBuf,
    packets: Packets,
    tracks: Vec<Track>,
    /// Where there is nothing more to look for, where that is before the file's end.
    end: Option<Timestamp>,
    /// Read, but not yet due.
    waiting: Option<Piece>,
    finished: bool,
    cut_short: Option<String>,
}

struct Track {
    stream_index: usize,
    time_base: Rational,
    window: Window,
    codec: Id,
    output_index: usize,
    output_codec: Id,
}

/// A packet for a stream of the output.
struct Piece {
    packet: Packet,
    output_index: usize,
    time_base: Rational,
    start: Timestamp,
}

impl Subtitles {
    /// Adds a stream to the output for each of the source's text subtitles; `None` where there are none.
    pub(crate) fn open(extras: &Extras, container: Container, muxer: &mut Muxer) -> Result<Option<Self>> {
        let mut input = input::open(&extras.source)?;
        let origin = input::origin(&input);
        let mut tracks = Vec::new();
        for stream in input.streams() {
            let codec = stream.parameters().id();
            if stream.parameters().medium() != media::Type::Subtitle || !is_text(codec) {
                continue;
            }
            let time_base = input::rational(stream.time_base()).unwrap_or(Rational::MICROSECONDS);
            let kept = container.takes_subtitles(codec);
            let output_codec = if kept { codec } else { container.subtitle_codec() };
            let output_index = match kept {
                true => muxer.add_copied_stream(&stream)?,
                false => muxer.add_subtitle_stream(output_codec, stream.time_base())?,
            };
            muxer.copy_stream_tags(output_index, &stream);
            let window = Window::new(origin, extras.start, extras.duration, time_base);
            tracks.push(Track {
                stream_index: stream.index(),
                time_base,
                window,
                codec,
                output_index,
                output_codec,
            });
        }
        if tracks.is_empty() {
            return Ok(None);
        }
        let window = Window::new(origin, extras.start, extras.duration, Rational::MICROSECONDS);
        let end =
            window.end.map(|end| Timestamp::new(end.saturating_add(LATE_MICROS), Rational::MICROSECONDS));
        // Without the pictures, reading would go on to the next subtitle, which may be an hour behind the end.
        let pictures = end.and_then(|_| input::video_stream(&input)).map(|stream| stream.index());
        input::discard_others(&mut input, |index| {
            pictures == Some(index) || tracks.iter().any(|track| track.stream_index == index)
        });
        Ok(Some(Self {
            path: extras.source.clone(),
            packets: Packets::new(input, &Heard::default()),
            tracks,
            end,
            waiting: None,
            finished: false,
            cut_short: None,
        }))
    }

    /// Why they could not be read to their end.
    pub(crate) fn cut_short(&self) -> Option<&str> {
        self.cut_short.as_deref()
    }

    /// Whether no packet that is wanted comes behind this one any more.
    fn is_behind_all(&self, packet: &Packet) -> bool {
        let (Some(end), Some(ticks)) = (self.end, packet.dts().or(packet.pts())) else { return false };
        let time_base = self.packets.input().stream(packet.stream()).map(|stream| stream.time_base());
        let time_base = time_base.and_then(input::rational);
        time_base.is_some_and(|time_base| Timestamp::new(ticks, time_base) >= end)
    }

    /// Writes what is shown before `until`, or all.
    pub(crate) fn write_until(&mut self, until: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        while !self.finished {
            let Some(piece) = self.next_piece() else {
                self.finished = true;
                break;
            };
            if until.is_some_and(|until| piece.start >= until) {
                self.waiting = Some(piece);
                break;
            }
            muxer.write(piece.packet, piece.output_index, piece.time_base)?;
        }
        Ok(())
    }

    /// The next to write; `None` at the end of the file, and where it cannot be read any further.
    fn next_piece(&mut self) -> Option<Piece> {
        if let Some(piece) = self.waiting.take() {
            return Some(piece);
        }
        loop {
            match self.packets.next() {
                Ok(Read::Packet(packet)) => {
                    if self.is_behind_all(&packet) {
                        return None;
                    }
                    let track = self.tracks.iter().find(|track| track.stream_index == packet.stream());
                    if let Some(piece) = track.and_then(|track| track.piece(packet)) {
                        return Some(piece);
                    }
                }
                // What is behind it may be a subtitle again.
                Ok(Read::Damaged(_)) => {}
                Ok(Read::End) => return None,
                Err(source) => {
                    let error = MediaError::Read { path: self.path.clone(), source };
                    self.cut_short = Some(error.to_string());
                    return None;
                }
            }
        }
    }
}

impl Track {
    /// What of a packet goes into the output: its part inside the window, counted from the window's start.
    fn piece(&self, packet: Packet) -> Option<Piece> {
        let start = packet.pts().or(packet.dts())?.saturating_sub(self.window.start);
        let end = start.saturating_add(packet.duration().max(0));
        let length = self.window.end.map(|end| end.saturating_sub(self.window.start));
        let (shown_start, shown_end) = (start.max(0), length.map_or(end, |length| end.min(length)));
        if shown_end <= shown_start && end != start || length.is_some_and(|length| start >= length) || end < 0
        {
            return None;
        }
        let mut packet = if self.codec == self.output_codec {
            packet
        } else {
            let text = text_of(self.codec, packet.data()?);
            if text.is_empty() {
                return None;
            }
            Packet::copy(&packed(self.output_codec, &text))
        };
        packet.set_pts(Some(shown_start));
        packet.set_dts(Some(shown_start));
        packet.set_duration(shown_end - shown_start);
        let start = Timestamp::new(shown_start, self.time_base);
        Some(Piece { packet, output_index: self.output_index, time_base: self.time_base, start })
    }
}

fn is_text(codec: Id) -> bool {
    matches!(codec, Id::MOV_TEXT | Id::SUBRIP | Id::WEBVTT | Id::ASS | Id::SSA | Id::TEXT)
}

/// What stands before the packets of a converted stream.
pub(crate) fn header(codec: Id) -> &'static [u8] {
    // 3GPP TS 26.245, section 5.16: text at the bottom, in the middle; one style, white in 18 points; one font.
    const TIMED_TEXT: &[u8] = b"\0\0\0\0\x01\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x12\xff\xff\xff\xff\
        \0\0\0\x12ftab\0\x01\0\x01\x05Serif";
    if codec == Id::MOV_TEXT { TIMED_TEXT } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timed_text_has_its_header() {
        assert_eq!(header(Id::MOV_TEXT).len(), 48);
        assert!(header(Id::SUBRIP).is_empty());
    }
}
