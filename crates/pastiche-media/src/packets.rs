//! What a demuxer gives, with its failures told apart.

use ffmpeg::{Packet, format};
use ffmpeg_next as ffmpeg;

use crate::raw;

/// Unreadable packets in a row after which a file is given up.
const MAX_DAMAGED_IN_A_ROW: u32 = 10_000;

/// A file's packets, one after the other.
pub(crate) struct Packets {
    input: format::context::Input,
    damaged_in_a_row: u32,
}

/// What comes next.
pub(crate) enum Piece {
    Packet(Packet),
    /// Demuxers go on behind what they cannot make sense of.
    Damaged(ffmpeg::Error),
    End,
}

impl Packets {
    pub(crate) fn new(mut input: format::context::Input) -> Self {
        // Looking for an index or a length at the file's end may have failed; what is before it can be read.
        raw::forget_read_error(&mut input);
        Self { input, damaged_in_a_row: 0 }
    }

    pub(crate) fn input(&self) -> &format::context::Input {
        &self.input
    }

    /// Reads on.
    ///
    /// # Errors
    /// The drive gives no more of the file, which some demuxers take for its end; or nothing in it makes sense any more.
    pub(crate) fn next(&mut self) -> Result<Piece, ffmpeg::Error> {
        let mut packet = Packet::empty();
        match packet.read(&mut self.input) {
            Ok(()) => {
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
}
