//! Writing steps: what each pass reads, writes and is started with.

use std::collections::BTreeMap;

use super::{
    CudaPrecision,
    address::{Address, Region, UNIT_BYTES},
    arguments::{self, Apply, Arguments, Convolve, Emit, Ingest, Moments, RUN, Source},
    flow::{Affine, Flow, Owed, Stored, Value, View},
    lower::unsupported,
    program::{Program, Step, place_after},
    recipe::{Form, Recipe},
};
use crate::{
    PlanError,
    description::{Convolution, Norm},
    plan::{MAX_CHANNELS, arena::Arena, axis::Axis},
};

/// Most rows of anything: as many blocks as can be started in that direction.
const MAX_ROWS: usize = 65_535;
/// Channels of a pixel with three, where pixels are taken together: the picture's and the painting's.
pub(super) const RGB_STORED: usize = 4;
/// How many parts of a picture have their moments taken side by side, about: some for each of a large card's
/// multiprocessors.
const MOMENTS_PARTS: usize = 1024;
/// Fewest columns of a part.
const MOMENTS_COLUMNS: usize = 32;

/// Channels as they are kept: as many as are read at once, or a multiple of that.
pub(super) const fn stored_channels(channels: usize) -> usize {
    channels.next_multiple_of(RUN)
}

/// A number for a kernel.
fn int(value: usize) -> Result<i32, PlanError> {
    i32::try_from(value).map_err(|_too_large| unsupported("a picture of this size"))
}

/// What a pass has written: rows of pixels without gaps.
pub(super) struct Input {
    address: Address,
    pub(super) height: usize,
    pub(super) width: usize,
    channels: usize,
    /// Bytes of a number.
    bytes: usize,
}

impl Input {
    /// What lies that far from its upper left corner.
    pub(super) fn inside(&self, top: usize, left: usize) -> Result<Source<Address>, PlanError> {
        let before = (top * self.width + left) * self.channels;
        Ok(Source {
            data: self.address.plus(before * self.bytes),
            row: int(self.width * self.channels)?,
            pixel: int(self.channels)?,
            channels: int(self.channels)?,
            phases: 0,
        })
    }
}

/// A convolution whose input is there.
pub(super) struct Prepared {
    form: Form,
    stride: usize,
    pub(super) input: Input,
    /// Channels of an output in memory.
    outputs: usize,
    /// Height and width of what comes out, before phases make it twice as large.
    size: (usize, usize),
}

/// Collects steps, and what they need.
pub(super) struct Passes {
    precision: CudaPrecision,
    picture: (usize, usize),
    painting: (usize, usize),
    steps: Vec<Step>,
    recipes: Vec<Recipe>,
    /// Where the next recipe's numbers go.
    parameters_end: usize,
    tables: Vec<i32>,
    /// Where tables begin that are there already.
    table_places: BTreeMap<Vec<i32>, usize>,
    arena: Arena,
    direct_operations: u64,
}

impl Passes {
    pub(super) fn new(precision: CudaPrecision, picture: (usize, usize)) -> Self {
        Self {
            precision,
            picture,
            painting: (0, 0),
            steps: Vec::new(),
            recipes: Vec::new(),
            parameters_end: 0,
            tables: Vec::new(),
            table_places: BTreeMap::new(),
            arena: Arena::default(),
            direct_operations: 0,
        }
    }

    /// All that was collected.
    pub(super) fn program(mut self) -> Program {
        self.arena.lay_out();
        Program {
            precision: self.precision,
            steps: self.steps,
            recipes: self.recipes,
            tables: self.tables,
            arena: self.arena,
            picture: self.picture,
            painting: self.painting,
            direct_operations: self.direct_operations,
        }
    }

    /// Has the input of a convolution written, whose outputs take `outputs` channels in memory.
    pub(super) fn prepare(
        &mut self,
        conv: &Convolution,
        form: Form,
        outputs: usize,
        flow: &Flow,
    ) -> Result<Prepared, PlanError> {
        let (side, stride) = match form {
            Form::Plain { .. } => (conv.kernel, conv.stride),
            Form::Enlarged | Form::Transposed => (2, 1),
        };
        let (rows, columns, factor) = match &flow.view {
            View::Stacked { factor, rows, columns } => (rows.len(), columns.len(), *factor),
            _ => (flow.rows.len(), flow.columns.len(), 1),
        };
        if side * stride * conv.in_channels * conv.out_channels == 0 {
            return Err(unsupported(format!("{conv:?}")));
        }
        if conv.in_channels != flow.channels * factor * factor
            || conv.in_channels.max(conv.out_channels) > MAX_CHANNELS
        {
            return Err(unsupported(format!("{conv:?} on {} channels", flow.channels)));
        }
        let outputs_along = |len: usize| Some(len.checked_sub(side)? / stride + 1);
        let size = outputs_along(rows).zip(outputs_along(columns));
        let size = size.ok_or_else(|| unsupported(format!("{conv:?} on {columns}x{rows}")))?;
        let group = form.group();
        // As many whole groups as the kernel sees of the last one that is made.
        let (_, taps) = form.kernel(conv.kernel);
        let width = columns.max(group * (size.1.div_ceil(group) + taps - 1));
        let channels = match flow.value {
            Value::Stored(stored) => stored.source.channels as usize,
            Value::Picture if group > 1 && factor == 1 => RGB_STORED,
            Value::Picture => stored_channels(conv.in_channels),
        };
        let input = self.input(flow, width, channels)?;
        Ok(Prepared { form, stride, input, outputs, size })
    }

    /// The middle of what is stored, of this height and width, where it has one.
    pub(super) fn middle(&self, stored: &Stored, (height, width): (usize, usize)) -> Option<Source<Address>> {
        let margin = |whole: usize, part: usize| {
            whole.checked_sub(part).filter(|both| both.is_multiple_of(2)).map(|both| both / 2)
        };
        let (top, left) = (margin(stored.height, height)?, margin(stored.width, width)?);
        let Source { data, row, pixel, .. } = stored.source;
        let before = top * usize::try_from(row).ok()? + left * usize::try_from(pixel).ok()?;
        Some(Source { data: data.plus(before * self.precision.bytes()), ..stored.source })
    }

    /// Writes what a flow shows into a buffer of its own, with rows of `width` pixels: zeros where there is nothing to show.
    pub(super) fn input(&mut self, flow: &Flow, width: usize, channels: usize) -> Result<Input, PlanError> {
        let (rows, columns, factor) = match &flow.view {
            View::Stacked { factor, rows, columns } => {
                let (rows, columns) = (rows.taken_apart(*factor), columns.taken_apart(*factor));
                (flow.rows.of(&rows), flow.columns.of(&columns), *factor)
            }
            _ => (flow.rows.clone(), flow.columns.clone(), 1),
        };
        let height = rows.len() / factor;
        let mut columns = columns;
        columns.0.resize(width * factor, -1);
        let (rows, columns) = (self.table(rows), self.table(columns));
        let bytes = self.precision.bytes();
        let written = height * width * channels * bytes;
        let output = self.buffer(written);
        match flow.value {
            Value::Picture => {
                let arguments = Ingest {
                    picture: Address::start(Region::Picture),
                    output,
                    rows,
                    columns,
                    picture_width: int(self.picture.1)?,
                    output_width: int(width)?,
                    channels: int(channels)?,
                    factor: int(factor)?,
                };
                let read = 3 * self.picture.0 * self.picture.1;
                self.push(Arguments::Ingest(arguments), height, read + written)?;
            }
            Value::Stored(Stored { source, height: from_height, width: from_width }) => {
                let (scale, shift) = self.affine(&flow.owed.affine, channels);
                let arguments = Apply {
                    source,
                    residual: flow.owed.residual.unwrap_or(Source::NONE),
                    scale,
                    shift,
                    output,
                    rows,
                    columns,
                    output_width: int(width)?,
                    relu: i32::from(flow.owed.relu),
                };
                let sources = 1 + usize::from(flow.owed.residual.is_some());
                let read = sources * from_height * from_width * channels * bytes;
                self.push(Arguments::Apply(arguments), height, read + written)?;
            }
        }
        Ok(Input { address: output, height, width, channels, bytes })
    }

    /// A convolution into a new buffer, which leaves the bias to whoever reads it.
    pub(super) fn convolve(&mut self, conv: &Convolution, prepared: &Prepared) -> Result<Flow, PlanError> {
        let Prepared { form, stride, input, outputs, size: (height, width) } = prepared;
        let (group, parts) = (form.group(), form.parts());
        let phases = !matches!(form, Form::Plain { .. });
        let (kernel_height, kernel_width) = form.kernel(conv.kernel);
        let recipe =
            Recipe::Filter { conv: conv.clone(), form: *form, inputs: input.channels, outputs: *outputs };
        let filter_bytes = recipe.bytes(self.precision);
        let weights = self.parameters(recipe);
        let groups = width.div_ceil(group);
        let bytes = self.precision.bytes();
        let written = height * groups * parts * outputs * bytes;
        let output = self.buffer(written);
        let arguments = Convolve {
            input: input.address,
            weights,
            output,
            partials: Address::NULL,
            input_row: int(input.width * input.channels)?,
            channels: int(group * input.channels)?,
            kernel_height: int(kernel_height)?,
            kernel_width: int(kernel_width)?,
            stride: int(*stride)?,
            output_height: int(*height)?,
            output_width: int(groups)?,
            output_channels: int(parts * outputs)?,
            norm_channels: 0,
            norm_width: int(*width)?,
            phases: i32::from(phases),
        };
        let read = input.height * input.width * input.channels * bytes;
        self.push(Arguments::Convolve(arguments), *height, read + filter_bytes + written)?;
        let source = Source {
            data: output,
            row: int(groups * parts * outputs)?,
            pixel: int(if phases { parts * outputs } else { *outputs })?,
            channels: int(*outputs)?,
            phases: i32::from(phases),
        };
        // One window more than small pixels along each axis makes the phases.
        let (height, width) = if phases { (2 * (height - 1), 2 * (width - 1)) } else { (*height, *width) };
        let seen = if *form == Form::Transposed { height * width / 4 } else { height * width };
        let products = seen * conv.kernel * conv.kernel * conv.in_channels * conv.out_channels;
        self.direct_operations += 2 * products as u64;
        let stored = Stored { source, height, width };
        Ok(Flow::of(stored, conv.out_channels, Owed::bias(conv.bias.clone())))
    }

    /// The moments of every channel, and what a norm owes for them.
    pub(super) fn norm(
        &mut self,
        norm: &Norm,
        Stored { source, height, width }: Stored,
    ) -> Result<Owed, PlanError> {
        let channels = source.channels as usize;
        let segments = MOMENTS_PARTS.div_ceil(height).min(width.div_ceil(MOMENTS_COLUMNS));
        let (rows, columns) = (height.div_ceil(MOMENTS_PARTS), width.div_ceil(segments));
        let (parts_down, parts_across) = (height.div_ceil(rows), width.div_ceil(columns));
        let parts = parts_down * parts_across;
        let channels_bytes = channels * size_of::<f32>();
        let partials_bytes = 3 * parts * channels_bytes;
        let gain = self.parameters(Recipe::Norm { norm: norm.clone(), channels });
        // A convolution may leave the moments of parts of its own.
        let precision = self.precision;
        let (mut most_parts, mut first) = (parts, self.steps.len());
        if let Some(convolve) = self.last_convolution(&source) {
            convolve.norm_channels = source.channels;
            let kernels = convolve.kernels(precision, true);
            most_parts = kernels.iter().map(|kernel| convolve.parts(kernel)).fold(parts, usize::max);
            first -= 1;
        }
        let partials = self.buffer_of(3 * most_parts * channels_bytes, first);
        let scale = self.buffer_of(2 * channels_bytes, first);
        let shift = scale.plus(channels_bytes);
        let moments = Moments {
            source,
            partials,
            height: int(height)?,
            width: int(width)?,
            rows_per_part: int(rows)?,
            columns_per_part: int(columns)?,
        };
        let affine = arguments::Affine {
            partials,
            gain,
            offset: gain.plus(channels_bytes),
            scale,
            shift,
            parts: int(parts)?,
            channels: int(channels)?,
            eps: norm.eps as f32,
        };
        let moments_bytes = height * width * channels * self.precision.bytes() + partials_bytes;
        let affine_bytes = partials_bytes + 4 * channels_bytes;
        match self.last_convolution(&source) {
            Some(convolve) => {
                convolve.partials = partials;
                self.attach((moments, affine), (moments_bytes + affine_bytes) as u64);
            }
            None => {
                self.push(Arguments::Moments(moments), parts_down, moments_bytes)?;
                self.push(Arguments::Affine(affine), 1, affine_bytes)?;
            }
        }
        Ok(Owed { affine: Affine::Norm { scale, shift }, relu: false, residual: None })
    }

    /// The step before, where it is the convolution that wrote this.
    fn last_convolution(&mut self, written: &Source<Address>) -> Option<&mut Convolve<Address>> {
        match self.steps.last_mut().map(|step| &mut step.arguments) {
            Some(Arguments::Convolve(convolve)) if convolve.output == written.data => Some(convolve),
            _ => None,
        }
    }

    /// Makes a norm a part of the step before, which then reads and writes so many bytes more.
    fn attach(&mut self, norm: (Moments<Address>, arguments::Affine<Address>), bytes: u64) {
        let index = self.steps.len() - 1;
        let step = &mut self.steps[index];
        step.norm = Some(norm);
        step.bytes += bytes;
        self.used(index);
    }

    /// The painting, cut to `size`.
    pub(super) fn emit(
        &mut self,
        Stored { source, .. }: Stored,
        owed: &Owed,
        tanh: Option<(f32, f32)>,
        size: (usize, usize),
    ) -> Result<(), PlanError> {
        let (scale, shift) = self.affine(&owed.affine, source.channels as usize);
        let (height, width) = size;
        let (gain, offset) = tanh.unwrap_or_default();
        let arguments = Emit {
            source,
            scale,
            shift,
            output: Address::start(Region::Painting),
            height: int(height)?,
            width: int(width)?,
            tanh: i32::from(tanh.is_some()),
            gain,
            offset,
        };
        self.painting = size;
        let read = height * width * source.channels as usize * self.precision.bytes();
        self.push(Arguments::Emit(arguments), height, read + 3 * height * width)
    }

    /// Where the factors and summands are that are owed.
    fn affine(&mut self, affine: &Affine, channels: usize) -> (Address, Address) {
        match affine {
            Affine::Norm { scale, shift } => (*scale, *shift),
            Affine::Bias(name) => {
                let ones = self.parameters(Recipe::Bias { name: name.clone(), channels });
                (ones, ones.plus(channels * size_of::<f32>()))
            }
        }
    }

    /// A place for a recipe's numbers.
    fn parameters(&mut self, recipe: Recipe) -> Address {
        let bytes = self.parameters_end;
        self.parameters_end = place_after(bytes, &recipe, self.precision);
        self.recipes.push(recipe);
        Address { region: Region::Parameters, bytes }
    }

    /// A place for a table.
    fn table(&mut self, Axis(sources): Axis) -> Address {
        let at = *self.table_places.entry(sources).or_insert_with_key(|sources| {
            let at = self.tables.len();
            self.tables.extend_from_slice(sources);
            at
        });
        Address { region: Region::Tables, bytes: at * size_of::<i32>() }
    }

    /// A buffer that the next step writes.
    fn buffer(&mut self, bytes: usize) -> Address {
        self.buffer_of(bytes, self.steps.len())
    }

    /// A buffer that a step writes.
    fn buffer_of(&mut self, bytes: usize, step: usize) -> Address {
        Address::start(Region::Buffer(self.arena.add(bytes.div_ceil(UNIT_BYTES), step)))
    }

    /// Adds a step that writes `rows` rows, and reads and writes `bytes` bytes.
    fn push(&mut self, arguments: Arguments<Address>, rows: usize, bytes: usize) -> Result<(), PlanError> {
        if rows > MAX_ROWS {
            return Err(unsupported(format!("pictures of more than {MAX_ROWS} rows")));
        }
        self.steps.push(Step { arguments, norm: None, rows, bytes: bytes as u64 });
        self.used(self.steps.len() - 1);
        Ok(())
    }

    /// Notes that a step uses its buffers.
    fn used(&mut self, index: usize) {
        for address in self.steps[index].addresses() {
            if let Region::Buffer(id) = address.region {
                self.arena.used(id, index);
            }
        }
    }
}
