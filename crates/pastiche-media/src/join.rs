//! Pieces of a video, each in a file of its own, to one file with the source's sound: packet for packet.

use std::path::{Path, PathBuf};

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    AudioRequest, EncodeSummary, MediaError,
    container::Container,
    demuxer_log::Heard,
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
    /// When its last picture ends.
    pub end: Timestamp,
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
    shift_ticks: i64,
    /// When pictures are shown in the file, in order.
    shown_ticks: Vec<i64>,
}

impl<'a> OpenPart<'a> {
    fn open(part: &'a VideoPart) -> Result<Self> {
        let mut opened = Self::at_its_start(part)?;
        let shown = (0..part.pictures).map(|_| Ok(opened.read()?.0));
        let mut shown_ticks = shown.collect::<Result<Vec<_>>>()?;
        // An encoder's first picture needs no other, so none is shown before it.
        let first = *shown_ticks.first().ok_or_else(|| damaged(part))?;
        shown_ticks.sort_unstable();
        let shift_ticks = part.start.rescaled(opened.time_base).ticks.saturating_sub(first);
        Ok(Self { shift_ticks, shown_ticks, ..Self::at_its_start(part)? })
    }

    fn at_its_start(part: &'a VideoPart) -> Result<Self> {
        let input = input::open(&part.path)?;
        let stream = input::video_stream(&input).ok_or_else(|| damaged(part))?;
        let (stream_index, time_base) = (stream.index(), input::rational(stream.time_base()));
        let time_base = time_base.ok_or_else(|| damaged(part))?;
        let packets = Packets::new(input, &Heard::default());
        Ok(Self { part, packets, stream_index, time_base, shift_ticks: 0, shown_ticks: Vec::new() })
    }

    fn stream(&self) -> Result<ffmpeg::Stream<'_>> {
        self.packets.input().stream(self.stream_index).ok_or_else(|| damaged(self.part))
    }

    /// The next picture: when it is shown and decoded in the file, and its packet.
    fn read(&mut self) -> Result<(i64, i64, Packet)> {
        let Ok(Piece::Packet(packet)) = self.packets.next() else { return Err(damaged(self.part)) };
        match (packet.pts(), packet.dts()) {
            (Some(pts), Some(dts)) => Ok((pts, dts, packet)),
            _ => Err(damaged(self.part)),
        }
    }

    /// The next picture, at its time in the whole.
    fn next_packet(&mut self) -> Result<Packet> {
        let (pts, dts, mut packet) = self.read()?;
        let start = pts.saturating_add(self.shift_ticks);
        // The file knows only how long it is from one packet to the next, which come in another order.
        let following = self.shown_ticks.partition_point(|ticks| *ticks <= pts);
        let end = self.shown_ticks.get(following).map_or_else(
            || self.part.end.rescaled(self.time_base).ticks,
            |ticks| ticks.saturating_add(self.shift_ticks),
        );
        packet.set_pts(Some(start));
        packet.set_dts(Some(dts.saturating_add(self.shift_ticks)));
        packet.set_duration(end.saturating_sub(start).max(1));
        Ok(packet)
    }
}

fn damaged(part: &VideoPart) -> MediaError {
    MediaError::PartDamaged { path: part.path.clone() }
}
