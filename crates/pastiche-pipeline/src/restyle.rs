//! The stage in the middle of a job: frames through a stylizer, and through what enlarges them.

use pastiche_frame::{Frame, FramePool};
use pastiche_inference::{FrameRow, Past, Stylizer, Upscaler};

use crate::{PipelineError, Transform, error::Result};

/// Buffers of enlarged frames that are kept while nothing is in them: few, for they are large.
const IDLE_BUFFERS: usize = 2;

/// What a job's frames go through: a stylizer, and then, where they are to be enlarged, an upscaler. A stylizer alone is one.
pub struct Painters<'a> {
    /// Paints them.
    pub stylizer: &'a mut Stylizer,
    /// Enlarges the paintings, by the factor that the job's options name.
    pub upscaler: Option<&'a mut Upscaler>,
}

impl<'a> From<&'a mut Stylizer> for Painters<'a> {
    fn from(stylizer: &'a mut Stylizer) -> Self {
        Self { stylizer, upscaler: None }
    }
}

impl Painters<'_> {
    /// The same for a while.
    pub(crate) fn lent(&mut self) -> Painters<'_> {
        Painters { stylizer: self.stylizer, upscaler: self.upscaler.as_deref_mut() }
    }

    /// How large a frame of this size comes out.
    pub(crate) fn size_of(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let factor = self.upscaler.as_ref().map_or(1, |upscaler| upscaler.factor() as u32);
        (width.saturating_mul(factor), height.saturating_mul(factor))
    }
}

/// Enlarges paintings where there is something to do it with.
struct Enlarger<'a> {
    upscaler: Option<&'a mut Upscaler>,
    pool: FramePool,
}

impl<'a> Enlarger<'a> {
    fn new(upscaler: Option<&'a mut Upscaler>) -> Self {
        Self { upscaler, pool: FramePool::new(IDLE_BUFFERS) }
    }

    /// Enlarges a painting where there is one.
    fn enlarge(&mut self, painted: Option<Frame>) -> Result<Option<Frame>> {
        let (Some(upscaler), Some(painted)) = (&mut self.upscaler, &painted) else { return Ok(painted) };
        let enlarged = upscaler.upscale(painted, &self.pool)?;
        warn(upscaler.take_warning());
        Ok(Some(enlarged))
    }
}

/// Paints frames one after the other, and calls `on_frame` with each that comes.
pub(crate) struct Restyler<'a, F> {
    row: FrameRow<'a>,
    enlarger: Enlarger<'a>,
    on_frame: F,
}

impl<'a, F: FnMut()> Restyler<'a, F> {
    /// Nothing of another video will shine through this one's first frames.
    pub(crate) fn new(painters: Painters<'a>, on_frame: F) -> Self {
        let Painters { stylizer, upscaler } = painters;
        stylizer.reset();
        Self { row: stylizer.in_a_row(), enlarger: Enlarger::new(upscaler), on_frame }
    }
}

impl<F: FnMut()> Transform<Frame, Frame, PipelineError> for Restyler<'_, F> {
    fn push(&mut self, frame: Frame) -> Result<Option<Frame>> {
        let painted = self.row.push(frame)?;
        warn(self.row.take_warning());
        (self.on_frame)();
        self.enlarger.enlarge(painted)
    }

    fn finish(&mut self) -> Result<Option<Frame>> {
        let painted = self.row.finish()?;
        warn(self.row.take_warning());
        self.enlarger.enlarge(painted)
    }
}

/// As [`Restyler`] for a job in parts, without forgetting what came before; gives with the last frame of each part what smoothing knows then.
pub(crate) struct PartRestyler<'a, F> {
    painter: Painter<'a>,
    enlarger: Enlarger<'a>,
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
    pub(crate) fn new(painters: Painters<'a>, part_frames: u64, on_frame: F) -> Self {
        let Painters { stylizer, upscaler } = painters;
        let painter = if stylizer.controls().smoothing > 0.0 {
            Painter::OneByOne(stylizer)
        } else {
            Painter::InARow(stylizer.in_a_row())
        };
        Self { painter, enlarger: Enlarger::new(upscaler), part_frames, painted: 0, on_frame }
    }
}

impl<F: FnMut()> Transform<Frame, (Frame, Option<Past>), PipelineError> for PartRestyler<'_, F> {
    fn push(&mut self, frame: Frame) -> Result<Option<(Frame, Option<Past>)>> {
        self.painted += 1;
        let (painted, past, warning) = match &mut self.painter {
            Painter::InARow(row) => (row.push(frame)?, None, row.take_warning()),
            Painter::OneByOne(stylizer) => {
                let frame = stylizer.stylize(frame)?;
                let ends_part = self.painted.is_multiple_of(self.part_frames);
                let past = if ends_part { stylizer.past() } else { None };
                (Some(frame), past, stylizer.take_warning())
            }
        };
        warn(warning);
        (self.on_frame)();
        Ok(self.enlarger.enlarge(painted)?.map(|frame| (frame, past)))
    }

    fn finish(&mut self) -> Result<Option<(Frame, Option<Past>)>> {
        let Painter::InARow(row) = &mut self.painter else { return Ok(None) };
        let painted = row.finish()?;
        warn(row.take_warning());
        Ok(self.enlarger.enlarge(painted)?.map(|frame| (frame, None)))
    }
}

/// Says that the processor works where a card might.
pub(crate) fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        log::warn!("{warning}");
    }
}
