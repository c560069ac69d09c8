//! The baseline of Gatys et al. 2015: equation 5 minimised over the pixels of one picture by L-BFGS.

mod lbfgs;

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::lbfgs::{Lbfgs, Valued};
use crate::{PerceptualLoss, TrainError};

/// How far the first step may move a pixel, on 0-255.
const FIRST_STEP: f32 = 10.0;

/// A picture on its way down equation 5.
pub struct PixelOptimiser<'a> {
    objective: Objective<'a>,
    lbfgs: Lbfgs,
}

/// Equation 5 for one photo.
struct Objective<'a> {
    loss: &'a PerceptualLoss,
    content: crate::losses::ContentTarget,
    shape: (usize, usize, usize, usize),
    device: Device,
}

impl<'a> PixelOptimiser<'a> {
    /// Starts from `start`, of the photo's shape (1, 3, H, W), RGB on 0-255.
    ///
    /// # Errors
    /// The photo is too small for the loss network, or the device fails.
    pub fn new(loss: &'a PerceptualLoss, photo: &Tensor, start: &Tensor) -> Result<Self, TrainError> {
        let objective = Objective {
            loss,
            content: loss.content_target(photo)?,
            shape: photo.dims4()?,
            device: photo.device().clone(),
        };
        let point = start.flatten_all()?.to_vec1()?;
        let mut at = |pixels: &[f32]| objective.at(pixels);
        let lbfgs = Lbfgs::new(point, [0.0, 255.0], FIRST_STEP, &mut at)?;
        Ok(Self { objective, lbfgs })
    }

    /// Takes one iteration. False where nothing leads down any more.
    ///
    /// # Errors
    /// The device fails.
    pub fn iterate(&mut self) -> Result<bool, TrainError> {
        let Self { objective, lbfgs } = self;
        lbfgs.iterate(&mut |pixels: &[f32]| objective.at(pixels))
    }

    /// Equation 5 as it is now.
    pub fn value(&self) -> f64 {
        self.lbfgs.value()
    }

    /// The picture as it is now (1, 3, H, W), RGB on 0-255.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn picture(&self) -> Result<Tensor, TrainError> {
        let Objective { shape, device, .. } = &self.objective;
        Ok(Tensor::from_slice(self.lbfgs.point(), *shape, device)?)
    }
}

impl Objective<'_> {
    fn at(&self, pixels: &[f32]) -> Result<Valued, TrainError> {
        let picture = Var::from_slice(pixels, self.shape, &self.device)?;
        let total = self.loss.terms(&picture, &self.content)?.total()?;
        let value = f64::from(total.to_scalar::<f32>()?);
        let gradients = total.backward()?;
        let gradient = match gradients.get(&picture) {
            Some(gradient) => gradient.flatten_all()?.to_vec1()?,
            None => vec![0.0; pixels.len()],
        };
        Ok(Valued { value, gradient })
    }
}

/// White noise (1, 3, H, W) on 0-255, the same from the same seed.
///
/// # Errors
/// The device has no memory left.
pub fn white_noise(height: usize, width: usize, seed: u64, device: &Device) -> Result<Tensor, TrainError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..3 * height * width).map(|_| random.random_range(0.0..=255.0)).collect();
    Ok(Tensor::from_vec(values, (1, 3, height, width), device)?)
}
