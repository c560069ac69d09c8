//! Adam (Kingma and Ba 2014, algorithm 1), with its state open to checkpoints.

use std::collections::BTreeMap;

#[cfg(feature = "cuda")]
use candle_core::{DType, Device};
use candle_core::{Result, Tensor, Var, backprop::GradStore};
#[cfg(feature = "cuda")]
use pastiche_nn::{AdamUpdate, adam_on_card};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moments of the gradients of named variables.
#[derive(Debug, Clone)]
pub(crate) struct Adam {
    /// Mean of the gradient, by the variable's name.
    pub(crate) first: BTreeMap<String, Tensor>,
    /// Mean of its square.
    pub(crate) second: BTreeMap<String, Tensor>,
    /// What a card notes: whether the steps ended for good, and the squared norm of the last gradient.
    #[cfg(feature = "cuda")]
    verdict: Tensor,
}

impl Adam {
    pub(crate) fn new(variables: &BTreeMap<String, Var>) -> Result<Self> {
        let zeros = || variables.iter().map(|(name, var)| Ok((name.clone(), var.zeros_like()?))).collect();
        let (first, second): (Result<_>, Result<_>) = (zeros(), zeros());
        #[cfg(feature = "cuda")]
        let device = variables.values().next().map_or(&Device::Cpu, |var| var.device());
        Ok(Self {
            first: first?,
            second: second?,
            #[cfg(feature = "cuda")]
            verdict: Tensor::zeros(2, DType::F32, device)?,
        })
    }

    /// Moves every variable by its gradient. `step` is the number of this step, from 1; `learning_rate` tells that of a
    /// variable of this name.
    pub(crate) fn step(
        &mut self,
        step: u64,
        learning_rate: impl Fn(&str) -> f64,
        variables: &BTreeMap<String, Var>,
        gradients: &GradStore,
    ) -> Result<()> {
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        let (correct_1, correct_2) = (1.0 - BETA_1.powi(step), 1.0 - BETA_2.powi(step));
        for (name, var) in variables {
            let (Some(gradient), Some(first), Some(second)) =
                (gradients.get(var), self.first.get_mut(name), self.second.get_mut(name))
            else {
                continue;
            };
            *first = ((&*first * BETA_1)? + (gradient * (1.0 - BETA_1))?)?.detach();
            *second = ((&*second * BETA_2)? + (gradient.sqr()? * (1.0 - BETA_2))?)?.detach();
            let deviation = ((&*second / correct_2)?.sqrt()? + EPSILON)?;
            let change = ((&*first * (learning_rate(name) / correct_1))? / deviation)?;
            var.set(&(var.as_tensor() - change)?.detach())?;
        }
        Ok(())
    }

    /// As [`Self::step`], all at once on a card, which nobody waits for. Nothing moves any more from the first step on whose
    /// `loss` or gradient is infinite or NaN; the number given is then not zero.
    #[cfg(feature = "cuda")]
    pub(crate) fn step_on_card(
        &mut self,
        step: u64,
        learning_rate: impl Fn(&str) -> f64,
        variables: &BTreeMap<String, Var>,
        gradients: &GradStore,
        loss: &Tensor,
    ) -> Result<Tensor> {
        let mut dense = Vec::new();
        for (name, variable) in variables {
            if let Some(gradient) = gradients.get(variable) {
                dense.push((name, variable, gradient.contiguous()?));
            }
        }
        let mut updates = Vec::new();
        for (name, variable, gradient) in &dense {
            let (Some(first), Some(second)) = (self.first.get(*name), self.second.get(*name)) else {
                continue;
            };
            let learning_rate = learning_rate(name);
            updates.push(AdamUpdate { variable, first, second, gradient, learning_rate });
        }
        adam_on_card(&updates, [loss, &self.verdict], step, [BETA_1, BETA_2], EPSILON)?;
        self.verdict.narrow(0, 0, 1)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn three_steps_follow_the_algorithm() {
        let var = Var::new(&[1.0f32, -2.0], &Device::Cpu).unwrap();
        let variables = BTreeMap::from([("x".to_owned(), var.clone())]);
        let mut adam = Adam::new(&variables).unwrap();
        let (mut x, mut m, mut v) = ([1.0f64, -2.0], [0.0; 2], [0.0; 2]);
        for step in 1..=3 {
            // The gradient of x^2 + x^4 / 4.
            let square = var.sqr().unwrap();
            let loss = (&square + (square.sqr().unwrap() * 0.25).unwrap()).unwrap().sum_all().unwrap();
            adam.step(step, |_| 0.1, &variables, &loss.backward().unwrap()).unwrap();
            for i in 0..2 {
                let gradient = 2.0 * x[i] + x[i].powi(3);
                m[i] = 0.9 * m[i] + 0.1 * gradient;
                v[i] = 0.999 * v[i] + 0.001 * gradient * gradient;
                let (m, v) =
                    (m[i] / (1.0 - 0.9f64.powi(step as i32)), v[i] / (1.0 - 0.999f64.powi(step as i32)));
                x[i] -= 0.1 * m / (v.sqrt() + 1e-8);
            }
        }
        let found: Vec<f32> = var.to_vec1().unwrap();
        for (found, expected) in found.into_iter().zip(x) {
            assert!((f64::from(found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}
