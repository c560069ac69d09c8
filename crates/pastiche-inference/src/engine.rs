//! What runs the network: a compiled plan on the processor, or one on a card.

use pastiche_nn::{Canvas, Level, Network, Picture, Plan, Products};
use rayon::ThreadPool;

use crate::{
    ComputeDevice, InferenceError, Precision,
    card::{CardError, CardPlan, CardPrecision},
    resize::Size,
};

/// A network placed on a device.
pub(crate) enum Engine {
    /// The plan holds packed weights and its memory.
    Processor(Box<Plan>),
    /// The same, in the card's memory.
    Card(PlanOnCard),
}

/// A plan on a card, and which card that is.
pub(crate) struct PlanOnCard {
    device: String,
    plan: Box<dyn CardPlan>,
}

impl Engine {
    /// Places `network` on `device`, to compute in a precision that it offers; uses the threads of the rayon pool that it is called in.
    pub(crate) fn new(
        network: &Network,
        device: &ComputeDevice,
        precision: Precision,
    ) -> Result<Self, InferenceError> {
        if let Some(level) = device.level() {
            let products = if precision == Precision::Bf16 { Products::Bf16 } else { Products::F32 };
            return Ok(Self::Processor(Box::new(Plan::with_products(network, level, products)?)));
        }
        let failed = failed_on(device.id());
        let card = device.open_card().ok_or_else(|| {
            failed(CardError::Failed { reason: "it is neither a processor nor a card".to_owned() })
        })?;
        let precision = if precision == Precision::F16 { CardPrecision::F16 } else { CardPrecision::F32 };
        let plan = card.card().place(network, precision).map_err(failed)?;
        Ok(Self::Card(PlanOnCard { device: device.id(), plan }))
    }

    /// The instruction set, where the processor runs the network.
    pub(crate) fn level(&self) -> Option<Level> {
        match self {
            Self::Processor(plan) => Some(plan.level()),
            Self::Card(_) => None,
        }
    }

    /// The plan on the card, where that runs the network.
    pub(crate) fn on_card(&mut self) -> Option<&mut PlanOnCard> {
        match self {
            Self::Processor(_) => None,
            Self::Card(plan) => Some(plan),
        }
    }

    /// Bytes of main memory that the network takes for a picture of this size, with the threads of `pool`.
    pub(crate) fn memory_bytes(&self, size: Size, pool: &ThreadPool) -> Result<u64, InferenceError> {
        let (height, width) = height_width(size);
        match self {
            Self::Processor(plan) => Ok(pool.install(|| plan.memory_bytes(height, width))?),
            Self::Card(_) => Ok(0),
        }
    }

    /// Bytes that the weights take.
    pub(crate) fn weight_bytes(&self) -> u64 {
        match self {
            Self::Processor(plan) => plan.weight_bytes(),
            Self::Card(card) => card.plan.weight_bytes(),
        }
    }

    /// Gives back the memory for the last size; pictures under way are lost.
    pub(crate) fn release(&mut self) {
        match self {
            Self::Processor(plan) => plan.release(),
            Self::Card(card) => card.plan.release(),
        }
    }

    /// Paints RGB8 `pixels` (H, W, 3) into `painting`, not clamped: (H, W, 3), or as much larger as the network enlarges.
    pub(crate) fn paint(
        &mut self,
        pixels: &[u8],
        size: Size,
        painting: &mut [f32],
    ) -> Result<(), InferenceError> {
        match self {
            Self::Processor(plan) => {
                Ok(plan.paint(Picture::Rgb8(pixels), height_width(size), Canvas::Rgb(painting))?)
            }
            Self::Card(PlanOnCard { device, plan }) => {
                plan.paint(pixels, height_width(size), painting).map_err(failed_on(device.clone()))
            }
        }
    }
}

impl PlanOnCard {
    /// Bytes of the card's memory that the network takes for a picture of this size.
    pub(crate) fn memory_bytes(&self, size: Size) -> u64 {
        self.plan.memory_bytes(height_width(size))
    }

    /// As [`CardPlan::submit`].
    pub(crate) fn submit(&mut self, pixels: &[u8], size: Size) -> Result<(), InferenceError> {
        let Self { device, plan } = self;
        plan.submit(pixels, height_width(size)).map_err(|source| failed_on(device.clone())(source))
    }

    /// As [`CardPlan::collect`].
    pub(crate) fn collect(&mut self, painting: &mut [u8]) -> Result<(), InferenceError> {
        let Self { device, plan } = self;
        plan.collect(painting).map_err(|source| failed_on(device.clone())(source))
    }
}

fn height_width(Size { width, height }: Size) -> (usize, usize) {
    (height as usize, width as usize)
}

fn failed_on(device: String) -> impl Fn(CardError) -> InferenceError {
    move |source| InferenceError::Card { device: device.clone(), source }
}
