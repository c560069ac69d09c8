//! What kernels are started with: the structures of `kernels/*.cuh`, field by field, made of shapes and memory that fit each
//! other. Nothing here needs a card.

pub(crate) mod adam;
pub(crate) mod convolution;
pub(crate) mod instance_norm;
pub(crate) mod losses;
pub(crate) mod matrix;
pub(crate) mod pointwise;
pub(crate) mod reshape;

use std::marker::PhantomData;

use candle_core::{Result, bail};

/// Threads of every block, as in `block.cuh`.
pub(crate) const BLOCK_THREADS: u32 = 256;

/// Numbers in the card's memory that a kernel reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    address: u64,
    len: usize,
    memory: PhantomData<&'a [f32]>,
}

/// Numbers in the card's memory that a kernel writes.
#[derive(Debug)]
pub(crate) struct SpanMut<'a> {
    address: u64,
    len: usize,
    memory: PhantomData<&'a mut [f32]>,
}

impl Span<'_> {
    /// `len` numbers from `address` on.
    pub(crate) fn new(address: u64, len: usize) -> Self {
        Self { address, len, memory: PhantomData }
    }

    /// The address, for a span that must be this long.
    fn of(self, len: usize) -> u64 {
        assert_eq!(self.len, len, "numbers that a kernel reads");
        self.address
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the first is.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }
}

impl SpanMut<'_> {
    /// `len` numbers from `address` on.
    pub(crate) fn new(address: u64, len: usize) -> Self {
        Self { address, len, memory: PhantomData }
    }

    /// The address, for a span that must be this long.
    fn of(&self, len: usize) -> u64 {
        assert_eq!(self.len, len, "numbers that a kernel writes");
        self.address
    }
}

/// A kernel that is ready to be started.
#[derive(Debug)]
pub(crate) struct Job<'a, A> {
    /// Its name.
    pub(crate) kernel: &'static str,
    /// How many blocks.
    pub(crate) blocks: u32,
    /// Its one argument.
    pub(crate) arguments: A,
    memory: PhantomData<&'a mut [f32]>,
}

impl<A> Job<'_, A> {
    /// A kernel with a thread for every one of `count` numbers.
    fn each(kernel: &'static str, count: u32, arguments: A) -> Self {
        Self::blocks(kernel, count.div_ceil(BLOCK_THREADS), arguments)
    }

    /// A kernel with so many blocks.
    fn blocks(kernel: &'static str, blocks: u32, arguments: A) -> Self {
        Self { kernel, blocks, arguments, memory: PhantomData }
    }
}

/// A number of elements as kernels take it.
fn count(elements: usize) -> Result<u32> {
    match i32::try_from(elements) {
        Ok(count) => Ok(count.unsigned_abs()),
        Err(_) => {
            bail!("{elements} numbers are too many for one tensor on a card: take a smaller batch or picture")
        }
    }
}
