//! Sound that changes its form on the way, brought back to the form that it began with.

use ffmpeg::{filter, format::Sample, frame};
use ffmpeg_next as ffmpeg;

/// What a graph was built for: frames of any other form it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    rate_hz: u32,
    format: Sample,
    /// The channels' places, a bit each.
    layout_bits: u64,
}

impl Form {
    /// The form of a frame that has a channel layout.
    pub(super) fn of(frame: &frame::Audio) -> Self {
        Self { rate_hz: frame.rate(), format: frame.format(), layout_bits: frame.channel_layout().bits() }
    }

    /// As FFmpeg's `abuffer` takes it.
    fn source(&self) -> String {
        let (rate_hz, format, layout) = (self.rate_hz, self.format.name(), self.layout_bits);
        format!("time_base=1/{rate_hz}:sample_rate={rate_hz}:sample_fmt={format}:channel_layout={layout:#x}")
    }

    /// A graph of filters from frames of this form through `steps`, its ends called `in` and `out`.
    pub(super) fn graph(&self, steps: &str) -> Result<filter::Graph, ffmpeg::Error> {
        let find = |name| filter::find(name).ok_or(ffmpeg::Error::FilterNotFound);
        let mut graph = filter::Graph::new();
        graph.add(&find("abuffer")?, "in", &self.source())?;
        graph.add(&find("abuffersink")?, "out", "")?;
        graph.output("in", 0)?.input("out", 0)?.parse(steps)?;
        graph.validate()?;
        Ok(graph)
    }
}

/// From frames of one form to frames of another.
pub(super) struct Adapter {
    graph: filter::Graph,
    from: Form,
}

impl Adapter {
    pub(super) fn new(from: Form, to: Form) -> Result<Self, ffmpeg::Error> {
        let (rate_hz, format, layout) = (to.rate_hz, to.format.name(), to.layout_bits);
        let steps = format!("aresample={rate_hz},aformat=sample_fmts={format}:channel_layouts={layout:#x}");
        Ok(Self { graph: from.graph(&steps)?, from })
    }

    /// Whether it is for frames of this form.
    pub(super) fn takes(&self, form: Form) -> bool {
        self.from == form
    }

    /// Takes a frame; `None`: no more come.
    pub(super) fn send(&mut self, frame: Option<&frame::Audio>) -> Result<(), ffmpeg::Error> {
        let mut input = self.graph.get("in").ok_or(ffmpeg::Error::FilterNotFound)?;
        match frame {
            Some(frame) => input.source().add(frame),
            None => input.source().flush(),
        }
    }

    /// The next frame; `Error::Eof` after the last, and FFmpeg's "again" where more must be sent first.
    pub(super) fn receive(&mut self, frame: &mut frame::Audio) -> Result<(), ffmpeg::Error> {
        let mut output = self.graph.get("out").ok_or(ffmpeg::Error::FilterNotFound)?;
        output.sink().frame(frame)
    }
}
