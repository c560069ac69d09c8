//! Adam over many tensors at once against the algorithm, one number at a time.

use super::{
    emulator::{made, run},
    noise, span,
};
use crate::cuda::training::jobs::adam::{self, Constants, TENSORS, Tensors};

/// A variable and its state.
struct Variable {
    weight: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    gradient: Vec<f32>,
}

impl Variable {
    fn new(len: usize, seed: u32) -> Self {
        let (weight, gradient) = (noise(len, seed), noise(len, seed + 1000));
        Self { weight, first: vec![0.0; len], second: vec![0.0; len], gradient }
    }

    fn tensors(&mut self, rate: f32) -> Tensors<'_> {
        Tensors {
            weight: self.weight.as_mut_slice().into(),
            first: self.first.as_mut_slice().into(),
            second: self.second.as_mut_slice().into(),
            gradient: span(&self.gradient),
            rate,
        }
    }
}

fn constants(step: u64) -> Constants {
    Constants { betas: [0.9, 0.999], epsilon: 1e-8, step }
}

/// A step as a trainer takes it; gives the verdict.
fn step(variables: &mut [Variable], number: u64, loss: f32, verdict: &mut [f32]) {
    let constants = constants(number);
    let blocks = adam::blocks(variables.iter().map(|variable| variable.weight.len()));
    let rate = (0.1 / constants.corrections()[0]) as f32;
    let tensors: Vec<_> = variables.iter_mut().map(|variable| variable.tensors(rate)).collect();
    let of_parts = made(blocks, |to| adam::gradient_squares(&tensors, to));
    run(adam::judge(span(&[loss]), span(&of_parts), (&mut *verdict).into()).unwrap());
    run(adam::step(&tensors, span(verdict), constants).unwrap());
}

#[test]
fn three_steps_over_tensors_of_all_sizes_follow_the_algorithm() {
    // One that fills blocks exactly, one that needs several, and as many as a launch takes.
    let lengths = [1, 8192, 20000, 3].into_iter().chain((4..TENSORS).map(|index| index % 7 + 1));
    let mut variables: Vec<Variable> =
        lengths.enumerate().map(|(index, len)| Variable::new(len, index as u32)).collect();
    let mut expected: Vec<Vec<[f64; 3]>> =
        variables.iter().map(|v| v.weight.iter().map(|x| [f64::from(*x), 0.0, 0.0]).collect()).collect();
    let mut verdict = [0.0f32; 2];
    for number in 1..=3 {
        let mut squares = 0.0;
        for (variable, expected) in variables.iter().zip(&mut expected) {
            for ([x, m, v], gradient) in expected.iter_mut().zip(&variable.gradient) {
                let gradient = f64::from(*gradient);
                squares += gradient * gradient;
                *m = 0.9 * *m + 0.1 * gradient;
                *v = 0.999 * *v + 0.001 * gradient * gradient;
                let (m, v) = (*m / (1.0 - 0.9f64.powi(number)), *v / (1.0 - 0.999f64.powi(number)));
                *x -= 0.1 * m / (v.sqrt() + 1e-8);
            }
        }
        step(&mut variables, number as u64, 1.0, &mut verdict);
        assert_eq!(verdict[0], 0.0);
        assert!((f64::from(verdict[1]) / squares - 1.0).abs() < 1e-5, "{verdict:?} {squares}");
    }
    for (variable, expected) in variables.iter().zip(&expected) {
        for (found, [expected, ..]) in variable.weight.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn nothing_moves_any_more_once_a_loss_or_a_gradient_is_no_number() {
    for (loss, gradient) in [(f32::NAN, 1.0), (f32::INFINITY, 1.0), (1.0, f32::NAN), (1.0, 1e30)] {
        let mut variables = [Variable::new(5, 1), Variable::new(9000, 2)];
        let before = variables.each_ref().map(|variable| variable.weight.clone());
        let gradients = variables.each_ref().map(|variable| variable.gradient.clone());
        variables[1].gradient[8999] = gradient;
        let mut verdict = [0.0f32; 2];
        step(&mut variables, 1, loss, &mut verdict);
        assert_eq!(verdict[0], 1.0, "loss {loss}, gradient {gradient}");
        // The next would be sound, but comes too late.
        for (variable, gradient) in variables.iter_mut().zip(gradients) {
            variable.gradient = gradient;
        }
        step(&mut variables, 2, 1.0, &mut verdict);
        assert_eq!(verdict[0], 1.0);
        for (variable, before) in variables.iter().zip(before) {
            assert_eq!(variable.weight, before);
            assert!(variable.first.iter().chain(&variable.second).all(|moment| *moment == 0.0));
        }
    }
}
