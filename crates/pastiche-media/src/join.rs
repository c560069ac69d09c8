//! Pieces of a video, each in a file of its own, to one file with the source's sound: packet for packet.

use std::path::{Path, PathBuf};

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    AudioRequest, EncodeSummary, MediaError,
    container::Container,
    error::Result,
    extras::Extras,
    input,
    movie::{Beside, Movie},
    packets::{Packets, Piece},
    partial_file::PartialFile,
};

/// A file that [`crate::VideoEncoder`] wrote, without sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoPart {
    /// The file.
    pub path: PathBuf,
    /// When its first picture is shown.
    pub start: Timestamp,
    /// How many pictures it holds.
    pub pictures: u64,
}

/// What goes into the one file beside the pictures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JoinOptions {
    /// About how many pictures a second come, where that is known.
    pub frame_rate: Option<Rational>,
    /// The sound to take along.
    pub audio: Option<AudioRequest>,
    /// Where tags, chapters and subtitles are taken from.
    pub extras: Option<Extras>,
}

/// Writes parts that were encoded with the same settings one behind the other, without encoding them again.
///
/// # Errors
/// There are no parts; one of them is damaged; or the output cannot be written, of which nothing is left then.
pub fn join_parts(output: &Path, parts: &[VideoPart], options: &JoinOptions) -> Result<EncodeSummary> {
    crate::init();
    let container = Container::of(output)
        .ok_or_else(|| MediaError::OutputKind { supported: Container::SUPPORTED, path: output.to_owned() })?;
    let first = parts.first().ok_or_else(|| MediaError::PartDamaged { path: output.to_owned() })?;
    let first = OpenPart::open(first)?;
    let mut movie = Movie::create(
        PartialFile::create(output)?,
        container,
        |muxer| {
            let index = muxer.add_copied_stream(&first.stream()?)?;
            if let Some(frame_rate) = options.frame_rate {
                muxer.set_frame_rate(index, frame_rate);
            }
            Ok(index)
        },
        Beside { audio: options.audio.as_ref(), extras: options.extras.as_ref(), with_microphone: false },
    )?;
    drop(first);
    let mut last_dts = None;
    for part in parts {
        let mut opened = OpenPart::open(part)?;
        for _ in 0..part.pictures {
            let mut packet = opened.next_packet()?;
            // Before a part's first picture an encoder counts time for those that it puts in another order; the part
            // before may have used that up. Both count less than there are pictures, so no picture comes to be shown
            // before it is decoded.
            let dts = Timestamp::new(packet.dts().unwrap_or_default(), opened.time_base);
            let dts = last_dts.map_or(dts, |last| dts.max(tick_after(last, opened.time_base)));
            packet.set_dts(Some(dts.rescaled(opened.time_base).ticks));
            last_dts = Some(dts);
            movie.write_picture(packet, opened.time_base)?;
            movie.write_beside(dts)?;
        }
    }
    movie.finish(None)
}

fn tick_after(time: Timestamp, time_base: Rational) -> Timestamp {
    Timestamp::new(time.rescaled(time_base).ticks.saturating_add(1), time_base)
}

/// A part that is read.
struct OpenPart<'a> {
    part: &'a VideoPart,
    packets: Packets,
    stream_index: usize,
    time_base: Rational,
    /// From the times in the file to those in the whole.
    shift_ticks: Option<i64>,
}

impl<'a> OpenPart<'a> {
    fn open(part: &'a VideoPart) -> Result<Self> {
        let input = input::open(&part.path)?;
        let stream = input::video_stream(&input).ok_or_else(|| damaged(part))?;
        let (stream_index, time_base) = (stream.index(), input::rational(stream.time_base()));
        let time_base = time_base.ok_or_else(|| damaged(part))?;
        Ok(Self { part, packets: Packets::new(input, false), stream_index, time_base, shift_ticks: None })
    }

    fn stream(&self) -> Result<ffmpeg::Stream<'_>> {
        self.packets.input().stream(self.stream_index).ok_or_else(|| damaged(self.part))
    }

    /// The next picture, at its time in the whole.
    fn next_packet(&mut self) -> Result<Packet> {
        let Ok(Piece::Packet(mut packet)) = self.packets.next() else { return Err(damaged(self.part)) };
        let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) else { return Err(damaged(self.part)) };
        let start_ticks = self.part.start.rescaled(self.time_base).ticks;
        let shift = *self.shift_ticks.get_or_insert(start_ticks.saturating_sub(pts));
        packet.set_pts(Some(pts.saturating_add(shift)));
        packet.set_dts(Some(dts.saturating_add(shift)));
        Ok(packet)
    }
}

fn damaged(part: &VideoPart) -> MediaError {
    MediaError::PartDamaged { path: part.path.clone() }
}
