//! What each kernel is started with: the structures of `kernels/arguments.cuh`, field by field. While a network is compiled
//! their pointers are [`Address`]es, on the card they are numbers.

use std::ffi::c_void;

use super::{CudaPrecision, address::Address};

/// Threads of a block, for every kernel.
pub(super) const THREADS: u32 = 256;
/// Channels that a thread of a norm's kernels has.
pub(super) const RUN: usize = 8;
/// Pixels that a thread of the kernel `apply` writes.
const APPLY_PIXELS: usize = 4;

/// Where a picture's numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Source<P> {
    pub(super) data: P,
    pub(super) row: i32,
    pub(super) pixel: i32,
    pub(super) channels: i32,
    pub(super) phases: i32,
}

/// RGB8 into the input of the first convolution.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Ingest<P> {
    pub(super) picture: P,
    pub(super) output: P,
    pub(super) rows: P,
    pub(super) columns: P,
    pub(super) picture_width: i32,
    pub(super) output_width: i32,
    pub(super) channels: i32,
    pub(super) factor: i32,
}

/// One pass of what is owed to a value on its way into the next convolution.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Apply<P> {
    pub(super) source: Source<P>,
    pub(super) residual: Source<P>,
    pub(super) scale: P,
    pub(super) shift: P,
    pub(super) output: P,
    pub(super) rows: P,
    pub(super) columns: P,
    pub(super) output_width: i32,
    pub(super) relu: i32,
}

/// Moments of parts of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Moments<P> {
    pub(super) source: Source<P>,
    pub(super) partials: P,
    pub(super) height: i32,
    pub(super) width: i32,
    pub(super) rows_per_part: i32,
    pub(super) columns_per_part: i32,
}

/// From the moments of all parts to a factor and a summand a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Affine<P> {
    pub(super) partials: P,
    pub(super) gain: P,
    pub(super) offset: P,
    pub(super) scale: P,
    pub(super) shift: P,
    pub(super) parts: i32,
    pub(super) channels: i32,
    pub(super) eps: f32,
}

/// A convolution without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub(super) struct Convolve<P> {
    pub(super) input: P,
    pub(super) weights: P,
    pub(super) output: P,
    /// Null where no norm follows.
    pub(super) partials: P,
    pub(super) input_row: i32,
    pub(super) channels: i32,
    pub(super) kernel_height: i32,
    pub(super) kernel_width: i32,
    pub(super) stride: i32,
    pub(super) output_height: i32,
    pub(super) output_width: i32,
    pub(super) output_channels: i32,
    /// 0 where no norm follows.
    pub(super) norm_channels: i32,
    pub(super) norm_width: i32,
    pub(super) phases: i32,
}

/// The last value into RGB.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Emit<P> {
    pub(super) source: Source<P>,
    pub(super) scale: P,
    pub(super) shift: P,
    pub(super) output: P,
    pub(super) height: i32,
    pub(super) width: i32,
    pub(super) tanh: i32,
    pub(super) gain: f32,
    pub(super) offset: f32,
}

/// The arguments of any kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Arguments<P> {
    Ingest(Ingest<P>),
    Apply(Apply<P>),
    Moments(Moments<P>),
    Affine(Affine<P>),
    Convolve(Convolve<P>),
    Emit(Emit<P>),
}

/// How a painting leaves the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Output {
    /// Clamped and rounded bytes.
    Rgb8,
    /// As the network gives it.
    F32,
}

impl Output {
    /// Bytes of one number.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Rgb8 => 1,
            Self::F32 => 4,
        }
    }
}

impl Source<Address> {
    /// No source.
    pub(super) const NONE: Self = Self { data: Address::NULL, row: 0, pixel: 0, channels: 0, phases: 0 };
}

impl<P: Copy> Source<P> {
    fn map<Q>(&self, pointer: &mut impl FnMut(P) -> Q) -> Source<Q> {
        let Self { data, row, pixel, channels, phases } = *self;
        Source { data: pointer(data), row, pixel, channels, phases }
    }
}

/// `Name { pointers through the function, the rest as it is }`.
macro_rules! mapped {
    ($value:expr, $name:ident, $function:ident; $($source:ident)*; $($pointer:ident)*; $($rest:ident)*) => {
        $name {
            $($source: $value.$source.map($function),)*
            $($pointer: $function($value.$pointer),)*
            $($rest: $value.$rest,)*
        }
    };
}

impl<P: Copy> Moments<P> {
    /// The same with other pointers.
    pub(super) fn map<Q>(&self, mut pointer: impl FnMut(P) -> Q) -> Moments<Q> {
        let pointer = &mut pointer;
        mapped!(self, Moments, pointer; source; partials; height width rows_per_part columns_per_part)
    }

    /// The kernel that takes them.
    pub(super) fn kernel(&self, precision: CudaPrecision) -> Kernel {
        let name = if precision == CudaPrecision::F16 { "moments_f16" } else { "moments_f32" };
        let parts = |side: i32, each: i32| (side as usize).div_ceil(each as usize);
        Kernel {
            name,
            blocks: blocks(parts(self.width, self.columns_per_part), parts(self.height, self.rows_per_part)),
        }
    }
}

impl<P: Copy> Affine<P> {
    /// The same with other pointers.
    pub(super) fn map<Q>(&self, mut pointer: impl FnMut(P) -> Q) -> Affine<Q> {
        let pointer = &mut pointer;
        mapped!(self, Affine, pointer;; partials gain offset scale shift; parts channels eps)
    }

    /// The kernel that takes them.
    pub(super) fn kernel(&self) -> Kernel {
        Kernel { name: "affine_f32", blocks: blocks(self.channels as usize, 1) }
    }
}

impl<P: Copy> Convolve<P> {
    /// The same with other pointers.
    pub(super) fn map<Q>(&self, mut pointer: impl FnMut(P) -> Q) -> Convolve<Q> {
        let pointer = &mut pointer;
        mapped!(self, Convolve, pointer;; input weights output partials;
            input_row channels kernel_height kernel_width stride output_height output_width output_channels
            norm_channels norm_width phases)
    }

    /// Products that are summed for one output.
    pub(super) fn terms(&self) -> usize {
        self.kernel_height as usize * self.kernel_width as usize * self.channels as usize
    }

    /// Numbers of the input that are seen.
    pub(super) fn inputs(&self) -> usize {
        let height = (self.output_height - 1) * self.stride + self.kernel_height;
        height as usize * self.input_row as usize
    }

    /// Numbers of the weights.
    pub(super) fn weights(&self) -> usize {
        self.output_channels as usize * self.terms()
    }

    /// Numbers of the output.
    pub(super) fn outputs(&self) -> usize {
        self.output_pixels() * self.output_channels as usize
    }

    fn output_pixels(&self) -> usize {
        self.output_height as usize * self.output_width as usize
    }
}

impl<P: Copy> Arguments<P> {
    /// The same with other pointers.
    pub(super) fn map<Q>(&self, mut pointer: impl FnMut(P) -> Q) -> Arguments<Q> {
        let f = &mut pointer;
        match self {
            Self::Ingest(a) => Arguments::Ingest(mapped!(a, Ingest, f;; picture output rows columns;
                picture_width output_width channels factor)),
            Self::Apply(a) => {
                Arguments::Apply(mapped!(a, Apply, f; source residual; scale shift output rows columns;
                output_width relu))
            }
            Self::Moments(a) => Arguments::Moments(a.map(f)),
            Self::Affine(a) => Arguments::Affine(a.map(f)),
            Self::Convolve(a) => Arguments::Convolve(a.map(f)),
            Self::Emit(a) => Arguments::Emit(mapped!(a, Emit, f; source; scale shift output;
                height width tanh gain offset)),
        }
    }
}

impl Arguments<u64> {
    /// Where the structure starts that the kernel takes.
    pub(super) fn as_ptr(&self) -> *const c_void {
        match self {
            Self::Ingest(a) => (&raw const *a).cast(),
            Self::Apply(a) => (&raw const *a).cast(),
            Self::Moments(a) => (&raw const *a).cast(),
            Self::Affine(a) => (&raw const *a).cast(),
            Self::Convolve(a) => (&raw const *a).cast(),
            Self::Emit(a) => (&raw const *a).cast(),
        }
    }
}

/// A kernel by name, and how many blocks of it are started: along x and along y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kernel {
    pub(super) name: &'static str,
    pub(super) blocks: (u32, u32),
}

fn blocks(x: usize, y: usize) -> (u32, u32) {
    (x as u32, y as u32)
}

/// Pixels that a block of a norm's kernels has side by side.
fn side_by_side(channels: i32) -> usize {
    THREADS as usize / (channels as usize / RUN)
}

/// A kernel that convolves by tensor cores: the pixels and channels of a block, its name, and that of the one that leaves the
/// moments of what it writes.
struct TensorCoreKernel {
    pixels: usize,
    channels: usize,
    alone: &'static str,
    with_moments: &'static str,
}

const TENSOR_CORE_KERNELS: [TensorCoreKernel; 3] = [
    TensorCoreKernel {
        pixels: 256,
        channels: 32,
        alone: "convolve_f16_256x32",
        with_moments: "convolve_f16_256x32_moments",
    },
    TensorCoreKernel {
        pixels: 128,
        channels: 64,
        alone: "convolve_f16_128x64",
        with_moments: "convolve_f16_128x64_moments",
    },
    TensorCoreKernel {
        pixels: 128,
        channels: 128,
        alone: "convolve_f16_128x128",
        with_moments: "convolve_f16_128x128_moments",
    },
];

impl<P: Copy> Convolve<P> {
    /// Our own kernels that can do it, the narrowest first; with `moments` those that leave the moments of their output too.
    pub(super) fn kernels(&self, precision: CudaPrecision, moments: bool) -> Vec<Kernel> {
        let outputs = self.output_channels as usize;
        let tiles = |pixels: usize, channels: usize| {
            blocks(self.output_pixels().div_ceil(pixels), outputs.div_ceil(channels))
        };
        match precision {
            CudaPrecision::F32 if moments => Vec::new(),
            CudaPrecision::F32 => vec![Kernel { name: "convolve_f32", blocks: tiles(64, 64) }],
            CudaPrecision::F16 => {
                let mut narrower = 0;
                // None is wider than it must be.
                let fits =
                    |kernel: &&TensorCoreKernel| outputs > std::mem::replace(&mut narrower, kernel.channels);
                let kernel = |kernel: &TensorCoreKernel| Kernel {
                    name: if moments { kernel.with_moments } else { kernel.alone },
                    blocks: tiles(kernel.pixels, kernel.channels),
                };
                TENSOR_CORE_KERNELS.iter().filter(fits).map(kernel).collect()
            }
        }
    }

    /// Parts of which a kernel leaves the moments: one a block, for each pixel that an output pixel is.
    pub(super) fn parts(&self, kernel: &Kernel) -> usize {
        (kernel.blocks.0 as i32 * (self.output_channels / self.norm_channels)) as usize
    }
}

impl<P: Copy> Arguments<P> {
    /// The kernel that takes them; `rows` are those of what it writes. A convolution has more than one: the first.
    pub(super) fn kernel(&self, precision: CudaPrecision, output: Output, rows: usize) -> Kernel {
        use CudaPrecision::{F16, F32};
        let threads = THREADS as usize;
        match self {
            Self::Ingest(a) => {
                let name = if precision == F16 { "ingest_f16" } else { "ingest_f32" };
                Kernel { name, blocks: blocks((a.output_width as usize).div_ceil(threads), rows) }
            }
            Self::Apply(a) => {
                let name = if precision == F16 { "apply_f16" } else { "apply_f32" };
                let pixels = side_by_side(a.source.channels) * APPLY_PIXELS;
                Kernel { name, blocks: blocks((a.output_width as usize).div_ceil(pixels), rows) }
            }
            Self::Moments(a) => a.kernel(precision),
            Self::Affine(a) => a.kernel(),
            Self::Convolve(a) => a.kernels(precision, false)[0],
            Self::Emit(a) => {
                let name = match (precision, output) {
                    (F32, Output::F32) => "emit_f32_f32",
                    (F32, Output::Rgb8) => "emit_f32_u8",
                    (F16, Output::F32) => "emit_f16_f32",
                    (F16, Output::Rgb8) => "emit_f16_u8",
                };
                let numbers = 3 * a.height as usize * a.width as usize;
                Kernel { name, blocks: blocks(numbers.div_ceil(4 * threads), 1) }
            }
        }
    }
}
