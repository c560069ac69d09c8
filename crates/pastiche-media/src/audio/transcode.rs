//! Sound to AAC or Opus: decoder, filter graph (trim, fill gaps, convert, cut into the encoder's frames), encoder.

use std::path::Path;

use ffmpeg::{
    ChannelLayout,
    codec::{self, Id},
    filter, frame,
};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use super::{
    Source,
    adapter::{Adapter, Form},
    encoder::SoundEncoder,
    layout::{kept_layout, layout_of},
};
use crate::{decode::is_again, error::Result, mux::Muxer, probe::layout_name};

/// Sound that comes over 30 ms late or early by its times is put where it belongs: what is missing is silence, and what is
/// there twice, where recordings meet, is cut.
const RESAMPLING: &str = "async=1:min_hard_comp=0.03";

/// Rates that AAC takes as they are.
const AAC_SAMPLE_RATES_HZ: [u32; 11] =
    [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];
/// What other rates become, and all in Opus.
const FALLBACK_SAMPLE_RATE_HZ: u32 = 48_000;

/// Sound that goes into the output converted.
pub(crate) struct TranscodedTrack {
    source: Source,
    decoder: ffmpeg::decoder::Audio,
    decoded: frame::Audio,
    /// Built from the first decoded frame, which knows the format better than the file's header.
    graph: Option<(Form, filter::Graph)>,
    /// Where later frames have another form.
    adapter: Option<Adapter>,
    adapted: frame::Audio,
    encoder: SoundEncoder,
    /// Up to where the sound is decoded.
    decoded_until: Timestamp,
    source_ended: bool,
}

impl TranscodedTrack {
    pub(super) fn open(source: Source, muxer: &mut Muxer) -> Result<Self> {
        let failure = |error| source.failure(error);
        let stream = source.stream()?;
        let mut context = codec::Context::from_parameters(stream.parameters()).map_err(failure)?.decoder();
        context.set_packet_time_base(stream.time_base());
        let decoder = context.audio().map_err(failure)?;
        let codec = muxer.container().sound_codec();
        let (rate_hz, layout) = encoded_form(&decoder, codec, &source.path);
        let encoder = SoundEncoder::open(codec, rate_hz, layout, muxer, &failure)?;
        muxer.copy_stream_tags(encoder.output_index(), &stream);
        Ok(Self {
            source,
            decoder,
            decoded: frame::Audio::empty(),
            graph: None,
            adapter: None,
            adapted: frame::Audio::empty(),
            encoder,
            decoded_until: Timestamp::ZERO,
            source_ended: false,
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn output_codec(&self) -> Id {
        self.encoder.codec()
    }

    /// Decodes and writes up to `until`, or all.
    pub(super) fn write_until(&mut self, until: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        while !self.source_ended && until.is_none_or(|until| self.decoded_until < until) {
            let sent = match self.source.next_packet() {
                Some(packet) => self.decoder.send_packet(&packet),
                None => {
                    self.source_ended = true;
                    self.decoder.send_eof()
                }
            };
            if let Err(error) = sent {
                self.source.note_damage(error);
            }
            self.filter_decoded()?;
            self.encode_filtered(muxer)?;
        }
        Ok(())
    }

    /// Writes up to `end`, or all, and closes the stream.
    pub(super) fn finish(&mut self, end: Option<Timestamp>, muxer: &mut Muxer) -> Result<()> {
        self.write_until(end, muxer)?;
        self.end_adapter()?;
        if let Some(mut input) = self.graph.as_mut().and_then(|(_, graph)| graph.get("in")) {
            input.source().flush().map_err(|error| self.source.failure(error))?;
        }
        self.encode_filtered(muxer)?;
        self.encoder.finish(muxer, &|error| self.source.failure(error))
    }

    fn filter_decoded(&mut self) -> Result<()> {
        loop {
            match self.decoder.receive_frame(&mut self.decoded) {
                Ok(()) => self.filter_frame()?,
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => return Ok(()),
                Err(error) => self.source.note_damage(error),
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
        let form = Form::of(&self.decoded);
        let first = match &self.graph {
            Some((first, _)) => *first,
            None => {
                let built = build_graph(form, end.map(|end| end.ticks), &self.encoder).map_err(failure)?;
                self.graph = Some((form, built));
                form
            }
        };
        if self.adapter.as_ref().is_some_and(|adapter| !adapter.takes(form)) {
            self.end_adapter()?;
        }
        if form == first {
            return send(&mut self.graph, &self.decoded).map_err(|error| self.source.failure(error));
        }
        let failure = |error| self.source.failure(error);
        let adapter = match &mut self.adapter {
            Some(adapter) => adapter,
            none => none.insert(Adapter::new(form, first).map_err(failure)?),
        };
        adapter.send(Some(&self.decoded)).map_err(failure)?;
        self.drain_adapter()
    }

    /// Sends what the adapter still holds, and lets it go.
    fn end_adapter(&mut self) -> Result<()> {
        if let Some(adapter) = &mut self.adapter {
            adapter.send(None).map_err(|error| self.source.failure(error))?;
            self.drain_adapter()?;
            self.adapter = None;
        }
        Ok(())
    }

    fn drain_adapter(&mut self) -> Result<()> {
        while let Some(adapter) = &mut self.adapter {
            match adapter.receive(&mut self.adapted) {
                Ok(()) => {
                    let sent = send(&mut self.graph, &self.adapted);
                    sent.map_err(|error| self.source.failure(error))?;
                }
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => break,
                Err(error) => return Err(self.source.failure(error)),
            }
        }
        Ok(())
    }

    fn encode_filtered(&mut self, muxer: &mut Muxer) -> Result<()> {
        match &mut self.graph {
            Some((_, graph)) => self.encoder.write_from(graph, muxer, &|error| self.source.failure(error)),
            None => Ok(()),
        }
    }
}

/// Sends a frame into the graph, where there is one.
fn send(graph: &mut Option<(Form, filter::Graph)>, frame: &frame::Audio) -> Result<(), ffmpeg::Error> {
    let Some((_, graph)) = graph else { return Ok(()) };
    graph.get("in").ok_or(ffmpeg::Error::FilterNotFound)?.source().add(frame)
}

/// Rate and channels that sound of this codec takes for the decoder's.
fn encoded_form(decoder: &ffmpeg::decoder::Audio, codec: Id, path: &Path) -> (u32, ChannelLayout) {
    let kept = codec != Id::OPUS && AAC_SAMPLE_RATES_HZ.contains(&decoder.rate());
    let rate_hz = if kept { decoder.rate() } else { FALLBACK_SAMPLE_RATE_HZ };
    let own = layout_of(decoder.channel_layout(), decoder.channels());
    let (layout, is_other) = kept_layout(own, codec);
    if is_other {
        let name = |layout: ChannelLayout| layout_name(layout, layout.channels().unsigned_abs());
        let (own, layout) = (name(own), name(layout));
        log::warn!("the sound's channels ({own}) become {layout} in {}: {}", codec.name(), path.display());
    }
    (rate_hz, layout)
}

/// From frames of this form, on the output's clock in samples, to frames of the encoder's format and length.
fn build_graph(
    form: Form,
    end_ticks: Option<i64>,
    encoder: &SoundEncoder,
) -> Result<filter::Graph, ffmpeg::Error> {
    let end = end_ticks.map(|ticks| format!(":end_pts={ticks}")).unwrap_or_default();
    let mut graph = form.graph(&format!("atrim=start_pts=0{end},{}", encoder.filter_steps(RESAMPLING)))?;
    encoder.cut(&mut graph);
    Ok(graph)
}
