//! What a plan does, step by step: each step is one convolution with all that is fused before and after it.

use super::{arena::BufferId, axis::Axis, multiply::Walk, pack::Recipe, settle::Settle, transform};
use crate::Products;

/// One convolution. Input numbers come through `source`, looked up along `rows` and `columns`; products are made by
/// `method`; sums go to `target`.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// What is done first.
    pub(super) before: Option<Settle>,
    pub(super) recipe: Recipe,
    pub(super) source: Source,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    pub(super) window: Window,
    pub(super) method: Method,
    pub(super) grid: Grid,
    pub(super) target: Target,
    pub(super) norm: Option<Norm>,
}

/// What the convolution sees of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Channels, and the blocks that hold them.
    pub(super) channels: usize,
    pub(super) blocks: usize,
    /// Floats of a pixel in one block: the lanes of a vector, or the 3 channels of the picture.
    pub(super) pixel: usize,
    pub(super) kernel_height: usize,
    pub(super) kernel_width: usize,
    pub(super) stride: usize,
}

impl Window {
    /// How a direct convolution walks over the window.
    pub(super) fn walk(&self, block_stride: usize, row_stride: usize) -> Walk {
        let run = self.kernel_width * self.pixel;
        // Channels that only fill up the last block are left out, where they come last.
        let unused = if self.kernel_width == 1 { self.blocks * self.pixel - self.channels } else { 0 };
        let (blocks, rows) = (self.blocks, self.kernel_height);
        Walk { blocks, block_stride, rows, row_stride, run, last_run: run - unused }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Every product, in this type.
    Direct(Products),
    /// [`transform`]: 3x3, stride 1.
    Winograd,
}

/// Where numbers come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The picture that the plan is given.
    Picture,
    /// A buffer of channel blocks, with what is done to every number on the way: `max(x * scale + shift, floor)`, plus a
    /// residual.
    Blocks { values: Planes, affine: BufferId, floor: f32, residual: Option<BufferId> },
}

/// A buffer of channel blocks: (blocks, height, width, lanes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planes {
    pub(super) buffer: BufferId,
    pub(super) blocks: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Where sums go.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A buffer, `scale` times as high and wide as the grid: with scale 2 the convolution has four phases, one for each
    /// pixel of a 2x2 square.
    Blocks { planes: Planes, scale: usize },
    /// The painting. The convolution is one of columns only: its outputs are, for each column of the kernel, that
    /// column's share in `channels` outputs, which are then added up along the row. Where a norm follows, the sums wait
    /// in `raw`, one block, for a [`Finish`].
    Painting { kernel_width: usize, channels: usize, tanh: Option<ScaledTanh>, raw: Option<Planes> },
}

/// The last norm of a network that ends with one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish {
    pub(super) raw: Planes,
    pub(super) affine: BufferId,
    pub(super) tanh: Option<ScaledTanh>,
}

/// tanh(x) * gain + offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaledTanh {
    pub(super) gain: f32,
    pub(super) offset: f32,
}

impl ScaledTanh {
    #[inline(always)]
    pub(super) fn of(self, value: f32) -> f32 {
        value.tanh() * self.gain + self.offset
    }
}

/// Instance normalisation of a step's output: each task leaves moments, from which factors are made in the end.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    /// (tasks, 2, channels): mean and sum of squared differences from it.
    pub(super) moments: BufferId,
    /// For the readers of the output: a vector of scales and one of shifts for each channel block.
    pub(super) affine: BufferId,
    pub(super) eps: f64,
}

/// The output cut into the rectangles that tasks make. Sides are in pixels, or in tiles for [`Method::Winograd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) task_height: usize,
    pub(super) task_width: usize,
}

/// A part of a [`Grid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Grid {
    /// The same cut with more even parts.
    pub(super) fn new(height: usize, width: usize, task_height: usize, task_width: usize) -> Self {
        let even = |side: usize, part: usize| side.div_ceil(side.div_ceil(part.clamp(1, side)));
        let (task_height, task_width) = (even(height, task_height), even(width, task_width));
        Self { height, width, task_height, task_width }
    }

    pub(super) fn tasks(&self) -> usize {
        self.height.div_ceil(self.task_height) * self.width.div_ceil(self.task_width)
    }

    pub(super) fn task(&self, index: usize) -> Rect {
        let across = self.width.div_ceil(self.task_width);
        let (top, left) = (index / across * self.task_height, index % across * self.task_width);
        Rect {
            top,
            left,
            height: self.task_height.min(self.height - top),
            width: self.task_width.min(self.width - left),
        }
    }
}

impl Step {
    /// Output pixels (before any enlargement) that a task makes.
    pub(super) fn pixels_of(&self, task: usize) -> Rect {
        let rect = self.grid.task(task);
        if matches!(self.method, Method::Direct(_)) {
            return rect;
        }
        let (height, width) = self.out_size();
        let (top, left) = (transform::OUT * rect.top, transform::OUT * rect.left);
        Rect {
            top,
            left,
            height: (transform::OUT * rect.height).min(height - top),
            width: (transform::OUT * rect.width).min(width - left),
        }
    }

    /// Height and width of the output before any enlargement.
    pub(super) fn out_size(&self) -> (usize, usize) {
        match self.target {
            Target::Blocks { planes, scale } => (planes.height / scale, planes.width / scale),
            Target::Painting { .. } => (self.grid.height, self.grid.width),
        }
    }
}

impl Target {
    /// The buffer that the step writes, and how much larger it is than the grid.
    pub(super) fn planes(&self) -> Option<(Planes, usize)> {
        match *self {
            Self::Blocks { planes, scale } => Some((planes, scale)),
            Self::Painting { raw, .. } => raw.map(|planes| (planes, 1)),
        }
    }
}
