//! Sound to AAC or Opus: decoder, filter graph (trim, fill gaps, convert, cut into the encoder's frames), encoder.

use ffmpeg::{
    ChannelLayout, Packet,
    codec::{self, Id},
    encoder, filter,
    format::{Sample, sample::Type},
    frame,
};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use super::Source;
use crate::{decode::is_again, error::Result, mux::Muxer};

/// Rates that AAC takes as they are.
const AAC_SAMPLE_RATES_HZ: [u32; 11] =
    [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];
/// What other rates become, and all in Opus.
const FALLBACK_SAMPLE_RATE_HZ: u32 = 48_000;
const BITS_PER_SECOND_AND_CHANNEL: usize = 80_000;

/// Sound that goes into the output converted.
pub(crate) struct TranscodedTrack {
    source: Source,
    decoder: ffmpeg::decoder::Audio,
    decoded: frame::Audio,
    /// Built from the first decoded frame, which knows the format better than the file's header.
    graph: Option<filter::Graph>,
    filtered: frame::Audio,
    encoder: encoder::Audio,
    sample_clock: Rational,
    output_index: usize,
    /// Up to where the sound is decoded.
    decoded_until: Timestamp,
    source_ended: bool,
    damaged: bool,
}

impl TranscodedTrack {
    pub(super) fn open(source: Source, muxer: &mut Muxer) -> Result<Self> {
        let failure = |error| source.failure(error);
        let stream = source.stream()?;
        let mut context = codec::Context::from_parameters(stream.parameters()).map_err(failure)?.decoder();
        context.set_packet_time_base(stream.time_base());
        let decoder = context.audio().map_err(failure)?;
        let encoder = open_encoder(&decoder, muxer.container().sound_codec()).map_err(failure)?;
        let sample_clock =
            Rational::new(1, encoder.rate() as i32).map_err(|_| failure(ffmpeg::Error::InvalidData))?;
        let output_index = muxer.add_encoded_stream(&encoder, sample_clock)?;
        muxer.copy_stream_tags(output_index, &stream);
        Ok(Self {
            source,
            decoder,
            decoded: frame::Audio::empty(),
            graph: None,
            filtered: frame::Audio::empty(),
            encoder,
            sample_clock,
            output_index,
            decoded_until: Timestamp::ZERO,
            source_ended: false,
            damaged: false,
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn output_codec(&self) -> Id {
        self.encoder.id()
    }

    /// Decodes and writes up to `until`, or all.
    pub(super) fn write_until(&mut self, until: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        while !self.source_ended && until.is_none_or(|until| self.decoded_until < until) {
            let sent = match self.source.next_packet()? {
                Some(packet) => self.decoder.send_packet(&packet),
                None => {
                    self.source_ended = true;
                    self.decoder.send_eof()
                }
            };
            if let Err(error) = sent {
                self.note_damage(error);
            }
            self.filter_decoded()?;
            self.encode_filtered(muxer)?;
        }
        Ok(())
    }

    /// Writes up to `end`, or all, and closes the stream.
    pub(super) fn finish(&mut self, end: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        self.write_until(end, muxer)?;
        if let Some(mut input) = self.graph.as_mut().and_then(|graph| graph.get("in")) {
            input.source().flush().map_err(|error| self.source.failure(error))?;
        }
        self.encode_filtered(muxer)?;
        self.encoder.send_eof().map_err(|error| self.source.failure(error))?;
        self.write_encoded(muxer)
    }

    fn filter_decoded(&mut self) -> Result<()> {
        loop {
            match self.decoder.receive_frame(&mut self.decoded) {
                Ok(()) => self.filter_frame()?,
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => return Ok(()),
                Err(error) => self.note_damage(error),
            }
        }
    }

    /// Puts a decoded frame on the output's clock and into the graph.
    fn filter_frame(&mut self) -> Result<()> {
        let failure = |error| self.source.failure(error);
        let clock =
            Rational::new(1, self.decoded.rate() as i32).map_err(|_| failure(ffmpeg::Error::InvalidData))?;
        let window = self.source.window;
        let start = match self.decoded.timestamp() {
            Some(ticks) => Timestamp::new(ticks.saturating_sub(window.start), self.source.time_base),
            None => self.decoded_until,
        };
        let start = start.rescaled(clock);
        self.decoded_until = Timestamp::new(start.ticks.saturating_add(self.decoded.samples() as i64), clock);
        let end = window.end.map(|end| {
            Timestamp::new(end.saturating_sub(window.start), self.source.time_base).rescaled(clock)
        });
        if end.is_some_and(|end| start >= end) {
            self.source_ended = true;
            return Ok(());
        }
        self.decoded.set_pts(Some(start.ticks));
        let layout = layout_of(self.decoded.channel_layout(), self.decoded.channels());
        self.decoded.set_channel_layout(layout);
        let graph = match &mut self.graph {
            Some(graph) => graph,
            none => none.insert(
                build_graph(&self.decoded, end.map(|end| end.ticks), &self.encoder).map_err(failure)?,
            ),
        };
        let mut input = graph.get("in").ok_or_else(|| failure(ffmpeg::Error::FilterNotFound))?;
        input.source().add(&self.decoded).map_err(failure)
    }

    fn encode_filtered(&mut self, muxer: &mut Muxer) -> Result<()> {
        while let Some(mut output) = self.graph.as_mut().and_then(|graph| graph.get("out")) {
            match output.sink().frame(&mut self.filtered) {
                Ok(()) => {
                    self.encoder.send_frame(&self.filtered).map_err(|error| self.source.failure(error))?;
                    self.write_encoded(muxer)?;
                }
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => break,
                Err(error) => return Err(self.source.failure(error)),
            }
        }
        Ok(())
    }

    fn write_encoded(&mut self, muxer: &mut Muxer) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => muxer.write(packet, self.output_index, self.sample_clock)?,
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => return Ok(()),
                Err(error) => return Err(self.source.failure(error)),
            }
        }
    }

    fn note_damage(&mut self, error: ffmpeg::Error) {
        if !self.damaged {
            log::warn!("the sound is damaged ({error}); it has gaps: {}", self.source.path.display());
        }
        self.damaged = true;
    }
}

fn open_encoder(decoder: &ffmpeg::decoder::Audio, codec: Id) -> Result<encoder::Audio, ffmpeg::Error> {
    let is_opus = codec == Id::OPUS;
    // FFmpeg's own Opus encoder is not yet what the library is.
    let found = if is_opus { encoder::find_by_name("libopus") } else { encoder::find(codec) };
    let codec = found.ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut audio = codec::Context::new_with_codec(codec).encoder().audio()?;
    let kept = !is_opus && AAC_SAMPLE_RATES_HZ.contains(&decoder.rate());
    let rate_hz = if kept { decoder.rate() } else { FALLBACK_SAMPLE_RATE_HZ };
    let layout = kept_layout(layout_of(decoder.channel_layout(), decoder.channels()));
    audio.set_rate(rate_hz as i32);
    audio.set_channel_layout(layout);
    audio.set_format(Sample::F32(if is_opus { Type::Packed } else { Type::Planar }));
    audio.set_bit_rate(BITS_PER_SECOND_AND_CHANNEL * layout.channels().max(1) as usize);
    audio.set_time_base(ffmpeg::Rational::new(1, rate_hz as i32));
    audio.set_flags(codec::Flags::GLOBAL_HEADER);
    audio.open_as(codec)
}

/// Raw sound often says only how many channels there are.
fn layout_of(layout: ChannelLayout, channels: u16) -> ChannelLayout {
    if layout.bits() == 0 { ChannelLayout::default(i32::from(channels)) } else { layout }
}

/// The arrangement among those that every decoder knows which has the same channels; else stereo.
fn kept_layout(layout: ChannelLayout) -> ChannelLayout {
    if layout == ChannelLayout::_5POINT0 {
        return ChannelLayout::_5POINT0_BACK;
    }
    if layout == ChannelLayout::_5POINT1 {
        return ChannelLayout::_5POINT1_BACK;
    }
    let kept = [
        ChannelLayout::MONO,
        ChannelLayout::STEREO,
        ChannelLayout::SURROUND,
        ChannelLayout::_4POINT0,
        ChannelLayout::_5POINT0_BACK,
        ChannelLayout::_5POINT1_BACK,
        ChannelLayout::_7POINT1,
    ];
    if kept.contains(&layout) { layout } else { ChannelLayout::STEREO }
}

/// From frames like `decoded`, on the output's clock in samples, to frames of the encoder's format and length.
fn build_graph(
    decoded: &frame::Audio,
    end_ticks: Option<i64>,
    encoder: &encoder::Audio,
) -> Result<filter::Graph, ffmpeg::Error> {
    let find = |name| filter::find(name).ok_or(ffmpeg::Error::FilterNotFound);
    let mut graph = filter::Graph::new();
    let (rate, format) = (decoded.rate(), decoded.format().name());
    let source = format!(
        "time_base=1/{rate}:sample_rate={rate}:sample_fmt={format}:channel_layout={:#x}",
        decoded.channel_layout().bits()
    );
    graph.add(&find("abuffer")?, "in", &source)?;
    graph.add(&find("abuffersink")?, "out", "")?;
    let end = end_ticks.map(|ticks| format!(":end_pts={ticks}")).unwrap_or_default();
    let steps = format!(
        "atrim=start_pts=0{end},aresample={}:async=1,aformat=sample_fmts={}:channel_layouts={:#x}",
        encoder.rate(),
        encoder.format().name(),
        encoder.channel_layout().bits()
    );
    graph.output("in", 0)?.input("out", 0)?.parse(&steps)?;
    graph.validate()?;
    if let Some(mut output) = graph.get("out") {
        output.sink().set_frame_size(encoder.frame_size());
    }
    Ok(graph)
}
