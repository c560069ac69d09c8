//! What a network is compiled to, for one size of picture.

use std::collections::BTreeMap;

use half::f16;

use super::{
    Counts, CudaPrecision,
    address::{Address, Bases, UNIT_BYTES},
    arguments::{Arguments, Convolve, Kernel, Output},
    recipe::Recipe,
};
use crate::plan::arena::Arena;

/// One kernel that is started.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) arguments: Arguments<Address>,
    /// Rows of what it writes.
    pub(super) rows: usize,
    /// Bytes that it reads and writes.
    pub(super) bytes: u64,
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

/// A step with its pointers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Launch {
    /// A convolution, for which there is more than one way.
    Convolve(Convolve<u64>),
    /// All else.
    Kernel(Kernel, Arguments<u64>),
}

/// Weights begin on multiples of these many bytes.
const ALIGNMENT: usize = 256;

/// Where the next recipe's numbers begin, after one that begins at `place`.
pub(super) fn place_after(place: usize, recipe: &Recipe, precision: CudaPrecision) -> usize {
    (place + recipe.bytes(precision)).next_multiple_of(ALIGNMENT)
}

impl Program {
    /// The steps with their pointers.
    pub(super) fn launches<'a>(
        &'a self,
        bases: &'a Bases,
        output: Output,
    ) -> impl Iterator<Item = Launch> + 'a {
        self.steps.iter().map(move |step| {
            let arguments = step.arguments.map(|address| bases.pointer(&self.arena, address));
            match (arguments.kernel(self.precision, output, step.rows), arguments) {
                (Some(kernel), _) => Launch::Kernel(kernel, arguments),
                (None, Arguments::Convolve(convolve)) => Launch::Convolve(convolve),
                (None, other) => unreachable!("{other:?} has its kernel"),
            }
        })
    }

    /// Bytes of all weights.
    pub(super) fn parameter_bytes(&self) -> usize {
        self.recipes.iter().fold(0, |place, recipe| place_after(place, recipe, self.precision))
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
        Counts {
            direct_operations: self.direct_operations,
            operations: self.convolutions().map(products).sum(),
            bytes: self.steps.iter().map(|step| step.bytes).sum(),
            transferred_bytes: (self.picture_len() + self.painting_len()) as u64,
            launches: self.steps.len() as u64,
        }
    }
}
