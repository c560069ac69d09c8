//! From a network's description and a picture's size to steps.
//!
//! The layers are walked with a [`Flow`]: a value in memory, and what its readers have yet to do to it. Pads, norms, ReLUs,
//! enlargements and sums only change the flow; a convolution has one pass write its input, and convolves that.

use super::{
    CudaPrecision,
    flow::{Flow, Owed, Stored, Value, View},
    passes::{Passes, Prepared, RGB_STORED, stored_channels},
    program::Program,
    recipe::Form,
};
use crate::{
    NetworkDescription, PadMode, PlanError,
    description::{Convolution, Layer, Norm},
    plan::axis::Axis,
};

/// Channels of a painting: red, green, blue.
const PAINTING_CHANNELS: usize = 3;
/// Pixels of the picture that the first convolution takes together: with four numbers a pixel they have as many channels as
/// are read at once.
const PICTURE_GROUP: usize = 2;
/// Numbers of the painting that the last convolution makes together: fewer would leave a part of every kernel idle.
const PAINTING_TOGETHER: usize = 32;

/// Compiles `description` for a picture of `height` x `width`. The network sees the picture mirrored at its far edges up to a
/// multiple of what it needs.
pub(super) fn compile(
    description: &NetworkDescription,
    (height, width): (usize, usize),
    precision: CudaPrecision,
) -> Result<Program, PlanError> {
    if height == 0 || width == 0 || description.side_multiple == 0 {
        return Err(unsupported(format!("a picture of {width}x{height}")));
    }
    let padded = |side: usize| side.next_multiple_of(description.side_multiple);
    let factor = description.painting_factor();
    let picture = Flow {
        value: Value::Picture,
        channels: PAINTING_CHANNELS,
        rows: Axis::mirrored(height, padded(height)),
        columns: Axis::mirrored(width, padded(width)),
        view: View::Plain,
        owed: Owed::bias(None),
    };
    let mut lower = Lower { passes: Passes::new(precision, (height, width)), tanh: None };
    let end = lower.layers(&description.layers, picture, true)?;
    let Lower { mut passes, tanh } = lower;
    let same_size =
        |stored: &Stored| (stored.height, stored.width) == (factor * padded(height), factor * padded(width));
    match end.in_place().filter(same_size) {
        Some(stored)
            if end.channels == PAINTING_CHANNELS && !end.owed.relu && end.owed.residual.is_none() =>
        {
            passes.emit(stored, &end.owed, tanh, (factor * height, factor * width))?;
        }
        _ => {
            return Err(unsupported(
                "a network that does not end with a convolution to a picture of the same size",
            ));
        }
    }
    Ok(passes.program())
}

/// What plans do not know.
pub(super) fn unsupported(what: impl Into<String>) -> PlanError {
    PlanError::Unsupported { what: what.into() }
}

/// What follows a layer of the outermost list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Other layers that need many channels.
    Layers,
    /// A norm of the painting, and perhaps a tanh.
    Norm,
    /// A tanh, or nothing.
    End,
}

impl Rest {
    fn of(layers: &[Layer]) -> Self {
        let ends = |layer: &Layer| matches!(layer, Layer::ScaledTanh { .. } | Layer::InstanceNorm(_));
        if !layers.iter().all(ends) {
            Self::Layers
        } else if layers.iter().any(|layer| matches!(layer, Layer::InstanceNorm(_))) {
            Self::Norm
        } else {
            Self::End
        }
    }
}

struct Lower {
    passes: Passes,
    /// The gain and offset of a tanh at the very end.
    tanh: Option<(f32, f32)>,
}

impl Lower {
    fn layers(&mut self, layers: &[Layer], mut flow: Flow, outermost: bool) -> Result<Flow, PlanError> {
        for (index, layer) in layers.iter().enumerate() {
            let rest = if outermost { Rest::of(&layers[index + 1..]) } else { Rest::Layers };
            flow = self.layer(layer, flow, rest)?;
        }
        Ok(flow)
    }

    fn layer(&mut self, layer: &Layer, flow: Flow, rest: Rest) -> Result<Flow, PlanError> {
        if self.tanh.is_some() {
            return Err(unsupported("a tanh that is not at the end"));
        }
        match layer {
            Layer::Pad(padding) => flow.padded(*padding),
            Layer::UpsampleNearest(factor) => flow.enlarged(*factor),
            Layer::SpaceToDepth(factor) => flow.stacked(*factor),
            Layer::Conv(conv) => self.conv(conv, flow, rest),
            Layer::ConvTranspose(conv) => self.conv_transpose(conv, flow),
            Layer::InstanceNorm(norm) => self.instance_norm(norm, flow),
            Layer::Relu => self.relu(flow),
            Layer::Residual(layers) => self.residual(layers, flow),
            Layer::ScaledTanh { gain, offset } if rest == Rest::End => {
                self.tanh = Some((*gain as f32, *offset as f32));
                Ok(flow)
            }
            Layer::ScaledTanh { .. }
            | Layer::MaxPool
            | Layer::BatchNorm(_)
            | Layer::BgrMinusMean(_)
            | Layer::StandardizeRgb { .. }
            | Layer::Tap(_) => Err(unsupported(format!("{layer:?}"))),
        }
    }

    fn relu(&mut self, flow: Flow) -> Result<Flow, PlanError> {
        let flow = match flow.in_place() {
            Some(_) if flow.owed.residual.is_none() => flow,
            _ => self.settled(flow)?.0,
        };
        Ok(Flow { owed: Owed { relu: true, ..flow.owed }, ..flow })
    }

    fn instance_norm(&mut self, norm: &Norm, flow: Flow) -> Result<Flow, PlanError> {
        if norm.channels != flow.channels {
            return Err(unsupported(format!("a norm of {} channels after {}", norm.channels, flow.channels)));
        }
        let (flow, stored) = match flow.in_place() {
            // What is the same for all pixels of a channel is taken away with the mean.
            Some(stored) if flow.owed.is_constant() => (flow, stored),
            _ => self.settled(flow)?,
        };
        Ok(Flow { owed: self.passes.norm(norm, stored)?, ..flow })
    }

    /// The same with nothing left to do.
    fn settled(&mut self, flow: Flow) -> Result<(Flow, Stored), PlanError> {
        let flow = flow.plain()?;
        let input = self.passes.input(&flow, flow.columns.len(), stored_channels(flow.channels))?;
        let stored = Stored { source: input.inside(0, 0)?, height: input.height, width: input.width };
        Ok((Flow::of(stored, flow.channels, Owed::bias(None)), stored))
    }

    fn residual(&mut self, layers: &[Layer], flow: Flow) -> Result<Flow, PlanError> {
        let channels = flow.channels;
        let (kept, end) = match (layers, flow.in_place()) {
            ([Layer::Pad(padding), Layer::Conv(conv), rest @ ..], Some(stored)) => {
                // What is added again is inside of what the first convolution gets.
                let (_, margins) = padding.margins(stored.height, stored.width);
                let prepared = self.prepare(conv, flow.padded(*padding)?, Rest::Layers)?;
                let kept = Stored { source: prepared.input.inside(margins.top, margins.left)?, ..stored };
                let flow = self.passes.convolve(conv, &prepared)?;
                (kept, self.layers(rest, flow, false)?)
            }
            _ => {
                let (flow, stored) = self.settled(flow)?;
                (stored, self.layers(layers, flow, false)?)
            }
        };
        let end = match end.in_place() {
            Some(_) if end.owed.residual.is_none() && !end.owed.relu => end,
            _ => self.settled(end)?.0,
        };
        let middle = end.in_place().and_then(|end| self.passes.middle(&kept, (end.height, end.width)));
        match middle {
            Some(residual) if end.channels == channels => {
                Ok(Flow { owed: Owed { residual: Some(residual), ..end.owed }, ..end })
            }
            _ => Err(unsupported("a residual of another size, which is not the middle of its input")),
        }
    }

    fn conv(&mut self, conv: &Convolution, flow: Flow, rest: Rest) -> Result<Flow, PlanError> {
        let prepared = self.prepare(conv, flow, rest)?;
        self.passes.convolve(conv, &prepared)
    }

    /// Decides which convolution a layer becomes, and has its input written.
    fn prepare(&mut self, conv: &Convolution, flow: Flow, rest: Rest) -> Result<Prepared, PlanError> {
        if let View::Enlarged(Some(mode)) = flow.view
            && (conv.kernel, conv.stride) == (3, 1)
        {
            let (rows, columns) = (flow.rows.extended(mode), flow.columns.extended(mode));
            let flow = Flow { rows, columns, view: View::Plain, ..flow };
            return self.passes.prepare(conv, Form::Enlarged, stored_channels(conv.out_channels), &flow);
        }
        let stacked = matches!(flow.view, View::Stacked { .. });
        let flow = if stacked { flow } else { flow.plain()? };
        let of_picture = flow.value == Value::Picture && !stacked;
        let to_painting = conv.out_channels == PAINTING_CHANNELS && rest != Rest::Layers;
        // A norm's kernels read eight channels at once; else four numbers a pixel do.
        let outputs =
            if to_painting && rest == Rest::End { RGB_STORED } else { stored_channels(conv.out_channels) };
        let group = match (conv.stride, of_picture, to_painting) {
            (1, _, true) => PAINTING_TOGETHER / outputs,
            (1, true, false) => PICTURE_GROUP,
            _ => 1,
        };
        self.passes.prepare(conv, Form::Plain { group }, outputs, &flow)
    }

    fn conv_transpose(&mut self, conv: &Convolution, flow: Flow) -> Result<Flow, PlanError> {
        if (conv.kernel, conv.stride) != (3, 2) {
            return Err(unsupported("a transposed convolution other than 3x3 with stride 2"));
        }
        let flow = flow.plain()?;
        let (rows, columns) = (flow.rows.extended(PadMode::Zero), flow.columns.extended(PadMode::Zero));
        let flow = Flow { rows, columns, ..flow };
        let prepared =
            self.passes.prepare(conv, Form::Transposed, stored_channels(conv.out_channels), &flow)?;
        self.passes.convolve(conv, &prepared)
    }
}
