//! Sound packet for packet.

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;
use pastiche_frame::Timestamp;

use super::Source;
use crate::{MediaError, error::Result, mux::Muxer, raw};

/// Sound whose packets go into the output as they are, moved in time only.
pub(crate) struct CopiedTrack {
    source: Source,
    output_index: usize,
    /// Read, but not yet due.
    waiting: Option<Packet>,
    finished: bool,
    /// Something has come that is heard.
    begun: bool,
    next_pts_ticks: i64,
}

impl CopiedTrack {
    pub(super) fn open(source: Source, muxer: &mut Muxer) -> Result<Self> {
        let stream = source.stream()?;
        let output_index = muxer.add_copied_stream(&stream)?;
        muxer.copy_stream_tags(output_index, &stream);
        let next_pts_ticks = source.window.start;
        Ok(Self { source, output_index, waiting: None, finished: false, begun: false, next_pts_ticks })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Writes the packets that start before `until`, or all.
    pub(super) fn write_until(&mut self, until: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        while !self.finished {
            let packet = match self.waiting.take() {
                Some(packet) => Some(packet),
                None => self.next_wanted(),
            };
            let Some(packet) = packet else {
                self.finished = true;
                break;
            };
            let time = Timestamp::new(packet.pts().unwrap_or_default(), self.source.time_base);
            if until.is_some_and(|until| time >= until) {
                self.waiting = Some(packet);
                break;
            }
            match muxer.write(packet, self.output_index, self.source.time_base) {
                // In damaged files there are packets that the container's own form cannot be made of.
                Err(MediaError::Write { source: error @ ffmpeg::Error::InvalidData, .. }) => {
                    self.source.note_damage(error);
                }
                written => written?,
            }
        }
        Ok(())
    }

    /// The next packet of the window, its times counted from the window's start. The packet that the start falls into
    /// is kept, with a time just below zero: the container tells players to skip what is before zero.
    fn next_wanted(&mut self) -> Option<Packet> {
        while let Some(mut packet) = self.source.next_packet() {
            let window = self.source.window;
            // What an edit list leaves out between two parts; what it does before the first settles the decoder.
            let is_hidden = raw::is_hidden(&packet);
            if is_hidden && self.begun {
                continue;
            }
            self.begun |= !is_hidden;
            let pts = packet.pts().or(packet.dts()).unwrap_or(self.next_pts_ticks);
            self.next_pts_ticks = pts.saturating_add(packet.duration());
            if window.end.is_some_and(|end| pts >= end) {
                return None;
            }
            let before = pts < window.start && self.next_pts_ticks <= window.start;
            if before && !window.from_beginning {
                continue;
            }
            if packet.is_corrupt() && !self.source.counts_losses() {
                self.source.note_damage(ffmpeg::Error::InvalidData);
            }
            let dts = packet.dts().unwrap_or(pts).saturating_sub(window.start);
            packet.set_dts(Some(dts));
            packet.set_pts(Some(pts.saturating_sub(window.start).max(dts)));
            return Some(packet);
        }
        None
    }
}
