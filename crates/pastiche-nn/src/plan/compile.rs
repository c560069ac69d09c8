//! From a network's description and a picture's size to steps.
//!
//! The layers are walked with a [`Flow`]: a value in memory, and what its readers have yet to do to it. Pads, norms,
//! ReLUs, enlargements and sums only change the flow; a convolution turns it into a step.

use super::{
    PlanError,
    arena::{Arena, BufferId},
    axis::{self, Axis},
    cut,
    pack::{Kernel, Recipe},
    settle::Settle,
    step::{Finish, Method, Norm, Planes, ScaledTanh, Source, Step, Target, Window},
    transform,
};
use crate::{
    Margins, NetworkDescription, PadMode, Products,
    description::{self, Convolution, Layer, Padding},
};

/// The steps of a network at one size.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) finish: Option<Finish>,
    pub(super) arena: Arena,
    /// Scales of 1 and shifts of 0, for any source.
    pub(super) identity: BufferId,
}

/// Compiles `description` for a picture of `height` x `width` and vectors of `lanes`. The network sees the picture
/// mirrored at its far edges up to a multiple of what it needs.
pub(super) fn compile(
    description: &NetworkDescription,
    (height, width): (usize, usize),
    lanes: usize,
    products: Products,
) -> Result<Program, PlanError> {
    if height == 0 || width == 0 || description.side_multiple == 0 {
        return Err(PlanError::Unsupported { what: format!("a picture of {width}x{height}") });
    }
    let padded = |side: usize| side.next_multiple_of(description.side_multiple);
    let mut arena = Arena::default();
    let identity = arena.add(2 * MAX_CHANNELS, 0);
    let picture = Flow {
        value: Value::Picture,
        channels: 3,
        rows: Axis::mirrored(height, padded(height)),
        columns: Axis::mirrored(width, padded(width)),
        view: View::Plain,
        affine: identity,
        relu: false,
        residual: None,
    };
    let mut compiler = Compiler {
        lanes,
        products,
        steps: Vec::new(),
        settle: None,
        kept: Vec::new(),
        finish: None,
        arena,
        identity,
    };
    let end = compiler.layers(&description.layers, picture, true)?;
    let ends_at = compiler.steps.last().map(|step| (step.grid.height, step.grid.width));
    let factor = description.painting_factor();
    if end.value != Value::Painting || ends_at != Some((factor * padded(height), factor * padded(width))) {
        return Err(unsupported(
            "a network that does not end with a convolution to a picture of the same size",
        ));
    }
    let Compiler { steps, finish, mut arena, identity, .. } = compiler;
    arena.used(identity, steps.len());
    arena.lay_out();
    Ok(Program { steps, finish, arena, identity })
}

/// Most channels of a layer.
pub(crate) const MAX_CHANNELS: usize = 2048;
/// Fewest channels for which the transforms of [`transform`] pay.
const MIN_WINOGRAD_CHANNELS: usize = 16;
/// Channels of a painting: red, green, blue.
const PAINTING_CHANNELS: usize = 3;

fn unsupported(what: impl Into<String>) -> PlanError {
    PlanError::Unsupported { what: what.into() }
}

/// What flows from layer to layer: a value in memory, and what readers have to do to it.
#[derive(Debug, Clone)]
struct Flow {
    value: Value,
    channels: usize,
    rows: Axis,
    columns: Axis,
    view: View,
    affine: BufferId,
    relu: bool,
    residual: Option<BufferId>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Picture,
    Planes(Planes),
    Painting,
}

/// How the next convolution looks at the value, beyond what the axes say.
#[derive(Debug, Clone, PartialEq)]
enum View {
    Plain,
    /// Enlarged twice, and perhaps then padded by one pixel.
    Enlarged(Option<PadMode>),
    /// Squares of `factor` pixels stacked as channels; these axes say which square.
    SpaceToDepth {
        factor: usize,
        rows: Axis,
        columns: Axis,
    },
}

impl Flow {
    /// The value as it is in memory, with nothing left to do.
    fn of(planes: Planes, channels: usize, affine: BufferId) -> Self {
        Self {
            value: Value::Planes(planes),
            channels,
            rows: Axis::identity(planes.height),
            columns: Axis::identity(planes.width),
            view: View::Plain,
            affine,
            relu: false,
            residual: None,
        }
    }

    /// Whether the value is seen where it lies, neither padded nor enlarged.
    fn is_in_place(&self) -> bool {
        let Value::Planes(planes) = self.value else { return false };
        self.view == View::Plain
            && self.rows.is_identity(planes.height)
            && self.columns.is_identity(planes.width)
    }

    fn padded(mut self, padding: Padding) -> Result<Self, PlanError> {
        if matches!(self.view, View::Enlarged(None))
            && let Padding::Fixed(mode, margins) = padding
            && margins == Margins::uniform(1)
        {
            return Ok(Self { view: View::Enlarged(Some(mode)), ..self });
        }
        if let View::SpaceToDepth { rows, columns, .. } = &mut self.view {
            (*rows, *columns) = axis::padded(rows, columns, padding)?;
            return Ok(self);
        }
        self = self.plain()?;
        (self.rows, self.columns) = axis::padded(&self.rows, &self.columns, padding)?;
        Ok(self)
    }

    /// The same with any enlargement and stacking put into the axes, where it can be.
    fn plain(mut self) -> Result<Self, PlanError> {
        let View::Enlarged(padding) = self.view else {
            return if self.view == View::Plain {
                Ok(self)
            } else {
                Err(unsupported("stacked squares here"))
            };
        };
        (self.rows, self.columns, self.view) = (self.rows.enlarged(2), self.columns.enlarged(2), View::Plain);
        match padding {
            Some(mode) => self.padded(Padding::Fixed(mode, Margins::uniform(1))),
            None => Ok(self),
        }
    }

    /// What the next layer has to do with before it can be told what the value is.
    fn touches(&self, layer: &Layer) -> Result<(), PlanError> {
        if self.is_in_place() && self.residual.is_none() && !self.relu {
            return Ok(());
        }
        Err(unsupported(format!("{layer:?} in this place")))
    }
}

struct Compiler {
    lanes: usize,
    products: Products,
    steps: Vec<Step>,
    /// What the next step does first.
    settle: Option<Settle>,
    /// What the residuals around the layer will add, and must find as it is.
    kept: Vec<BufferId>,
    finish: Option<Finish>,
    arena: Arena,
    identity: BufferId,
}

impl Compiler {
    fn layers(&mut self, layers: &[Layer], mut flow: Flow, outermost: bool) -> Result<Flow, PlanError> {
        for (index, layer) in layers.iter().enumerate() {
            let mut rest = layers[index + 1..].iter();
            let ends = |layer: &Layer| matches!(layer, Layer::ScaledTanh { .. } | Layer::InstanceNorm(_));
            let last = outermost && rest.all(ends);
            flow = self.layer(layer, flow, last)?;
        }
        Ok(flow)
    }

    fn layer(&mut self, layer: &Layer, flow: Flow, last: bool) -> Result<Flow, PlanError> {
        match layer {
            Layer::Pad(padding) => flow.padded(*padding),
            Layer::UpsampleNearest(factor) => enlarge(flow, *factor),
            Layer::SpaceToDepth(factor) => space_to_depth(flow, *factor),
            Layer::Conv(conv) if last => self.last_conv(conv, flow.plain()?),
            Layer::Conv(conv) => self.conv(conv, flow),
            Layer::ConvTranspose(conv) => self.conv_transpose(conv, flow.plain()?),
            Layer::InstanceNorm(norm) if flow.value == Value::Painting => self.last_norm(norm, flow),
            Layer::InstanceNorm(norm) => {
                flow.touches(layer)?;
                self.instance_norm(norm, flow)
            }
            Layer::Relu => {
                flow.touches(layer)?;
                Ok(Flow { relu: true, ..flow })
            }
            Layer::Residual(layers) => self.residual(layers, flow),
            Layer::ScaledTanh { gain, offset } => {
                self.last_tanh(ScaledTanh { gain: *gain as f32, offset: *offset as f32 })?;
                Ok(flow)
            }
            Layer::MaxPool | Layer::BgrMinusMean(_) | Layer::StandardizeRgb { .. } | Layer::Tap(_) => {
                Err(unsupported(format!("{layer:?}")))
            }
        }
    }

    fn instance_norm(&mut self, norm: &description::Norm, flow: Flow) -> Result<Flow, PlanError> {
        let index = self.steps.len() - 1;
        let (Value::Planes(planes), Some(step)) = (flow.value, self.steps.last_mut()) else {
            return Err(unsupported("a norm in front of every convolution"));
        };
        let writes = matches!(step.target, Target::Blocks { planes: output, .. } if output == planes);
        if !writes || step.norm.is_some() || self.settle.is_some() {
            return Err(unsupported("a norm that does not follow a convolution"));
        }
        let channels = planes.blocks * self.lanes;
        let affine = self.arena.add(2 * channels, index);
        let moments = self.arena.add(step.grid.tasks() * 2 * channels, index);
        step.norm = Some(Norm { moments, affine, eps: norm.eps });
        step.recipe.norm = Some(norm.clone());
        Ok(Flow { affine, ..flow })
    }

    fn last_norm(&mut self, norm: &description::Norm, flow: Flow) -> Result<Flow, PlanError> {
        let index = self.steps.len() - 1;
        let Some(Step {
            grid,
            target: Target::Painting { raw: raw @ None, tanh: None, .. },
            norm: step_norm,
            recipe,
            ..
        }) = self.steps.last_mut()
        else {
            return Err(unsupported("two norms at the end"));
        };
        let buffer = self.arena.add(grid.height * grid.width * self.lanes, index);
        let planes = Planes { buffer, blocks: 1, height: grid.height, width: grid.width };
        let affine = self.arena.add(2 * self.lanes, index);
        let moments = self.arena.add(grid.tasks() * 2 * self.lanes, index);
        self.arena.used(buffer, index + 1);
        self.arena.used(affine, index + 1);
        *raw = Some(planes);
        *step_norm = Some(Norm { moments, affine, eps: norm.eps });
        recipe.norm = Some(norm.clone());
        self.finish = Some(Finish { raw: planes, affine, tanh: None });
        Ok(flow)
    }

    fn last_tanh(&mut self, scaled: ScaledTanh) -> Result<(), PlanError> {
        let end = match (&mut self.finish, self.steps.last_mut().map(|step| &mut step.target)) {
            (Some(finish), _) => &mut finish.tanh,
            (None, Some(Target::Painting { tanh, .. })) => tanh,
            _ => return Err(unsupported("a tanh that is not at the end")),
        };
        if end.replace(scaled).is_some() {
            return Err(unsupported("two tanhs at the end"));
        }
        Ok(())
    }

    fn residual(&mut self, layers: &[Layer], flow: Flow) -> Result<Flow, PlanError> {
        let Value::Planes(planes) = flow.value else { return Err(unsupported("a residual of the picture")) };
        if !flow.is_in_place() {
            return Err(unsupported("a residual of something padded"));
        }
        let channels = flow.channels;
        let flow = self.settled(flow, planes)?;
        let Value::Planes(kept) = flow.value else { return Err(unsupported("a residual of the picture")) };
        self.kept.push(kept.buffer);
        let end = self.layers(layers, flow, false)?;
        self.kept.pop();
        let same = matches!(end.value, Value::Planes(end) if
            (end.blocks, end.height, end.width) == (planes.blocks, planes.height, planes.width));
        if !same
            || end.channels != channels
            || !end.is_in_place()
            || end.residual.is_some()
            || end.relu
            || self.settle.is_some()
        {
            return Err(unsupported("a residual of another size, or of nothing"));
        }
        Ok(Flow { residual: Some(kept.buffer), ..end })
    }

    /// The same numbers as they are in memory, which the next step sees to.
    fn settled(&mut self, flow: Flow, planes: Planes) -> Result<Flow, PlanError> {
        if flow.affine == self.identity && !flow.relu && flow.residual.is_none() {
            return Ok(flow);
        }
        // It is written in place.
        let buffer = flow.residual.unwrap_or(planes.buffer);
        if self.kept.contains(&buffer) || self.settle.is_some() {
            return Err(unsupported("residuals of residuals"));
        }
        let index = self.steps.len();
        for buffer in [Some(planes.buffer), Some(flow.affine), flow.residual].into_iter().flatten() {
            self.arena.used(buffer, index);
        }
        let floor = if flow.relu { 0.0 } else { f32::NEG_INFINITY };
        let Flow { affine, residual, .. } = flow;
        self.settle = Some(Settle { values: planes, affine, floor, residual });
        Ok(Flow::of(Planes { buffer, ..planes }, flow.channels, self.identity))
    }

    fn conv(&mut self, conv: &Convolution, flow: Flow) -> Result<Flow, PlanError> {
        let Convolution { kernel, stride, .. } = *conv;
        match flow.view.clone() {
            View::Enlarged(Some(mode)) if kernel == 3 && stride == 1 => {
                let (rows, columns) = (flow.rows.extended(mode), flow.columns.extended(mode));
                self.step(conv, Kernel::Enlarged, 3, 1, Flow { rows, columns, ..flow })
            }
            View::SpaceToDepth { factor, rows, columns } => {
                let rows = flow.rows.of(&rows.taken_apart(factor));
                let columns = flow.columns.of(&columns.taken_apart(factor));
                let flow = Flow { rows, columns, channels: flow.channels, ..flow };
                self.step(conv, Kernel::SpaceToDepth { factor }, factor * kernel, factor * stride, flow)
            }
            _ => self.step(conv, Kernel::Plain, kernel, stride, flow.plain()?),
        }
    }

    fn conv_transpose(&mut self, conv: &Convolution, flow: Flow) -> Result<Flow, PlanError> {
        if (conv.kernel, conv.stride) != (3, 2) {
            return Err(unsupported("a transposed convolution other than 3x3 with stride 2"));
        }
        let (rows, columns) = (flow.rows.extended(PadMode::Zero), flow.columns.extended(PadMode::Zero));
        self.step(conv, Kernel::Transposed, 3, 1, Flow { rows, columns, ..flow })
    }

    /// A convolution with `kernel` and `stride` over what the flow's axes show, into a new buffer.
    fn step(
        &mut self,
        conv: &Convolution,
        kernel: Kernel,
        side: usize,
        stride: usize,
        flow: Flow,
    ) -> Result<Flow, PlanError> {
        let window = self.window(conv, kernel, (side, side), stride, &flow)?;
        let (height, width) = out_size(&window, &flow)?;
        let winograd = (side, stride) == (3, 1)
            && flow.value != Value::Picture
            && conv.in_channels.min(conv.out_channels * kernel.phases()) >= MIN_WINOGRAD_CHANNELS;
        let (method, grid) = if winograd {
            (Method::Winograd, cut::tiles(&window, height, width, self.lanes))
        } else {
            (Method::Direct(self.products), cut::pixels(&window, height, width, 0))
        };
        let index = self.steps.len();
        let scale = if kernel.phases() == 4 { 2 } else { 1 };
        let blocks = conv.out_channels.div_ceil(self.lanes);
        let (out_height, out_width) = (scale * height, scale * width);
        let buffer = self.arena.add(blocks * out_height * out_width * self.lanes, index);
        let planes = Planes { buffer, blocks, height: out_height, width: out_width };
        let (mut rows, mut columns) = (flow.rows.clone(), flow.columns.clone());
        if winograd {
            // The last tiles reach past the picture; what they read there goes to outputs that are not written.
            rows = rows.continued(transform::OUT * grid.height + 2);
            columns = columns.continued(transform::OUT * grid.width + 2);
        }
        let recipe = Recipe { conv: conv.clone(), kernel, norm: None };
        let source = self.source(&flow, index);
        let target = Target::Blocks { planes, scale };
        let before = self.settle.take();
        self.steps.push(Step {
            before,
            recipe,
            source,
            rows,
            columns,
            window,
            method,
            grid,
            target,
            norm: None,
        });
        Ok(Flow::of(planes, conv.out_channels, self.identity))
    }

    /// The convolution that makes the painting.
    fn last_conv(&mut self, conv: &Convolution, flow: Flow) -> Result<Flow, PlanError> {
        let Convolution { kernel, stride, out_channels: channels, .. } = *conv;
        if stride != 1 || channels != PAINTING_CHANNELS {
            return Err(unsupported("a last convolution with a stride or not to 3 channels"));
        }
        let window = self.window(conv, Kernel::Columns, (kernel, 1), 1, &flow)?;
        let (height, width) = out_size(&Window { kernel_width: kernel, ..window }, &flow)?;
        let grid = cut::pixels(&window, height, width, kernel - 1);
        let source = self.source(&flow, self.steps.len());
        let before = self.settle.take();
        self.steps.push(Step {
            before,
            recipe: Recipe { conv: conv.clone(), kernel: Kernel::Columns, norm: None },
            source,
            rows: flow.rows.clone(),
            columns: flow.columns.clone(),
            window,
            method: Method::Direct(self.products),
            grid,
            target: Target::Painting { kernel_width: kernel, channels, tanh: None, raw: None },
            norm: None,
        });
        Ok(Flow { value: Value::Painting, ..flow })
    }

    fn window(
        &self,
        conv: &Convolution,
        kernel: Kernel,
        (kernel_height, kernel_width): (usize, usize),
        stride: usize,
        flow: &Flow,
    ) -> Result<Window, PlanError> {
        let stacked = if let Kernel::SpaceToDepth { factor } = kernel { factor * factor } else { 1 };
        if conv.kernel * conv.stride * conv.in_channels * conv.out_channels == 0 {
            return Err(unsupported(format!("{conv:?}")));
        }
        if conv.in_channels != flow.channels * stacked
            || conv.in_channels.max(conv.out_channels) > MAX_CHANNELS
        {
            return Err(unsupported(format!("{conv:?} on {} channels", flow.channels)));
        }
        let (blocks, pixel) = match flow.value {
            Value::Planes(planes) => (planes.blocks, self.lanes),
            _ => (1, flow.channels),
        };
        Ok(Window { channels: flow.channels, blocks, pixel, kernel_height, kernel_width, stride })
    }

    fn source(&mut self, flow: &Flow, index: usize) -> Source {
        let Value::Planes(values) = flow.value else { return Source::Picture };
        for buffer in [Some(values.buffer), Some(flow.affine), flow.residual].into_iter().flatten() {
            self.arena.used(buffer, index);
        }
        let floor = if flow.relu { 0.0 } else { f32::NEG_INFINITY };
        Source::Blocks { values, affine: flow.affine, floor, residual: flow.residual }
    }
}

fn out_size(window: &Window, flow: &Flow) -> Result<(usize, usize), PlanError> {
    let side = |len: usize, kernel: usize| Some(len.checked_sub(kernel)? / window.stride + 1);
    let sides =
        side(flow.rows.len(), window.kernel_height).zip(side(flow.columns.len(), window.kernel_width));
    sides.ok_or_else(|| unsupported(format!("{window:?} on {}x{}", flow.columns.len(), flow.rows.len())))
}

fn enlarge(flow: Flow, factor: usize) -> Result<Flow, PlanError> {
    if factor == 0 {
        return Err(unsupported("an enlargement by 0"));
    }
    if factor == 2 && flow.is_in_place() {
        return Ok(Flow { view: View::Enlarged(None), ..flow });
    }
    let flow = flow.plain()?;
    Ok(Flow { rows: flow.rows.enlarged(factor), columns: flow.columns.enlarged(factor), ..flow })
}

fn space_to_depth(flow: Flow, factor: usize) -> Result<Flow, PlanError> {
    if flow.value != Value::Picture || flow.view != View::Plain || factor == 0 {
        return Err(unsupported("squares stacked after the first layer"));
    }
    let squares = |axis: &Axis| Axis::identity(axis.len() / factor);
    let view = View::SpaceToDepth { factor, rows: squares(&flow.rows), columns: squares(&flow.columns) };
    Ok(Flow { view, ..flow })
}
