//! The source's text subtitles on their way into the output: as they are where it takes them, else as plain text.

use std::path::PathBuf;

use ffmpeg::{Packet, codec::Id, format, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    MediaError,
    container::Container,
    error::Result,
    extras::Extras,
    input::{self, Window},
    mux::Muxer,
    raw,
};

/// The text subtitles of one source, written piece by piece beside the pictures.
pub(crate) struct Subtitles {
    path: PathBuf,
    input: format::context::Input,
    tracks: Vec<Track>,
    /// Read, but not yet due.
    waiting: Option<Piece>,
    finished: bool,
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
        for mut other in input.streams_mut() {
            if tracks.iter().all(|track| track.stream_index != other.index()) {
                raw::discard(&mut other);
            }
        }
        Ok(Some(Self { path: extras.source.clone(), input, tracks, waiting: None, finished: false }))
    }

    /// Writes what is shown before `until`, or all.
    pub(crate) fn write_until(&mut self, until: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        while !self.finished {
            let Some(piece) = self.next_piece()? else {
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

    fn next_piece(&mut self) -> Result<Option<Piece>> {
        if let Some(piece) = self.waiting.take() {
            return Ok(Some(piece));
        }
        loop {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => return Ok(None),
                Err(source) => return Err(MediaError::Read { path: self.path.clone(), source }),
            }
            let track = self.tracks.iter().find(|track| track.stream_index == packet.stream());
            if let Some(piece) = track.and_then(|track| track.piece(packet)) {
                return Ok(Some(piece));
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

/// The plain text of a packet, without fonts and colours.
fn text_of(codec: Id, data: &[u8]) -> String {
    let text = match codec {
        // The text's length, then the text, then boxes of styles.
        Id::MOV_TEXT => {
            let length = data.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
            String::from_utf8_lossy(data.get(2..2 + length).unwrap_or_default()).into_owned()
        }
        // Eight fields with commas between, then the text.
        Id::ASS | Id::SSA => {
            let line = String::from_utf8_lossy(data);
            let text = line.splitn(9, ',').nth(8).unwrap_or_default();
            without(text, '{', '}').replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
        }
        _ => without(&String::from_utf8_lossy(data), '<', '>'),
    };
    text.replace('\r', "").trim().to_owned()
}

/// The text without what stands between these brackets. A bracket that is never closed is text.
fn without(text: &str, open: char, close: char) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        match after.split_once(close) {
            Some((_, after)) => rest = after,
            None => {
                kept.push(open);
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// A packet of this text.
fn packed(codec: Id, text: &str) -> Vec<u8> {
    if codec != Id::MOV_TEXT {
        return text.as_bytes().to_vec();
    }
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let length = (end as u16).to_be_bytes();
    [&length, &text.as_bytes()[..end]].concat()
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
    fn texts_lose_their_styles_and_keep_their_words() {
        for (codec, data, expected) in [
            (Id::SUBRIP, &b"<i>Hello</i>,\r\nworld 1 < 2"[..], "Hello,\nworld 1 < 2"),
            (Id::WEBVTT, b"<v Ann>Hello", "Hello"),
            (Id::ASS, b"0,0,Default,,0,0,0,,{\\b1}Hello{\\b0}, you\\Nthere", "Hello, you\nthere"),
            (Id::MOV_TEXT, b"\0\x05Hello\0\0\0\x0cstyl", "Hello"),
            (Id::MOV_TEXT, b"\0\0", ""),
            (Id::MOV_TEXT, b"\xff", ""),
            (Id::ASS, b"nonsense", ""),
        ] {
            assert_eq!(text_of(codec, data), expected, "{codec:?}");
        }
        assert_eq!(packed(Id::MOV_TEXT, "Hé"), b"\0\x03H\xc3\xa9");
        assert_eq!(text_of(Id::MOV_TEXT, &packed(Id::MOV_TEXT, "Hé\nyou")), "Hé\nyou");
        let long = "é".repeat(40_000);
        assert_eq!(packed(Id::MOV_TEXT, &long).len(), 2 + 65_534);
        assert_eq!(header(Id::MOV_TEXT).len(), 48);
    }
}
