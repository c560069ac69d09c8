//! The stage in the middle of a job: frames through a stylizer.

use pastiche_frame::Frame;
use pastiche_inference::{FrameRow, Stylizer};

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

/// Says that the processor works where a card might.
pub(crate) fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        log::warn!("{warning}");
    }
}
