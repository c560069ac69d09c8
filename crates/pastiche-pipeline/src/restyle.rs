//! The stage in the middle of a job: frames through a stylizer.

use pastiche_frame::Frame;
use pastiche_inference::{FrameRow, Past, Stylizer};

use crate::{PipelineError, Transform, error::Result};

/// Paints frames one after the other, and calls `on_frame` with each that comes.
pub(crate) struct Restyler<'a, F> {
    row: FrameRow<'a>,
    on_frame: F,
}

impl<'a, F: FnMut()> Restyler<'a, F> {
    /// Nothing of another video will shine through this one's first frames.
    pub(crate) fn new(stylizer: &'a mut Stylizer, on_frame: F) -> Self {
        stylizer.reset();
        Self { row: stylizer.in_a_row(), on_frame }
    }
}

impl<F: FnMut()> Transform<Frame, Frame, PipelineError> for Restyler<'_, F> {
    fn push(&mut self, frame: Frame) -> Result<Option<Frame>> {
        let painted = self.row.push(frame)?;
        warn(self.row.take_warning());
        (self.on_frame)();
        Ok(painted)
    }

    fn finish(&mut self) -> Result<Option<Frame>> {
        let painted = self.row.finish()?;
        warn(self.row.take_warning());
        Ok(painted)
    }
}

/// As [`Restyler`] for a job in parts, without forgetting what came before; gives with the last frame of each part what smoothing knows then.
pub(crate) struct PartRestyler<'a, F> {
    painter: Painter<'a>,
    part_frames: u64,
    painted: u64,
    on_frame: F,
}

enum Painter<'a> {
    InARow(FrameRow<'a>),
    /// What smoothing knows must not be that of a frame behind.
    OneByOne(&'a mut Stylizer),
}

impl<'a, F: FnMut()> PartRestyler<'a, F> {
    pub(crate) fn new(stylizer: &'a mut Stylizer, part_frames: u64, on_frame: F) -> Self {
        let painter = if stylizer.controls().smoothing > 0.0 {
            Painter::OneByOne(stylizer)
        } else {
            Painter::InARow(stylizer.in_a_row())
        };
        Self { painter, part_frames, painted: 0, on_frame }
    }
}

impl<F: FnMut()> Transform<Frame, (Frame, Option<Past>), PipelineError> for PartRestyler<'_, F> {
    fn push(&mut self, frame: Frame) -> Result<Option<(Frame, Option<Past>)>> {
        self.painted += 1;
        let (painted, warning) = match &mut self.painter {
            Painter::InARow(row) => (row.push(frame)?.map(|frame| (frame, None)), row.take_warning()),
            Painter::OneByOne(stylizer) => {
                let frame = stylizer.stylize(frame)?;
                let ends_part = self.painted.is_multiple_of(self.part_frames);
                let past = if ends_part { stylizer.past() } else { None };
                (Some((frame, past)), stylizer.take_warning())
            }
        };
        warn(warning);
        (self.on_frame)();
        Ok(painted)
    }

    fn finish(&mut self) -> Result<Option<(Frame, Option<Past>)>> {
        let Painter::InARow(row) = &mut self.painter else { return Ok(None) };
        let painted = row.finish()?.map(|frame| (frame, None));
        warn(row.take_warning());
        Ok(painted)
    }
}

/// Says that the processor works where a card might.
pub(crate) fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        log::warn!("{warning}");
    }
}
