//! What a demuxer gives, with its failures told apart.

use ffmpeg::{Packet, format};
use ffmpeg_next as ffmpeg;

use crate::{
    demuxer_log::{self, Heard},
    discontinuities::Discontinuities,
    raw,
};

/// Unreadable packets in a row after which a file is given up.
const MAX_DAMAGED_IN_A_ROW: u32 = 10_000;

/// A file's packets, one after the other.
pub(crate) struct Packets {
    input: format::context::Input,
    /// Whether only the log hears of what the demuxer loses.
    is_silent: bool,
    /// Where the file may be several, end to end.
    discontinuities: Option<Discontinuities>,
    damaged_in_a_row: u32,
    /// Whether something was lost when the file was opened, for which much of it may have been read, that is not told yet.
    lost_at_first: bool,
    /// What was read behind a loss that had to be told first.
    behind_loss: Option<Result<Packet, ffmpeg::Error>>,
}

/// What comes next.
pub(crate) enum Piece {
    Packet(Packet),
    /// Demuxers go on behind what they cannot make sense of.
    Damaged(ffmpeg::Error),
    End,
}

impl Packets {
    /// `heard`: what the log heard when the file was opened.
    pub(crate) fn new(mut input: format::context::Input, heard: &Heard) -> Self {
        // Looking for an index or a length at the file's end may have failed; what is before it can be read.
        raw::forget_read_error(&mut input);
        let is_silent = demuxer_log::is_silent(input.format().name());
        let lost_at_first = heard.has_errors && is_silent;
        let discontinuities = Discontinuities::of(&input);
        Self { input, is_silent, discontinuities, damaged_in_a_row: 0, lost_at_first, behind_loss: None }
    }

    /// How much of a stream the demuxer has lost on its way, which is told here only; nothing where it marks the packets.
    pub(crate) fn losses(&self, stream: usize) -> Option<u64> {
        self.discontinuities.as_ref().map(|discontinuities| discontinuities.losses(stream))
    }

    pub(crate) fn input(&self) -> &format::context::Input {
        &self.input
    }

    /// Reads on.
    ///
    /// # Errors
    /// The drive gives no more of the file, which some demuxers take for its end; or nothing in it makes sense any more.
    pub(crate) fn next(&mut self) -> Result<Piece, ffmpeg::Error> {
        if std::mem::take(&mut self.lost_at_first) {
            return Ok(Piece::Damaged(ffmpeg::Error::InvalidData));
        }
        let read = match self.behind_loss.take() {
            Some(read) => read,
            None => {
                let (read, heard) = self.read();
                if heard.has_errors && self.is_silent {
                    self.behind_loss = Some(read);
                    return Ok(Piece::Damaged(ffmpeg::Error::InvalidData));
                }
                read
            }
        };
        match read {
            Ok(packet) => {
                self.damaged_in_a_row = 0;
                Ok(Piece::Packet(packet))
            }
            Err(ffmpeg::Error::Eof) => raw::read_error(&self.input).map_or(Ok(Piece::End), Err),
            Err(error @ ffmpeg::Error::InvalidData) if self.damaged_in_a_row < MAX_DAMAGED_IN_A_ROW => {
                self.damaged_in_a_row += 1;
                raw::read_error(&self.input).map_or(Ok(Piece::Damaged(error)), Err)
            }
            Err(error) => Err(error),
        }
    }

    /// The demuxer's answer, and what it told the log meanwhile.
    fn read(&mut self) -> (Result<Packet, ffmpeg::Error>, Heard) {
        let mut packet = Packet::empty();
        let (read, heard) = demuxer_log::listen(|| packet.read(&mut self.input));
        if let Some(discontinuities) = &mut self.discontinuities {
            heard.corrupt.iter().for_each(|corrupt| discontinuities.note_corrupt(*corrupt));
            if read.is_ok() {
                discontinuities.place(&mut packet);
            }
        }
        (read.map(|()| packet), heard)
    }
}
