//! The file being written.

use std::path::{Path, PathBuf};

use ffmpeg::{Dictionary, Packet, Stream, codec, encoder, format};
use ffmpeg_next as ffmpeg;
use pastiche_frame::Rational;

use crate::{
    MediaError,
    container::Container,
    error::Result,
    input::{ffmpeg_rational, ffmpeg_url},
    raw, subtitles,
};

/// A file: streams are added, then the header, packets and trailer are written.
pub(crate) struct Muxer {
    output: format::context::Output,
    container: Container,
    /// Named in errors; the file itself has another name until it is whole.
    target: PathBuf,
}

impl Muxer {
    pub(crate) fn create(file: &Path, target: &Path, container: Container) -> Result<Self> {
        // The muxer by its name, since the file's own ending says nothing.
        let output = format::output_as(&ffmpeg_url(file)?, container.muxer())
            .map_err(|source| MediaError::Write { path: target.to_owned(), source })?;
        Ok(Self { output, container, target: target.to_owned() })
    }

    pub(crate) fn container(&self) -> Container {
        self.container
    }

    fn failure(&self, source: ffmpeg::Error) -> MediaError {
        MediaError::Write { path: self.target.clone(), source }
    }

    /// A stream for an open encoder's packets, whose times are on `clock`.
    pub(crate) fn add_encoded_stream(&mut self, encoder: &codec::Context, clock: Rational) -> Result<usize> {
        // Apple's players know HEVC by this code only, and FFmpeg writes the other one.
        let takes_code = ["mp4", "mov"].contains(&self.output.format().name());
        let is_hevc = takes_code && encoder.id() == codec::Id::HEVC;
        let added = self.output.add_stream_with(encoder).map(|mut stream| {
            if is_hevc {
                raw::set_codec_tag(&mut stream, *b"hvc1");
            }
            stream.set_time_base(ffmpeg_rational(clock));
            stream.index()
        });
        added.map_err(|source| self.failure(source))
    }

    /// Notes the frame rate of a stream for players that show it.
    pub(crate) fn set_frame_rate(&mut self, index: usize, frame_rate: Rational) {
        if let Some(mut stream) = self.output.stream_mut(index) {
            stream.set_avg_frame_rate(ffmpeg_rational(frame_rate));
        }
    }

    /// A stream for another file's packets as they are.
    pub(crate) fn add_copied_stream(&mut self, source: &Stream<'_>) -> Result<usize> {
        let added = self.output.add_stream(encoder::find(codec::Id::None)).map(|mut stream| {
            stream.set_parameters(source.parameters());
            raw::clear_codec_tag(&mut stream);
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
    pub(crate) fn write(&mut self, mut packet: Packet, index: usize, clock: Rational) -> Result<()> {
        let written = match self.output.stream(index).map(|stream| stream.time_base()) {
            Some(time_base) => {
                packet.set_stream(index);
                packet.set_position(-1);
                packet.rescale_ts(ffmpeg_rational(clock), time_base);
                packet.write_interleaved(&mut self.output)
            }
            None => Err(ffmpeg::Error::StreamNotFound),
        };
        written.map_err(|source| self.failure(source))
    }

    /// Writes what is held back and the index, and closes the file.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.output.write_trailer().map_err(|source| self.failure(source))
    }
}
