//! The statistics that batch norms use when they no longer learn.

use candle_core::{Result, Tensor};

use crate::{
    Network,
    network::{Features, Statistics},
};

impl Network {
    /// The same network whose batch norms have the statistics of these batches (N, 3, H, W), all of one size, RGB on
    /// 0-255; each layer sees the batches as the layers before normalise them in training. A network without batch norms
    /// stays as it is.
    ///
    /// # Errors
    /// There is no batch, or as [`Self::forward`].
    pub fn with_population(&self, batches: &[Tensor]) -> Result<Self> {
        let norms = self.description().batch_norms();
        if norms.is_empty() {
            return Ok(self.clone());
        }
        let detached = self.parameters().iter().map(|(name, tensor)| (name.clone(), tensor.detach()));
        let network = Self::new(self.description().clone(), detached.collect())?;
        let mut noted = Vec::new();
        for batch in batches {
            let mut moments = Features::new();
            network.pass(batch, Statistics::Noted(&mut moments), &mut Features::new())?;
            noted.push(moments);
        }
        let mut parameters = network.parameters().clone();
        for norm in norms {
            let of_all = |name: &String| {
                let each: Vec<&Tensor> = noted.iter().filter_map(|moments| moments.get(name)).collect();
                Tensor::stack(&each, 0)
            };
            let (means, variances) = (of_all(&norm.mean)?, of_all(&norm.variance)?);
            let mean = means.mean(0)?;
            // Within the batches, and between them.
            let variance = (variances.mean(0)? + means.broadcast_sub(&mean)?.sqr()?.mean(0)?)?;
            parameters.insert(norm.mean.clone(), mean);
            parameters.insert(norm.variance.clone(), variance);
        }
        Self::new(self.description().clone(), parameters)
    }
}
