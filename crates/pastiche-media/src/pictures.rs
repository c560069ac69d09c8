//! A file's pictures as the decoder gives them: in the order in which they are shown, whole, what is damaged counted.

use std::path::{Path, PathBuf};

use ffmpeg::{Packet, codec::packet::side_data, format, frame};
use ffmpeg_next as ffmpeg;
use pastiche_frame::Rational;

use crate::{MediaError, decode::is_again, deinterlace::Deinterlacer, demuxer_log, error::Result};

/// Unreadable packets in a row after which the file is given up.
const MAX_BAD_PACKETS: u32 = 10_000;

/// One stream's pictures.
pub(crate) struct PictureReader {
    path: PathBuf,
    input: format::context::Input,
    /// Whether only the log hears of what the demuxer loses.
    is_silent: bool,
    stream_index: usize,
    time_base: Rational,
    decoder: ffmpeg::decoder::Video,
    picture: frame::Video,
    pts_ticks: Option<i64>,
    /// From the first interlaced picture on.
    deinterlacer: Option<Deinterlacer>,
    /// Of another form than those that the deinterlacer still holds.
    waiting: Option<frame::Video>,
    drained: bool,
    bad_packets_in_a_row: u32,
    skipped: u64,
}

impl PictureReader {
    /// `has_errors`: whether the log heard of any when the file was opened, for which much of it may have been read.
    pub(crate) fn new(
        path: &Path,
        (input, has_errors): (format::context::Input, bool),
        stream_index: usize,
        decoder: ffmpeg::decoder::Video,
        time_base: Rational,
    ) -> Self {
        let is_silent = demuxer_log::is_silent(input.format().name());
        Self {
            path: path.to_owned(),
            input,
            is_silent,
            stream_index,
            time_base,
            decoder,
            picture: frame::Video::empty(),
            pts_ticks: None,
            deinterlacer: None,
            waiting: None,
            drained: false,
            bad_packets_in_a_row: 0,
            skipped: u64::from(has_errors && is_silent),
        }
    }

    /// The picture that [`Self::advance`] has read.
    pub(crate) fn picture(&self) -> &frame::Video {
        &self.picture
    }

    /// When it is shown, on the stream's clock, as far as the file says.
    pub(crate) fn pts_ticks(&self) -> Option<i64> {
        self.pts_ticks
    }

    /// For how long, where the file says.
    pub(crate) fn duration_ticks(&self) -> Option<i64> {
        Some(self.picture.packet().duration).filter(|ticks| *ticks > 0)
    }

    /// Whether parts of it are guessed, since they could not be decoded.
    pub(crate) fn is_concealed(&self) -> bool {
        self.picture.is_corrupt() || self.picture.has_decode_errors()
    }

    /// How many pieces of the file could not be decoded and are left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Reads the next picture; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(deinterlacer) = &mut self.deinterlacer {
                match deinterlacer.receive(&mut self.picture) {
                    Ok(()) => {
                        self.pts_ticks = self.picture.pts();
                        return Ok(true);
                    }
                    Err(ffmpeg::Error::Eof) => self.deinterlacer = None,
                    Err(error) if is_again(error) => {}
                    Err(source) => return Err(self.unusable(source)),
                }
            }
            if self.deinterlacer.is_none()
                && let Some(waiting) = self.waiting.take()
            {
                self.picture = waiting;
                if self.deliver()? {
                    return Ok(true);
                }
                continue;
            }
            if self.drained && self.deinterlacer.is_none() {
                return Ok(false);
            }
            if !self.drained && self.decode()? && self.deliver()? {
                return Ok(true);
            }
        }
    }

    /// Decodes the next picture; `false` where there is none yet or no more.
    fn decode(&mut self) -> Result<bool> {
        match self.decoder.receive_frame(&mut self.picture) {
            Ok(()) => return Ok(true),
            Err(error) if is_again(error) => self.feed()?,
            Err(ffmpeg::Error::Eof) => {
                self.drained = true;
                self.flush_deinterlacer()?;
            }
            Err(error) => self.skip(error),
        }
        Ok(false)
    }

    /// Gives a decoded picture out, or to the deinterlacer; whether it is out.
    fn deliver(&mut self) -> Result<bool> {
        let pts_ticks = self.picture.timestamp();
        let Some(deinterlacer) = &mut self.deinterlacer else {
            if !self.picture.is_interlaced() {
                self.pts_ticks = pts_ticks;
                return Ok(true);
            }
            let made = Deinterlacer::new(&self.picture, self.time_base);
            self.deinterlacer = Some(made.map_err(|source| self.unusable(source))?);
            return self.deliver();
        };
        if !deinterlacer.takes(&self.picture) {
            self.waiting = Some(std::mem::replace(&mut self.picture, frame::Video::empty()));
            self.flush_deinterlacer()?;
            return Ok(false);
        }
        self.picture.set_pts(pts_ticks);
        deinterlacer.send(&self.picture).map_err(|source| self.unusable(source))?;
        Ok(false)
    }

    fn flush_deinterlacer(&mut self) -> Result<()> {
        match self.deinterlacer.as_mut().map(Deinterlacer::finish) {
            Some(Err(source)) => Err(self.unusable(source)),
            _ => Ok(()),
        }
    }

    /// Gives the decoder the next packet of the video, or tells it that there are no more.
    fn feed(&mut self) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            let (read, has_errors) = demuxer_log::listen(|| packet.read(&mut self.input));
            if has_errors && self.is_silent {
                self.skip(ffmpeg::Error::InvalidData);
            }
            let fed = match read {
                Ok(()) if packet.stream() != self.stream_index => continue,
                Ok(()) if packet.side_data().any(|data| data.kind() == side_data::Type::EncryptionInfo) => {
                    return Err(MediaError::Encrypted { path: self.path.clone() });
                }
                Ok(()) => {
                    self.bad_packets_in_a_row = 0;
                    self.decoder.send_packet(&packet)
                }
                Err(ffmpeg::Error::Eof) => self.decoder.send_eof(),
                // Demuxers go on behind what they cannot make sense of.
                Err(error @ ffmpeg::Error::InvalidData) if self.bad_packets_in_a_row < MAX_BAD_PACKETS => {
                    self.bad_packets_in_a_row += 1;
                    Err(error)
                }
                Err(source) => return Err(MediaError::Read { path: self.path.clone(), source }),
            };
            if let Err(error) = fed {
                self.skip(error);
            }
            return Ok(());
        }
    }

    fn skip(&mut self, error: ffmpeg::Error) {
        if self.skipped == 0 {
            let path = self.path.display();
            log::info!("the video is damaged ({error}); what cannot be decoded is skipped: {path}");
        }
        self.skipped += 1;
    }

    fn unusable(&self, source: ffmpeg::Error) -> MediaError {
        MediaError::Convert { path: self.path.clone(), source }
    }
}
