//! Batches on their way to a device, and figures on their way back, without waiting for the device.

use std::collections::VecDeque;

use candle_core::{Device, Result, Shape, Tensor};

#[cfg(feature = "cuda")]
use crate::cuda::training::transfer;

/// Brings numbers to a device; to a CUDA card through memory that it fetches them from by itself.
#[derive(Default)]
pub struct Uploads {
    #[cfg(feature = "cuda")]
    to_card: transfer::Uploads,
}

impl Uploads {
    /// A tensor of these values.
    ///
    /// # Errors
    /// There are more or fewer values than the shape says, or the device has no memory left.
    pub fn tensor(&mut self, values: &[f32], shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        #[cfg(feature = "cuda")]
        if let Device::Cuda(card) = device
            && shape.elem_count() == values.len()
        {
            return self.to_card.tensor(values, shape, card);
        }
        Tensor::from_slice(values, shape, device)
    }
}

/// Brings single numbers back from a device: they are sent off when they are to be computed, and taken when they are wanted.
#[derive(Default)]
pub struct Figures {
    here: VecDeque<Vec<f32>>,
    #[cfg(feature = "cuda")]
    from_card: transfer::Figures,
}

impl Figures {
    /// Numbers that can be sent at once.
    pub const MOST: usize = 8;

    /// Sends off up to [`Self::MOST`] tensors of one `f32` each.
    ///
    /// # Errors
    /// A tensor is none of one `f32`, or the device fails.
    ///
    /// # Panics
    /// There are more.
    pub fn send(&mut self, scalars: &[&Tensor]) -> Result<()> {
        assert!(scalars.len() <= Self::MOST, "{} figures at once", scalars.len());
        if let Some(odd) = scalars.iter().find(|scalar| scalar.elem_count() != 1) {
            candle_core::bail!("a figure of shape {:?}", odd.dims())
        }
        #[cfg(feature = "cuda")]
        if let Some(Device::Cuda(card)) = scalars.first().map(|scalar| scalar.device()) {
            return self.from_card.send(scalars, card);
        }
        let here = scalars.iter().map(|scalar| scalar.reshape(())?.to_scalar::<f32>());
        self.here.push_back(here.collect::<Result<_>>()?);
        Ok(())
    }

    /// The oldest that were sent, when they are there; none where all are taken.
    ///
    /// # Errors
    /// The device failed meanwhile.
    pub fn receive(&mut self) -> Result<Option<Vec<f32>>> {
        if let Some(figures) = self.here.pop_front() {
            return Ok(Some(figures));
        }
        #[cfg(feature = "cuda")]
        return self.from_card.receive();
        #[cfg(not(feature = "cuda"))]
        Ok(None)
    }
}

impl std::fmt::Debug for Uploads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uploads")
    }
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_back_in_the_order_in_which_they_were_sent() {
        let number = |value: f32| Tensor::new(&[value], &Device::Cpu).unwrap();
        let mut figures = Figures::default();
        assert_eq!(figures.receive().unwrap(), None);
        figures.send(&[&number(1.0), &number(2.0)]).unwrap();
        figures.send(&[&number(3.0)]).unwrap();
        assert_eq!(figures.receive().unwrap(), Some(vec![1.0, 2.0]));
        assert_eq!(figures.receive().unwrap(), Some(vec![3.0]));
        assert_eq!(figures.receive().unwrap(), None);
        let pair = Tensor::new(&[1f32, 2.0], &Device::Cpu).unwrap();
        assert!(figures.send(&[&pair]).is_err());
    }
}
