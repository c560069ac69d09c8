//! A plan on a card.

use std::fmt;

use candle_core::{CudaDevice, cuda_backend::cudarc::driver::CudaSlice};

use super::{
    CudaError,
    session::Session,
    sized::{self, Sized},
};
use crate::{
    Network, NetworkDescription, PlanError,
    cuda::{
        Counts, CudaPrecision,
        arguments::Output,
        lower::{compile, unsupported},
        program::Program,
        queue::Queue,
        recipe::Recipe,
    },
    fold::folded,
    plan::parameters,
};

/// A size that every network can take, for packing weights, which does not depend on it.
const SOME_SIZE: (usize, usize) = (64, 64);

/// A network compiled for a CUDA card.
///
/// It takes pictures of any size that its network can take. With a new size memory is made, the ways to do the convolutions are
/// timed, and the steps are recorded; after that a picture costs no memory, and one start.
pub struct CudaPlan {
    session: Session,
    precision: CudaPrecision,
    description: NetworkDescription,
    recipes: Vec<Recipe>,
    weights: CudaSlice<u8>,
    sized: Option<Sized>,
    under_way: Queue,
}

impl fmt::Debug for CudaPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { description, precision, under_way, .. } = self;
        let size = self.sized.as_ref().map(Sized::size);
        f.debug_struct("CudaPlan")
            .field("architecture", &description.architecture)
            .field("precision", precision)
            .field("size", &size)
            .field("under_way", under_way)
            .finish_non_exhaustive()
    }
}

impl CudaPlan {
    /// Compiles a network for a card and packs its weights there. All is computed on streams of the plan's own, so that what
    /// else is done with `device` meanwhile, also by other plans, stays out of its way.
    ///
    /// # Errors
    /// The network has layers that plans do not know, the card has no memory left, or its driver is too old.
    pub fn new(network: &Network, device: &CudaDevice, precision: CudaPrecision) -> Result<Self, CudaError> {
        let network = &folded(network).map_err(PlanError::weights)?;
        let program = compile(network.description(), SOME_SIZE, precision)?;
        let session = Session::new(device, precision)?;
        let weights = session.place(&program.parameters(&parameters(network)?))?;
        let description = network.description().clone();
        let recipes = program.recipes;
        let under_way = Queue::default();
        Ok(Self { session, precision, description, recipes, weights, sized: None, under_way })
    }

    /// How many times as wide and as high as the picture the painting is.
    pub fn factor(&self) -> usize {
        self.description.painting_factor()
    }

    /// The number type that it computes in.
    pub const fn precision(&self) -> CudaPrecision {
        self.precision
    }

    /// Bytes of the card's memory that the weights take.
    pub fn weight_bytes(&self) -> u64 {
        self.weights.len() as u64
    }

    /// Bytes of the card's memory that painting a picture of this size takes, with the weights; 0 where the network cannot take
    /// the size, which painting then says.
    pub fn memory_bytes(&self, height: usize, width: usize) -> u64 {
        let program = self.compile(height, width);
        program.map_or(0, |program| sized::memory_bytes(&program) + self.weight_bytes())
    }

    /// What a picture of this size takes; nothing where the network cannot take the size, which painting then says.
    pub fn counts(&self, height: usize, width: usize) -> Counts {
        self.compile(height, width).map(|program| program.counts()).unwrap_or_default()
    }

    /// Gives back the memory for the last size. Pictures under way are lost.
    pub fn release(&mut self) {
        if self.sized.is_some() {
            self.session.settle();
        }
        (self.sized, self.under_way) = (None, Queue::default());
    }

    /// Paints RGB8 `pixels` (H, W, 3) into `painting`, RGB on 0-255, not clamped: (H, W, 3), [`Self::factor`] times as high
    /// and wide.
    ///
    /// # Errors
    /// The network cannot take the size, the card has no memory left or is lost, or pictures are under way.
    ///
    /// # Panics
    /// The picture or the painting does not have 3 numbers a pixel.
    pub fn paint(
        &mut self,
        pixels: &[u8],
        size: (usize, usize),
        painting: &mut [f32],
    ) -> Result<(), CudaError> {
        let fetched = self.paint_at_once(Output::F32, pixels, size, painting.len())?;
        let numbers = fetched.chunks_exact(size_of::<f32>());
        for (to, from) in painting.iter_mut().zip(numbers) {
            // A chunk has four bytes.
            *to = f32::from_ne_bytes([from[0], from[1], from[2], from[3]]);
        }
        Ok(())
    }

    /// As [`Self::paint`], clamped and rounded on the card.
    ///
    /// # Errors
    /// As [`Self::paint`].
    ///
    /// # Panics
    /// As [`Self::paint`].
    pub fn paint_rgb8(
        &mut self,
        pixels: &[u8],
        size: (usize, usize),
        painting: &mut [u8],
    ) -> Result<(), CudaError> {
        let fetched = self.paint_at_once(Output::Rgb8, pixels, size, painting.len())?;
        painting.copy_from_slice(fetched);
        Ok(())
    }

    /// Paints the picture of the last [`Self::paint_rgb8`] once more, without sending or fetching it: what the card alone takes,
    /// to be measured.
    ///
    /// # Errors
    /// There was none, or the card is lost.
    pub fn repeat(&mut self) -> Result<(), CudaError> {
        let sized = self.sized.as_ref();
        sized.ok_or(CudaError::OutOfTurn { what: "no picture was painted yet" })?.repeat(&self.session)
    }

    /// Sends a picture off to be painted and returns at once: while it is painted, the one before is fetched and the next can be
    /// sent. Up to two are under way; [`Self::collect`] gives the oldest.
    ///
    /// # Errors
    /// As [`Self::paint`]; two are under way already, or one of another size is.
    ///
    /// # Panics
    /// The picture does not have 3 numbers a pixel.
    pub fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CudaError> {
        assert_eq!(pixels.len(), 3 * size.0 * size.1, "numbers of {}x{} pixels", size.1, size.0);
        let place = self.under_way.free().map_err(out_of_turn)?;
        let Self { session, sized, .. } = self.prepared(size)?;
        if let Some(sized) = sized {
            sized.start(session, Output::Rgb8, place, pixels)?;
            self.under_way.push();
        }
        Ok(())
    }

    /// Waits for the oldest picture under way.
    ///
    /// # Errors
    /// None is under way, or the card is lost.
    ///
    /// # Panics
    /// The painting does not have 3 numbers a pixel.
    pub fn collect(&mut self, painting: &mut [u8]) -> Result<(), CudaError> {
        let place = self.under_way.pop().map_err(out_of_turn)?;
        if let Some(sized) = &mut self.sized {
            painting.copy_from_slice(sized.finish(Output::Rgb8, place)?);
        }
        Ok(())
    }

    /// Paints one picture, while no other is under way, and gives the painting's bytes.
    fn paint_at_once(
        &mut self,
        output: Output,
        pixels: &[u8],
        size: (usize, usize),
        painting_len: usize,
    ) -> Result<&[u8], CudaError> {
        let factor = self.factor();
        let numbers = 3 * size.0 * size.1;
        assert_eq!(
            (pixels.len(), painting_len),
            (numbers, numbers * factor * factor),
            "numbers of {}x{} pixels",
            size.1,
            size.0
        );
        if self.under_way.len() > 0 {
            return Err(out_of_turn("pictures are under way: collect them before another is painted"));
        }
        let Self { session, sized, .. } = self.prepared(size)?;
        let Some(sized) = sized else { return Ok(&[]) };
        sized.start(session, output, 0, pixels)?;
        sized.finish(output, 0)
    }

    /// The steps for a size, which the packed weights fit.
    fn compile(&self, height: usize, width: usize) -> Result<Program, PlanError> {
        let program = compile(&self.description, (height, width), self.precision)?;
        if program.recipes == self.recipes {
            return Ok(program);
        }
        Err(unsupported("layers that change with the picture's size"))
    }

    /// The same with memory for a size.
    fn prepared(&mut self, (height, width): (usize, usize)) -> Result<&mut Self, CudaError> {
        if self.sized.as_ref().is_none_or(|sized| sized.size() != (height, width)) {
            if self.under_way.len() > 0 {
                let what =
                    "pictures of another size are under way: collect them before one of this size is sent";
                return Err(out_of_turn(what));
            }
            let program = self.compile(height, width)?;
            // The old memory goes before the new comes.
            self.release();
            let parameters = self.session.pointer(&self.weights);
            self.sized = Some(Sized::new(&self.session, program, parameters)?);
        }
        Ok(self)
    }
}

fn out_of_turn(what: &'static str) -> CudaError {
    CudaError::OutOfTurn { what }
}

impl Drop for CudaPlan {
    fn drop(&mut self) {
        // Memory may go only when the copies to and from it are done.
        self.release();
    }
}
