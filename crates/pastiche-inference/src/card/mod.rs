//! Graphics cards that run networks: what the engine asks of them, and who answers.
//!
//! [`Cards`] lists and opens them, a [`Card`] takes a network and gives a [`CardPlan`], which paints. There are three who
//! answer:
//!
//! - `CudaCards` (feature `cuda`): our plan for CUDA cards, linked into the program. Such a program starts only where CUDA
//!   is.
//! - [`library`]: the same in a library of its own, loaded when the program runs. That is what a program without the
//!   feature does, so that it starts everywhere.
//! - The tests' fake card.
//!
//! Between the library and the program lie the C functions of [`abi`], which [`export`] puts around any [`Cards`].

pub mod abi;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
pub mod export;
#[cfg(not(feature = "cuda"))]
pub mod library;

use std::fmt;

use pastiche_nn::Network;

#[cfg(feature = "cuda")]
pub use cuda::CudaCards;
pub use error::CardError;

/// The oldest cards that can run our kernels: their compute capability, that of the GeForce RTX 20.
pub const OLDEST_CAPABILITY: (u32, u32) = (7, 5);

/// Pictures that a [`CardPlan`] takes before the first of them is collected.
pub const MAX_UNDER_WAY: usize = 2;

/// Who knows the cards of this machine.
pub trait Cards: Send + Sync {
    /// All of them, in the order of their numbers, also those that cannot be used.
    ///
    /// # Errors
    /// There is no driver, or it does not answer.
    fn list(&self) -> Result<Vec<CardInfo>, CardError>;

    /// Makes the card of this number ready, with a stream of its own.
    ///
    /// # Errors
    /// There is no such card, or the driver refuses it.
    fn open(&self, number: usize) -> Result<Box<dyn Card>, CardError>;
}

/// A card that is ready.
pub trait Card: fmt::Debug + Send + Sync {
    /// Compiles a network for the card and puts its weights there.
    ///
    /// # Errors
    /// The card has no memory left or is lost, or the network is none that plans can take.
    fn place(&self, network: &Network, precision: CardPrecision) -> Result<Box<dyn CardPlan>, CardError>;
}

/// A network on a card. Sizes are (height, width), pictures RGB8 (H, W, 3).
pub trait CardPlan: Send {
    /// Bytes of the card's memory that the weights take.
    fn weight_bytes(&self) -> u64;

    /// Bytes of the card's memory that painting a picture of this size takes, with the weights.
    fn memory_bytes(&self, size: (usize, usize)) -> u64;

    /// Gives back the memory for the last size. Pictures under way are lost.
    fn release(&mut self);

    /// Paints a picture into `painting`, RGB on 0-255, not clamped: (H, W, 3), or as much larger as the network enlarges.
    ///
    /// # Errors
    /// The card has no memory left or is lost, or pictures are under way. What `painting` then holds is not said.
    fn paint(&mut self, pixels: &[u8], size: (usize, usize), painting: &mut [f32]) -> Result<(), CardError>;

    /// Sends a picture off to be painted and returns when `pixels` are copied. Up to [`MAX_UNDER_WAY`] of one size are under
    /// way.
    ///
    /// # Errors
    /// The card has no memory left or is lost, or too many are under way.
    fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CardError>;

    /// Waits for the oldest picture under way: rounded and clamped.
    ///
    /// # Errors
    /// The card is lost, or none is under way. `painting` is then as it was.
    fn collect(&mut self, painting: &mut [u8]) -> Result<(), CardError>;
}

/// A card, as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardInfo {
    /// What its maker calls it.
    pub name: String,
    /// Bytes of its own memory.
    pub memory_bytes: u64,
    /// Major and minor compute capability.
    pub capability: (u32, u32),
    /// Major and minor version of CUDA that the driver knows.
    pub driver: (u32, u32),
}

impl CardInfo {
    /// Refuses a card that cannot run our kernels.
    ///
    /// # Errors
    /// It is older than [`OLDEST_CAPABILITY`].
    pub fn check(&self) -> Result<(), CardError> {
        if self.capability >= OLDEST_CAPABILITY {
            return Ok(());
        }
        let ((major, minor), (oldest_major, oldest_minor)) = (self.capability, OLDEST_CAPABILITY);
        Err(CardError::Failed {
            reason: format!(
                "{} is too old: it has compute capability {major}.{minor}, and {oldest_major}.{oldest_minor} (GeForce RTX 20) \
                 is needed",
                self.name
            ),
        })
    }
}

/// The number type of activations and weights on a card; sums are `f32` in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardPrecision {
    /// Single.
    F32,
    /// Half.
    F16,
}

/// The cards of this machine, by the engine that is linked in or else the one that can be loaded.
///
/// # Errors
/// There is no such library, or it does not load here.
pub(crate) fn cards() -> Result<&'static dyn Cards, CardError> {
    #[cfg(feature = "cuda")]
    {
        Ok(&CudaCards)
    }
    #[cfg(not(feature = "cuda"))]
    {
        library::installed()
    }
}
