//! A plan: steps, packed weights and memory, and running them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use candle_core::Tensor;
use rayon::prelude::*;

use super::{
    Picture, PlanError,
    compile::{MAX_CHANNELS, Program, compile},
    emit::{self, Painting},
    lines::Lines,
    norm,
    pack::PackedConv,
    settle,
    task::{self, Context},
};
use crate::{Level, Network, NetworkDescription, Products, fold::folded};

/// Where a painting goes: RGB on 0-255, not clamped.
#[derive(Debug)]
pub enum Canvas<'a> {
    /// Interleaved: (H, W, 3).
    Rgb(&'a mut [f32]),
    /// Planes: (3, H, W).
    Planes(&'a mut [f32]),
}

/// A network compiled for the processor.
///
/// It takes pictures of any size that its network can take; a new size costs some milliseconds, the memory and nothing
/// else. Results are the same bits whatever the number of threads.
#[derive(Debug)]
pub struct Plan {
    level: Level,
    products: Products,
    description: NetworkDescription,
    packed: Vec<PackedConv>,
    sized: Option<Sized>,
    /// For each thread what its tasks need.
    scratch: Vec<Mutex<Lines>>,
}

/// What depends on the picture's size.
#[derive(Debug)]
struct Sized {
    height: usize,
    width: usize,
    program: Program,
    memory: Lines,
}

/// A size that every network can take, for packing weights, which does not depend on it.
const SOME_SIZE: (usize, usize) = (64, 64);

impl Plan {
    /// Compiles a network and packs its weights for an instruction set, all in `f32`.
    ///
    /// # Errors
    /// The network has layers that plans do not know, or its weights are not `f32`.
    pub fn new(network: &Network, level: Level) -> Result<Self, PlanError> {
        Self::with_products(network, level, Products::F32)
    }

    /// As [`Self::new`], with direct convolutions in another type. Every level can do every type, but only those with
    /// instructions for it are faster (see [`Level::has_bf16`]).
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_products(network: &Network, level: Level, products: Products) -> Result<Self, PlanError> {
        let network = &folded(network).map_err(PlanError::weights)?;
        let program = compile(network.description(), SOME_SIZE, level.lanes(), products)?;
        let values = parameters(network)?;
        let pack = |step| PackedConv::new(step, &values, level.lanes());
        let packed = program.steps.par_iter().map(pack).collect();
        let description = network.description().clone();
        Ok(Self { level, products, description, packed, sized: None, scratch: Vec::new() })
    }

    /// The instruction set that it was compiled for.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Bytes that painting a picture of this size takes on this thread's pool, beside the picture and the painting.
    ///
    /// # Errors
    /// The network cannot take the size.
    pub fn memory_bytes(&self, height: usize, width: usize) -> Result<u64, PlanError> {
        let program = self.compile(height, width)?;
        let scratch = rayon::current_num_threads() * self.scratch_len(&program);
        Ok(((program.arena.len() + scratch) * size_of::<f32>()) as u64 + self.weight_bytes())
    }

    /// Bytes that the packed weights take.
    pub fn weight_bytes(&self) -> u64 {
        let weights: usize = self.packed.iter().map(|packed| packed.weights.len()).sum();
        (weights * size_of::<f32>()) as u64
    }

    /// Gives back the memory for the last size.
    pub fn release(&mut self) {
        (self.sized, self.scratch) = (None, Vec::new());
    }

    /// How many times as wide and as high as the picture the painting is.
    pub fn factor(&self) -> usize {
        self.description.painting_factor()
    }

    /// Paints a picture of `height` x `width` on the rayon pool that it is called in.
    ///
    /// # Errors
    /// The network cannot take the size.
    ///
    /// # Panics
    /// The picture or the canvas, which is [`Self::factor`] times as wide and high, does not have 3 numbers a pixel.
    pub fn paint(
        &mut self,
        picture: Picture<'_>,
        (height, width): (usize, usize),
        canvas: Canvas<'_>,
    ) -> Result<(), PlanError> {
        let (output, interleaved) = match canvas {
            Canvas::Rgb(output) => (output, true),
            Canvas::Planes(output) => (output, false),
        };
        let factor = self.factor();
        let plane = factor * height * factor * width;
        assert_eq!(
            (picture.len(), output.len()),
            (3 * height * width, 3 * plane),
            "numbers of {width}x{height} pixels"
        );
        self.prepare(height, width)?;
        let (height, width) = (factor * height, factor * width);
        let Self { level, packed, sized: Some(sized), scratch, .. } = self else { return Ok(()) };
        let painting = Painting {
            output: output.as_mut_ptr(),
            height,
            width,
            pixel_stride: if interleaved { 3 } else { 1 },
            channel_stride: if interleaved { 1 } else { plane },
        };
        sized.run(*level, packed, scratch, picture, painting);
        if let Some(finish) = &sized.program.finish {
            let memory = sized.memory.as_mut_slice();
            emit::finish(finish, &sized.program.arena, memory, level.lanes(), output, (width, interleaved));
        }
        Ok(())
    }

    /// The steps for a size, which the packed weights fit.
    fn compile(&self, height: usize, width: usize) -> Result<Program, PlanError> {
        let program = compile(&self.description, (height, width), self.level.lanes(), self.products)?;
        let fit = program.steps.len() == self.packed.len()
            && program.steps.iter().zip(&self.packed).all(|(step, packed)| packed.fits(step));
        let what =
            || PlanError::Unsupported { what: "layers that change with the picture's size".to_owned() };
        fit.then_some(program).ok_or_else(what)
    }

    /// Compiles for another size, and makes sure that every thread has its scratch memory.
    fn prepare(&mut self, height: usize, width: usize) -> Result<(), PlanError> {
        if self.sized.as_ref().is_none_or(|sized| (sized.height, sized.width) != (height, width)) {
            let program = self.compile(height, width)?;
            // The old memory goes before the new comes.
            self.release();
            self.sized = Some(Sized::new(program, (height, width), self.level.lanes()));
        }
        let threads = rayon::current_num_threads();
        if self.scratch.len() < threads
            && let Some(sized) = &self.sized
        {
            let len = self.scratch_len(&sized.program);
            self.scratch.resize_with(threads, || Mutex::new(Lines::zeros(len)));
        }
        Ok(())
    }

    /// Floats of scratch memory that the hungriest step needs.
    fn scratch_len(&self, program: &Program) -> usize {
        let steps = program.steps.iter().zip(&self.packed);
        let lens = steps.map(|(step, packed)| task::scratch_len(step, packed, self.level.lanes()));
        lens.max().unwrap_or(0)
    }
}

impl Sized {
    fn new(program: Program, (height, width): (usize, usize), lanes: usize) -> Self {
        let mut memory = Lines::zeros(program.arena.len());
        let identity = program.arena.place(program.identity);
        let identity = &mut memory.as_mut_slice()[identity..identity + 2 * MAX_CHANNELS];
        for block in identity.chunks_exact_mut(2 * lanes) {
            block[..lanes].fill(1.0);
        }
        Self { height, width, program, memory }
    }

    /// Runs all steps.
    fn run(
        &mut self,
        level: Level,
        packed: &[PackedConv],
        scratch: &[Mutex<Lines>],
        picture: Picture<'_>,
        painting: Painting,
    ) {
        let arena = &self.program.arena;
        for (step, packed) in self.program.steps.iter().zip(packed) {
            if let Some(settle) = &step.before {
                settle::run(level, settle, arena, self.memory.as_mut_slice());
            }
            let memory = self.memory.as_mut_slice().as_mut_ptr();
            let context = Context { arena, memory, picture, picture_width: self.width, painting };
            (0..step.grid.tasks()).into_par_iter().with_max_len(1).for_each(|task| {
                // A task is never interrupted by another one on its thread, so the lock is always free.
                let thread = rayon::current_thread_index().unwrap_or(0);
                let mut scratch = scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
                task::run(level, &context, step, packed, task, scratch.as_mut_slice());
            });
            if let (Some(norm), Some(parameters)) = (&step.norm, &packed.norm) {
                norm::finish(step, norm, parameters, arena, self.memory.as_mut_slice(), level.lanes());
            }
        }
    }
}

/// The weights of a network by name.
pub(crate) fn parameters(network: &Network) -> Result<BTreeMap<String, Vec<f32>>, PlanError> {
    let floats = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
    let named = network.parameters().iter().map(|(name, tensor)| Ok((name.clone(), floats(tensor)?)));
    let named: candle_core::Result<_> = named.collect();
    named.map_err(PlanError::weights)
}
