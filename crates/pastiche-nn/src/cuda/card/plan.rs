//! A plan on a card.

use candle_core::CudaDevice;

use super::CudaError;
use crate::{
    Network,
    cuda::{Counts, CudaPrecision},
};

/// A network compiled for a CUDA card.
pub struct CudaPlan {}

#[allow(unused_variables, clippy::todo)]
impl CudaPlan {
    /// Compiles a network for a card and packs its weights there. All is done on `device`'s stream, which should not be the
    /// default one (`Device::new_cuda_with_stream`): work could not be recorded there.
    ///
    /// # Errors
    /// The network has layers that plans do not know, the card has no memory left, or its driver is too old.
    pub fn new(network: &Network, device: &CudaDevice, precision: CudaPrecision) -> Result<Self, CudaError> {
        todo!()
    }

    /// How many times as wide and as high as the picture the painting is.
    pub fn factor(&self) -> usize {
        todo!()
    }

    /// Bytes of the card's memory that the weights take.
    pub fn weight_bytes(&self) -> u64 {
        todo!()
    }

    /// Bytes of the card's memory that painting a picture of this size takes, with the weights; 0 where the network cannot take
    /// the size, which painting then says.
    pub fn memory_bytes(&self, height: usize, width: usize) -> u64 {
        todo!()
    }

    /// Gives back the memory for the last size. Frames under way are lost.
    pub fn release(&mut self) {
        todo!()
    }

    /// Paints RGB8 `pixels` (H, W, 3) into `painting`, RGB on 0-255, not clamped: (H, W, 3), [`Self::factor`] times as high
    /// and wide.
    ///
    /// # Errors
    /// The network cannot take the size, the card has no memory left or is lost, or frames are under way.
    ///
    /// # Panics
    /// The picture or the painting does not have 3 numbers a pixel.
    pub fn paint(
        &mut self,
        pixels: &[u8],
        size: (usize, usize),
        painting: &mut [f32],
    ) -> Result<(), CudaError> {
        todo!()
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
        todo!()
    }

    /// Sends a picture off to be painted and returns at once: while it is painted, the one before is read back and the next can
    /// be sent. Up to two are under way; [`Self::collect`] gives the oldest.
    ///
    /// # Errors
    /// As [`Self::paint`]; two are under way already, or one of another size is.
    ///
    /// # Panics
    /// The picture does not have 3 numbers a pixel.
    pub fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CudaError> {
        todo!()
    }

    /// Waits for the oldest picture under way.
    ///
    /// # Errors
    /// None is under way, or the card is lost.
    ///
    /// # Panics
    /// The painting does not have 3 numbers a pixel.
    pub fn collect(&mut self, painting: &mut [u8]) -> Result<(), CudaError> {
        todo!()
    }

    /// What a picture of this size takes; nothing where the network cannot take the size, which painting then says.
    pub fn counts(&self, height: usize, width: usize) -> Counts {
        todo!()
    }
}
