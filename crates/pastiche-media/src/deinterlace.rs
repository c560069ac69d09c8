//! Interlaced pictures, whose two fields were taken at different times, made whole.

use ffmpeg::{Error, filter, format::Pixel, frame};
use ffmpeg_next as ffmpeg;
use pastiche_frame::Rational;

/// FFmpeg's bwdif, a picture for each two fields. Pictures that are not marked as interlaced pass as they are.
pub(crate) struct Deinterlacer {
    graph: filter::Graph,
    built_for: (Pixel, u32, u32),
}

impl Deinterlacer {
    /// For pictures like this one, whose times are on `time_base`.
    pub(crate) fn new(picture: &frame::Video, time_base: Rational) -> Result<Self, Error> {
        let built_for = shape(picture);
        let (format, width, height) = built_for;
        let find = |name| filter::find(name).ok_or(Error::FilterNotFound);
        let mut graph = filter::Graph::new();
        let name = format.descriptor().ok_or(Error::InvalidData)?.name();
        let source =
            format!("video_size={width}x{height}:pix_fmt={name}:time_base={time_base}:pixel_aspect=1/1");
        graph.add(&find("buffer")?, "in", &source)?;
        graph.add(&find("buffersink")?, "out", "")?;
        // The filter counts time in half ticks.
        let steps = format!("bwdif=mode=send_frame:parity=auto:deint=interlaced,settb=expr={time_base}");
        graph.output("in", 0)?.input("out", 0)?.parse(&steps)?;
        graph.validate()?;
        Ok(Self { graph, built_for })
    }

    /// Whether it was made for pictures of this form.
    pub(crate) fn takes(&self, picture: &frame::Video) -> bool {
        self.built_for == shape(picture)
    }

    /// Takes a picture; it comes out after the next one.
    pub(crate) fn send(&mut self, picture: &frame::Video) -> Result<(), Error> {
        let mut input = self.graph.get("in").ok_or(Error::FilterNotFound)?;
        input.source().add(picture)
    }

    /// No more pictures come.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let mut input = self.graph.get("in").ok_or(Error::FilterNotFound)?;
        input.source().flush()
    }

    /// The next whole picture; `Error::Eof` after the last, and FFmpeg's "again" where more must be sent first.
    pub(crate) fn receive(&mut self, picture: &mut frame::Video) -> Result<(), Error> {
        let mut output = self.graph.get("out").ok_or(Error::FilterNotFound)?;
        output.sink().frame(picture)
    }
}

fn shape(picture: &frame::Video) -> (Pixel, u32, u32) {
    (picture.format(), picture.width(), picture.height())
}
