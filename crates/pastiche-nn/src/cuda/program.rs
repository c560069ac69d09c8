//! What a network is compiled to, for one size of picture.

use std::collections::BTreeMap;

use half::f16;

use super::{
    Counts, CudaPrecision,
    address::{Address, Bases, UNIT_BYTES},
    arguments::{Affine, Arguments, Convolve, Kernel, Moments, Output},
    recipe::Recipe,
};
use crate::plan::arena::Arena;

/// One pass over a picture.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) arguments: Arguments<Address>,
    /// The norm of what a convolution writes, where there is one: it belongs to the convolution, which may help.
    pub(super) norm: Option<(Moments<Address>, Affine<Address>)>,
    /// Rows of what it writes.
    pub(super) rows: usize,
    /// Bytes that it reads and writes.
    pub(super) bytes: u64,
}

impl Step {
    /// All places that it names.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let mut addresses = Vec::new();
        let mut note = |address| addresses.push(address);
        self.arguments.map(&mut note);
        if let Some((moments, affine)) = &self.norm {
            moments.map(&mut note);
            affine.map(&mut note);
        }
        addresses
    }
}

/// The steps of a network at one size.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) precision: CudaPrecision,
    pub(super) steps: Vec<Step>,
    /// The weights, in the order in which they lie in memory.
    pub(super) recipes: Vec<Recipe>,
    /// The tables of rows and columns.
    pub(super) tables: Vec<i32>,
    pub(super) arena: Arena,
    /// Height and width of the picture and of the painting.
    pub(super) picture: (usize, usize),
    pub(super) painting: (usize, usize),
    /// Multiplications and additions of the convolutions as they are described.
    pub(super) direct_operations: u64,
}

/// A kernel with its arguments.
pub(super) type Start = (Kernel, Arguments<u64>);

/// A convolution, for which there is more than one way, and the norm that follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    pub(super) convolve: Convolve<u64>,
    norm: Option<(Start, Affine<u64>)>,
}

impl Convolution {
    /// What is started after it: the norm's kernels, but not the first where `by`, the convolution's own, has done its work.
    pub(super) fn rest(&self, by: Option<&Kernel>) -> impl Iterator<Item = Start> {
        let (moments, affine) = self.norm.unzip();
        let affine = affine.map(|affine| {
            let parts = by.map_or(affine.parts, |kernel| self.convolve.parts(kernel) as i32);
            (affine.kernel(), Arguments::Affine(Affine { parts, ..affine }))
        });
        moments.filter(|_| by.is_none()).into_iter().chain(affine)
    }
}

/// What is started in one go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Launch {
    Convolution(Convolution),
    Kernel(Start),
}

/// Weights begin on multiples of these many bytes.
const ALIGNMENT: usize = 256;

/// Where the next recipe's numbers begin, after one that begins at `place`.
pub(super) fn place_after(place: usize, recipe: &Recipe, precision: CudaPrecision) -> usize {
    (place + recipe.bytes(precision)).next_multiple_of(ALIGNMENT)
}

impl Program {
    /// The steps with their pointers.
    pub(super) fn launches(&self, bases: &Bases, output: Output) -> Vec<Launch> {
        let pointer = |address| bases.pointer(&self.arena, address);
        let launch = |step: &Step| match step.arguments.map(pointer) {
            Arguments::Convolve(convolve) => {
                let norm = step.norm.map(|(moments, affine)| {
                    let moments = moments.map(pointer);
                    ((moments.kernel(self.precision), Arguments::Moments(moments)), affine.map(pointer))
                });
                Launch::Convolution(Convolution { convolve, norm })
            }
            arguments => Launch::Kernel((arguments.kernel(self.precision, output, step.rows), arguments)),
        };
        self.steps.iter().map(launch).collect()
    }

    /// The weights as they lie in memory.
    pub(super) fn parameters(&self, weights: &BTreeMap<String, Vec<f32>>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for recipe in &self.recipes {
            let end = place_after(bytes.len(), recipe, self.precision);
            for value in recipe.values(weights) {
                match recipe.precision(self.precision) {
                    CudaPrecision::F32 => bytes.extend(value.to_ne_bytes()),
                    CudaPrecision::F16 => bytes.extend(f16::from_f32(value).to_ne_bytes()),
                }
            }
            bytes.resize(end, 0);
        }
        bytes
    }

    /// Bytes of the arena.
    pub(super) fn arena_bytes(&self) -> usize {
        self.arena.len() * UNIT_BYTES
    }

    /// Numbers of the picture.
    pub(super) fn picture_len(&self) -> usize {
        3 * self.picture.0 * self.picture.1
    }

    /// Numbers of the painting.
    pub(super) fn painting_len(&self) -> usize {
        3 * self.painting.0 * self.painting.1
    }

    /// The convolutions.
    pub(super) fn convolutions(&self) -> impl Iterator<Item = &Convolve<Address>> {
        self.steps.iter().filter_map(|step| match &step.arguments {
            Arguments::Convolve(convolve) => Some(convolve),
            _ => None,
        })
    }

    /// What it takes.
    pub(super) fn counts(&self) -> Counts {
        let products = |convolve: &Convolve<Address>| 2 * (convolve.outputs() * convolve.terms()) as u64;
        let ends = (self.picture_len() + self.painting_len()) as u64;
        let operands = |convolve: &Convolve<Address>| {
            let numbers = convolve.inputs() + convolve.weights() + convolve.outputs();
            (numbers * self.precision.bytes()) as u64
        };
        Counts {
            direct_operations: self.direct_operations,
            operations: self.convolutions().map(products).sum(),
            least_bytes: ends + self.convolutions().map(operands).sum::<u64>(),
            bytes: self.steps.iter().map(|step| step.bytes).sum(),
            transferred_bytes: ends,
            launches: self.steps.iter().map(|step| if step.norm.is_some() { 3 } else { 1 }).sum(),
        }
    }
}
