//! The end of every way that sound takes into a file but as it is: an encoder, and its stream in the output.

use ffmpeg::{
    ChannelLayout, Dictionary, Packet,
    codec::{self, Id},
    encoder, filter,
    format::{Sample, sample::Type},
    frame,
};
use ffmpeg_next as ffmpeg;
use pastiche_frame::Rational;

use super::limiter::limit;
use crate::{MediaError, decode::is_again, error::Result, mux::Muxer};

const BITS_PER_SECOND_AND_CHANNEL: usize = 80_000;

/// What an error of FFmpeg means here.
pub(super) type Failure<'a> = &'a dyn Fn(ffmpeg::Error) -> MediaError;

/// An encoder of sound, and its stream.
pub(super) struct SoundEncoder {
    encoder: encoder::Audio,
    sample_clock: Rational,
    output_index: usize,
    filtered: frame::Audio,
}

impl SoundEncoder {
    /// Opens an encoder and adds a stream for it to the output, whose header is not yet written.
    pub(super) fn open(
        codec: Id,
        rate_hz: u32,
        layout: ChannelLayout,
        muxer: &mut Muxer,
        failure: Failure<'_>,
    ) -> Result<Self> {
        let encoder = open(codec, rate_hz, layout).map_err(failure)?;
        let sample_clock =
            Rational::new(1, encoder.rate() as i32).map_err(|_| failure(ffmpeg::Error::InvalidData))?;
        let output_index = muxer.add_encoded_stream(&encoder, sample_clock)?;
        Ok(Self { encoder, sample_clock, output_index, filtered: frame::Audio::empty() })
    }

    /// What it encodes to.
    pub(super) fn codec(&self) -> Id {
        self.encoder.id()
    }

    /// The stream's number in the output.
    pub(super) fn output_index(&self) -> usize {
        self.output_index
    }

    /// The steps of a filter graph, after those that `resampling` adds to the resampler, to what the encoder takes.
    pub(super) fn filter_steps(&self, resampling: &str) -> String {
        let (rate_hz, format) = (self.encoder.rate(), self.encoder.format().name());
        let layout_bits = self.encoder.channel_layout().bits();
        format!(
            "aresample={rate_hz}:{resampling},aformat=sample_fmts={format}:channel_layouts={layout_bits:#x}"
        )
    }

    /// Lets the graph cut what it gives into frames of the encoder's length.
    pub(super) fn cut(&self, graph: &mut filter::Graph) {
        if let Some(mut output) = graph.get("out") {
            output.sink().set_frame_size(self.encoder.frame_size());
        }
    }

    /// Encodes and writes what the graph gives.
    pub(super) fn write_from(
        &mut self,
        graph: &mut filter::Graph,
        muxer: &mut Muxer,
        failure: Failure<'_>,
    ) -> Result<()> {
        while let Some(mut output) = graph.get("out") {
            match output.sink().frame(&mut self.filtered) {
                Ok(()) => {
                    limit(&mut self.filtered).map_err(failure)?;
                    self.encoder.send_frame(&self.filtered).map_err(failure)?;
                    self.write_encoded(muxer, failure)?;
                }
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => break,
                Err(error) => return Err(failure(error)),
            }
        }
        Ok(())
    }

    /// Writes what the encoder still holds.
    pub(super) fn finish(&mut self, muxer: &mut Muxer, failure: Failure<'_>) -> Result<()> {
        self.encoder.send_eof().map_err(failure)?;
        self.write_encoded(muxer, failure)
    }

    fn write_encoded(&mut self, muxer: &mut Muxer, failure: Failure<'_>) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => muxer.write(packet, self.output_index, self.sample_clock)?,
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => return Ok(()),
                Err(error) => return Err(failure(error)),
            }
        }
    }
}

fn open(codec: Id, rate_hz: u32, layout: ChannelLayout) -> Result<encoder::Audio, ffmpeg::Error> {
    let is_opus = codec == Id::OPUS;
    // FFmpeg's own Opus encoder is not yet what the library is.
    let found = if is_opus { encoder::find_by_name("libopus") } else { encoder::find(codec) };
    let codec = found.ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut audio = codec::Context::new_with_codec(codec).encoder().audio()?;
    audio.set_rate(rate_hz as i32);
    audio.set_channel_layout(layout);
    audio.set_format(Sample::F32(if is_opus { Type::Packed } else { Type::Planar }));
    audio.set_bit_rate(BITS_PER_SECOND_AND_CHANNEL * layout.channels().max(1) as usize);
    audio.set_time_base(ffmpeg::Rational::new(1, rate_hz as i32));
    audio.set_flags(codec::Flags::GLOBAL_HEADER);
    let mut options = Dictionary::new();
    if is_opus && layout.channels() > 2 {
        // The order of channels that Opus has for surround sound (RFC 7845, 5.1.1.2); left to choose, FFmpeg 5.1 says so too,
        // but does not bring the 7 of 6.1 into it.
        options.set("mapping_family", "1");
    }
    audio.open_as_with(codec, options)
}
