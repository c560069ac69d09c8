//! What runs the network: a compiled plan on the processor, candle's tensors elsewhere.

use candle_core::{Device, Tensor};
use pastiche_nn::{Canvas, Level, Network, Picture, Plan, Products};

use crate::{ComputeDevice, InferenceError, Precision, picture, resize::Size};

/// A network placed on a device.
pub(crate) enum Engine {
    /// The plan holds packed weights and its memory.
    Processor(Box<Plan>),
    /// The network's tensors are on the card.
    Card { network: Network, device: Device },
}

impl Engine {
    /// Places `network` on `device`, to compute in a precision that it offers; uses the threads of the rayon pool that it is called in.
    pub(crate) fn new(
        network: &Network,
        device: &ComputeDevice,
        precision: Precision,
    ) -> Result<Self, InferenceError> {
        let products = if precision == Precision::Bf16 { Products::Bf16 } else { Products::F32 };
        Ok(match device.level() {
            Some(level) => Self::Processor(Box::new(Plan::with_products(network, level, products)?)),
            None => {
                let network = network.to_device(device.device())?;
                Self::Card { network, device: device.device().clone() }
            }
        })
    }

    /// The instruction set, where the processor runs the network.
    pub(crate) fn level(&self) -> Option<Level> {
        match self {
            Self::Processor(plan) => Some(plan.level()),
            Self::Card { .. } => None,
        }
    }

    /// Bytes of main memory that the network takes for a picture of this size.
    pub(crate) fn memory_bytes(&self, Size { width, height }: Size) -> Result<u64, InferenceError> {
        match self {
            Self::Processor(plan) => Ok(plan.memory_bytes(height as usize, width as usize)?),
            Self::Card { .. } => Ok(0),
        }
    }

    /// Bytes that the weights take.
    pub(crate) fn weight_bytes(&self) -> u64 {
        match self {
            Self::Processor(plan) => plan.weight_bytes(),
            Self::Card { network, .. } => {
                let tensors = network.parameters().values();
                tensors.map(|tensor| (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64).sum()
            }
        }
    }

    /// Gives back the memory for the last size.
    pub(crate) fn release(&mut self) {
        if let Self::Processor(plan) = self {
            plan.release();
        }
    }

    /// Paints RGB8 `pixels` (H, W, 3) into `painting`, not clamped: (H, W, 3), or as much larger as the network enlarges.
    pub(crate) fn paint(
        &mut self,
        pixels: &[u8],
        Size { width, height }: Size,
        painting: &mut [f32],
    ) -> Result<(), InferenceError> {
        let (height, width) = (height as usize, width as usize);
        match self {
            Self::Processor(plan) => {
                Ok(plan.paint(Picture::Rgb8(pixels), (height, width), Canvas::Rgb(painting))?)
            }
            Self::Card { network, device } => {
                let multiple = network.description().side_multiple;
                let padded = [height, width].map(|side| side.next_multiple_of(multiple));
                let mut planes = vec![0.0; 3 * padded[0] * padded[1]];
                picture::planes_from_rgb8(pixels, [height, width], &mut planes, padded);
                let input = Tensor::from_vec(planes, (1, 3, padded[0], padded[1]), device)?;
                let output = network.forward(&input)?.flatten_all()?.to_vec1::<f32>()?;
                let factor = network.description().enlargement();
                picture::rgb_from_planes(&output, padded.map(|side| side * factor), painting, width * factor);
                Ok(())
            }
        }
    }
}
