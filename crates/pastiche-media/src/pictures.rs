//! A file's pictures as the decoder gives them: in the order in which they are shown, whole, what is damaged counted.

use std::path::{Path, PathBuf};

use ffmpeg::{Packet, codec::packet::side_data, format, frame};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    MediaError,
    decode::is_again,
    deinterlace::Deinterlacer,
    demuxer_log::Heard,
    ending,
    error::Result,
    input, nvdec,
    packets::{Packets, Piece},
};

/// One stream's pictures.
pub(crate) struct PictureReader {
    path: PathBuf,
    packets: Packets,
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
    /// Why the file could not be read on, told when all is out that came before.
    read_error: Option<MediaError>,
    skipped: u64,
    /// When the last of the packets ends that were read, of whatever stream.
    end_micros: i64,
    breaks_off: bool,
}

impl PictureReader {
    /// With the input, what the log heard when it was opened, for which much of it may have been read.
    pub(crate) fn new(
        path: &Path,
        (input, heard): (format::context::Input, &Heard),
        stream_index: usize,
        decoder: ffmpeg::decoder::Video,
        time_base: Rational,
    ) -> Self {
        Self {
            path: path.to_owned(),
            packets: Packets::new(input, heard),
            stream_index,
            time_base,
            decoder,
            picture: frame::Video::empty(),
            pts_ticks: None,
            deinterlacer: None,
            waiting: None,
            drained: false,
            read_error: None,
            skipped: 0,
            end_micros: i64::MIN,
            breaks_off: false,
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
        self.skipped + self.packets.losses(self.stream_index).unwrap_or(0)
    }

    /// When the last of the packets ends that were read, of whatever stream, in microseconds.
    pub(crate) fn end_micros(&self) -> i64 {
        self.end_micros
    }

    /// Whether the file, which is read to its end, ends in the middle of something.
    pub(crate) fn breaks_off(&self) -> bool {
        self.breaks_off
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
                return self.read_error.take().map_or(Ok(false), Err);
            }
            if !self.drained && self.decode()? && self.deliver()? {
                return Ok(true);
            }
        }
    }

    /// Decodes the next picture; `false` where there is none yet or no more.
    fn decode(&mut self) -> Result<bool> {
        match self.decoder.receive_frame(&mut self.picture) {
            Ok(()) => {
                if nvdec::is_on_card(&self.picture) {
                    let downloaded = nvdec::downloaded(&self.picture);
                    self.picture = downloaded.map_err(|source| self.unusable(source))?;
                }
                return Ok(true);
            }
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
        let fed = loop {
            match self.packets.next() {
                Ok(Piece::Packet(packet)) => {
                    self.note_end(&packet);
                    if packet.stream() != self.stream_index {
                        continue;
                    }
                    if packet.side_data().any(|data| data.kind() == side_data::Type::EncryptionInfo) {
                        return Err(MediaError::Encrypted { path: self.path.clone() });
                    }
                    break self.decoder.send_packet(&packet);
                }
                Ok(Piece::Damaged(error)) => break Err(error),
                Ok(Piece::End) => {
                    self.breaks_off = ending::breaks_off(&self.path, self.packets.input());
                    break self.decoder.send_eof();
                }
                Err(source) => {
                    self.read_error = Some(MediaError::Read { path: self.path.clone(), source });
                    break self.decoder.send_eof();
                }
            }
        };
        if let Err(error) = fed {
            self.skip(error);
        }
        Ok(())
    }

    fn note_end(&mut self, packet: &Packet) {
        let stream = self.packets.input().stream(packet.stream());
        let time_base = stream.and_then(|stream| input::rational(stream.time_base()));
        if let (Some(start), Some(time_base)) = (packet.pts().or(packet.dts()), time_base) {
            let end = Timestamp::new(start.saturating_add(packet.duration().max(0)), time_base);
            self.end_micros = self.end_micros.max(end.rescaled(Rational::MICROSECONDS).ticks);
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
