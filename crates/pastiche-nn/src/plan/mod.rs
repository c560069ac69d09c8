//! A network compiled for inference: the same layers as [`crate::Network`] runs, fused and laid out for one picture
//! size, one instruction set and no allocation while it runs.

mod arena;
mod axis;
mod compile;
mod cut;
mod emit;
mod gather;
pub(crate) mod lines;
mod moments;
pub(crate) mod multiply;
mod norm;
mod pack;
mod step;
mod task;
pub(crate) mod transform;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;

use self::{
    compile::{MAX_CHANNELS, Program},
    emit::Painting,
    lines::Lines,
    pack::PackedConv,
    task::Context,
};
use crate::{Margins, Network, NetworkDescription, simd::Level};

pub use gather::Picture;

/// Why a network cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The layers are none that plans know.
    #[error("plans do not know {what}")]
    Unsupported {
        /// What they do not know.
        what: String,
    },
    /// A reflection would reach past the other edge.
    #[error("reflection by {margins:?} needs a larger picture than {width}x{height}")]
    TooSmall {
        /// How far it reaches.
        margins: Margins,
        /// Of what is mirrored.
        height: usize,
        /// Of what is mirrored.
        width: usize,
    },
}

/// A compiled network with its memory.
#[derive(Debug)]
pub struct Plan {
    level: Level,
    description: Arc<NetworkDescription>,
    packed: Arc<Vec<PackedConv>>,
    program: Program,
    height: usize,
    width: usize,
    memory: Lines,
    scratch: Vec<Mutex<Lines>>,
}

impl Plan {
    /// Compiles a network for pictures of `height` x `width`, and packs its weights for `level`.
    pub fn new(network: &Network, level: Level, (height, width): (usize, usize)) -> Result<Self, PlanError> {
        let program = compile::compile(network.description(), (height, width), level.lanes())?;
        let values =
            parameters(network).map_err(|error| PlanError::Unsupported { what: error.to_string() })?;
        let pack = |step| PackedConv::new(step, &values, level.lanes());
        let packed = Arc::new(program.steps.iter().map(pack).collect());
        let description = Arc::new(network.description().clone());
        Ok(Self::of(level, description, packed, program, (height, width)))
    }

    fn of(
        level: Level,
        description: Arc<NetworkDescription>,
        packed: Arc<Vec<PackedConv>>,
        program: Program,
        (height, width): (usize, usize),
    ) -> Self {
        let mut memory = Lines::zeros(program.arena.len());
        let identity = program.arena.place(program.identity);
        let identity = &mut memory.as_mut_slice()[identity..identity + 2 * MAX_CHANNELS];
        for block in identity.chunks_exact_mut(2 * level.lanes()) {
            block[..level.lanes()].fill(1.0);
        }
        Self { level, description, packed, program, height, width, memory, scratch: Vec::new() }
    }

    /// Paints `picture` into `output`.
    pub fn run(&mut self, picture: Picture<'_>, output: &mut [f32], interleaved: bool) {
        let plane = self.height * self.width;
        assert_eq!((picture.len(), output.len()), (3 * plane, 3 * plane));
        self.reserve_scratch();
        let painting = Painting {
            output: output.as_mut_ptr(),
            height: self.height,
            width: self.width,
            pixel_stride: if interleaved { 3 } else { 1 },
            channel_stride: if interleaved { 1 } else { plane },
        };
        let Self { level, program, scratch, memory, .. } = self;
        let lanes = level.lanes();
        for (step, packed) in program.steps.iter().zip(self.packed.iter()) {
            let memory_start = memory.as_mut_slice().as_mut_ptr();
            let (arena, picture_width) = (&program.arena, self.width);
            let context = Context { arena, memory: memory_start, picture, picture_width, painting };
            (0..step.grid.tasks()).into_par_iter().with_max_len(1).for_each(|task| {
                let thread = rayon::current_thread_index().unwrap_or(0);
                let mut scratch = scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
                task::run(*level, &context, step, packed, task, scratch.as_mut_slice());
            });
            if let (Some(norm), Some(parameters)) = (&step.norm, &packed.norm) {
                norm::finish(step, norm, parameters, arena, memory.as_mut_slice(), lanes);
            }
        }
        if let Some(finish) = &program.finish {
            let size = (self.width, interleaved);
            emit::finish(finish, &program.arena, memory.as_mut_slice(), lanes, output, size);
        }
    }

    fn reserve_scratch(&mut self) {
        let threads = rayon::current_num_threads();
        if self.scratch.len() < threads {
            let lanes = self.level.lanes();
            let needs = self.program.steps.iter().zip(self.packed.iter());
            let len = needs.map(|(step, packed)| task::scratch_len(step, packed, lanes)).max().unwrap_or(0);
            self.scratch.resize_with(threads, || Mutex::new(Lines::zeros(len)));
        }
    }
}

/// The weights of a network by name, as floats.
fn parameters(network: &Network) -> candle_core::Result<BTreeMap<String, Vec<f32>>> {
    let floats = |(name, tensor): (&String, &candle_core::Tensor)| {
        Ok((name.clone(), tensor.flatten_all()?.to_vec1::<f32>()?))
    };
    network.parameters().iter().map(floats).collect()
}
