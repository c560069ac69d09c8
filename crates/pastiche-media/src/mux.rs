//! The file being written.

use std::{io, path::PathBuf};

use ffmpeg::{Dictionary, Packet, Stream, codec, encoder, format, format::context::StreamIo};
use ffmpeg_next as ffmpeg;
use pastiche_frame::Rational;

use crate::{
    MediaError,
    container::Container,
    error::Result,
    input::{ffmpeg_rational, ffmpeg_url},
    output_file::{OutputFile, copy_of},
    partial_file::PartialFile,
    raw, subtitles,
};

/// What a file takes beside its packets, tags and all.
const BESIDE_PACKETS_BYTES: u64 = 1 << 20;
/// What a packet takes in the index at most, and before it: in MP4 its size, time, offset, and place among the others.
const BESIDE_PACKET_BYTES: u64 = 64;
/// Apple's players know HEVC by this code only, and FFmpeg writes the other one.
const HEVC_CODE: [u8; 4] = *b"hvc1";
/// FFmpeg's default for files.
const BUFFER_BYTES: usize = 32_768;

/// A file: streams are added, then the header, packets and trailer are written.
pub(crate) struct Muxer {
    output: format::context::Output,
    file: OutputFile,
    container: Container,
    /// Named in errors; the file itself has another name until it is whole.
    target: PathBuf,
    /// Whether the file is of use while it is written, so that nothing need be kept free for its end.
    growing: bool,
    /// What the packets up to now take at most.
    packets_bytes: u64,
    /// When the last packet of each stream is decoded, on the muxer's clock.
    last_dts_ticks: Vec<Option<i64>>,
    /// Why the drive takes no more.
    stopped: Option<io::Error>,
}

impl Muxer {
    pub(crate) fn create(file: &PartialFile, container: Container) -> Result<Self> {
        let target = file.target().to_owned();
        let opened = OutputFile::open(file.path())
            .map_err(|source| MediaError::OutputNotWritable { path: target.clone(), source })?;
        let url = ffmpeg_url(file.path())?;
        // The muxer by its name, since the file's own ending says nothing; the file's name, since an MP4's writer reads
        // it back when it moves the index to the front.
        let output = StreamIo::from_write_seek_with_capacity(opened.clone(), BUFFER_BYTES)
            .and_then(|stream| format::output_to_stream(stream, url.to_str(), Some(container.muxer())))
            .map_err(|source| MediaError::Write { path: target.clone(), source })?;
        let growing = file.is_growing();
        Ok(Self {
            output,
            file: opened,
            container,
            target,
            growing,
            packets_bytes: 0,
            last_dts_ticks: Vec::new(),
            stopped: None,
        })
    }

    pub(crate) fn container(&self) -> Container {
        self.container
    }

    /// Whether the drive takes no more: then the file can only be closed.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// What went wrong: with the drive, else with the stream.
    fn failure(&mut self, source: ffmpeg::Error) -> MediaError {
        match self.file.take_error() {
            Some(source) => self.drive_failure(source),
            None => match &self.stopped {
                Some(stopped) => self.drive_error(copy_of(stopped)),
                None => MediaError::Write { path: self.target.clone(), source },
            },
        }
    }

    fn drive_failure(&mut self, source: io::Error) -> MediaError {
        self.stopped.get_or_insert_with(|| copy_of(&source));
        self.drive_error(source)
    }

    fn drive_error(&self, source: io::Error) -> MediaError {
        MediaError::Drive { path: self.target.clone(), source }
    }

    /// A stream for an open encoder's packets, whose times are on `clock`.
    pub(crate) fn add_encoded_stream(&mut self, encoder: &codec::Context, clock: Rational) -> Result<usize> {
        let is_hevc = self.takes_hevc_code(encoder.id());
        let added = self.output.add_stream_with(encoder).map(|mut stream| {
            if is_hevc {
                raw::set_codec_tag(&mut stream, HEVC_CODE);
            }
            stream.set_time_base(ffmpeg_rational(clock));
            stream.index()
        });
        added.map_err(|source| self.failure(source))
    }

    fn takes_hevc_code(&self, codec: codec::Id) -> bool {
        codec == codec::Id::HEVC && ["mp4", "mov"].contains(&self.output.format().name())
    }

    /// Notes the frame rate of a stream for players that show it.
    pub(crate) fn set_frame_rate(&mut self, index: usize, frame_rate: Rational) {
        if let Some(mut stream) = self.output.stream_mut(index) {
            stream.set_avg_frame_rate(ffmpeg_rational(frame_rate));
        }
    }

    /// A stream for another file's packets as they are.
    pub(crate) fn add_copied_stream(&mut self, source: &Stream<'_>) -> Result<usize> {
        let is_hevc = self.takes_hevc_code(source.parameters().id());
        let added = self.output.add_stream(encoder::find(codec::Id::None)).map(|mut stream| {
            stream.set_parameters(source.parameters());
            raw::clear_codec_tag(&mut stream);
            if is_hevc {
                raw::set_codec_tag(&mut stream, HEVC_CODE);
            }
            stream.set_time_base(source.time_base());
            stream.index()
        });
        added.map_err(|source| self.failure(source))
    }

    /// A stream for subtitles that are made here.
    pub(crate) fn add_subtitle_stream(&mut self, codec: codec::Id, clock: ffmpeg::Rational) -> Result<usize> {
        let added = self.output.add_stream(encoder::find(codec::Id::None)).and_then(|mut stream| {
            raw::set_subtitle_parameters(&mut stream, codec, subtitles::header(codec))?;
            stream.set_time_base(clock);
            Ok(stream.index())
        });
        added.map_err(|source| self.failure(source))
    }

    /// Takes over a stream's language and title.
    pub(crate) fn copy_stream_tags(&mut self, index: usize, source: &Stream<'_>) {
        let mut kept = Dictionary::new();
        for (key, value) in raw::stream_tags(source) {
            if ["language", "title"].iter().any(|taken| key.eq_ignore_ascii_case(taken)) {
                kept.set(&key, &value);
            }
        }
        if let Some(mut stream) = self.output.stream_mut(index) {
            stream.set_metadata(kept);
        }
    }

    /// Sets the tags of the whole file.
    pub(crate) fn set_tags(&mut self, tags: Dictionary<'_>) {
        self.output.set_metadata(tags);
    }

    /// Adds a chapter, in microseconds.
    pub(crate) fn add_chapter(&mut self, start: i64, end: i64, title: &str) -> Result<()> {
        let id = i64::from(self.output.nb_chapters());
        let microseconds = ffmpeg_rational(Rational::MICROSECONDS);
        let added = self.output.add_chapter(id, microseconds, start, end, title).map(drop);
        added.map_err(|source| self.failure(source))
    }

    /// Writes the header.
    pub(crate) fn write_header(&mut self, options: Dictionary<'_>) -> Result<()> {
        let written = self.output.write_header_with(options).map(drop);
        written.map_err(|source| self.failure(source))
    }

    /// Writes a packet whose times are on `clock`. The muxer has settled on clocks of its own by now.
    ///
    /// Only where the drive has room for it and for closing the file after it.
    pub(crate) fn write(&mut self, mut packet: Packet, index: usize, clock: Rational) -> Result<()> {
        if !self.growing {
            self.packets_bytes += packet.size() as u64 + BESIDE_PACKET_BYTES;
            let room = self.file.make_room(self.packets_bytes + BESIDE_PACKETS_BYTES);
            room.map_err(|source| self.drive_failure(source))?;
        }
        let written = match self.output.stream(index).map(|stream| stream.time_base()) {
            Some(time_base) => {
                packet.set_stream(index);
                packet.set_position(-1);
                packet.rescale_ts(ffmpeg_rational(clock), time_base);
                self.order(&mut packet, index);
                packet.write_interleaved(&mut self.output)
            }
            None => Err(ffmpeg::Error::StreamNotFound),
        };
        written.map_err(|source| self.failure(source))?;
        if self.growing {
            self.file.note_useful();
        }
        Ok(())
    }

    /// Packets of a stream are decoded one after the other, never two at once; damaged recordings step back, and two times
    /// may be one on a coarser clock.
    fn order(&mut self, packet: &mut Packet, index: usize) {
        if self.last_dts_ticks.len() <= index {
            self.last_dts_ticks.resize(index + 1, None);
        }
        let Some(dts) = packet.dts() else { return };
        let last = self.last_dts_ticks[index];
        let ordered = last.map_or(dts, |last| dts.max(last.saturating_add(1)));
        self.last_dts_ticks[index] = Some(ordered);
        if ordered != dts {
            packet.set_dts(Some(ordered));
            packet.set_pts(packet.pts().map(|pts| pts.max(ordered)));
        }
    }

    /// Writes what is held back and the index, and closes the file; returns why the drive took no more, where it did not.
    pub(crate) fn finish(mut self) -> Result<Option<MediaError>> {
        // What grows is of use as it is, and a drive that has failed would fail again.
        if !(self.growing && self.has_stopped()) {
            self.output.write_trailer().map_err(|source| self.failure(source))?;
        }
        self.file
            .take_error()
            .map_or_else(|| self.file.close(), Err)
            .map_err(|source| self.drive_failure(source))?;
        Ok(self.stopped.take().map(|source| self.drive_error(source)))
    }
}
