//! Gradients of whole networks, through every layer of their descriptions, against finite differences.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};

use super::{double, noise, values};
use crate::{
    Network, NetworkDescription,
    networks::{self, SuperResSize},
};

type Parameters = BTreeMap<String, Tensor>;

/// Directions that each parameter is moved in.
const DIRECTIONS: u32 = 4;
/// Of the change that is usual for a direction.
const TOLERANCE: f64 = 0.05;

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Checks the gradients of what `run` makes of a network, weighted by chance and summed, with respect to each of its
/// parameters but those of statistics, against finite differences of what `reference` makes of the same parameters. The
/// objective changes by about `change` where a parameter is moved: far more than rounding does, and so little that hardly any
/// ReLU turns.
fn check(
    description: &NetworkDescription,
    change: f64,
    run: impl Fn(&Network) -> Result<Tensor>,
    reference: impl Fn(&Parameters) -> Tensor,
) {
    let start = Network::random(description.clone(), 3, &Device::Cpu).unwrap();
    // Nothing small, as a correction is at first, and no bias and no scale the same for all channels.
    let specs = description.parameters();
    let moved = start.parameters().iter().map(|(name, tensor)| {
        let loud = (tensor / f64::from(specs[name.as_str()].scale)).unwrap();
        (name.clone(), (loud + noise(tensor.dims(), 5) * 0.05).unwrap())
    });
    let vars: BTreeMap<String, Var> =
        moved.map(|(name, tensor)| (name, Var::from_tensor(&tensor).unwrap())).collect();
    let parameters: Parameters =
        vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let output = run(&Network::new(description.clone(), parameters.clone()).unwrap()).unwrap();
    let weighting = noise(output.dims(), 99);
    let gradients = (output * &weighting).unwrap().sum_all().unwrap().backward().unwrap();
    let weighting = weighting.to_dtype(DType::F64).unwrap();
    let objective = |parameters: &Parameters| -> f64 {
        (reference(parameters) * &weighting).unwrap().sum_all().unwrap().to_scalar().unwrap()
    };
    let doubles = cast(&parameters, DType::F64);
    for (name, var) in vars.iter().filter(|(name, _)| !name.contains(".running_")) {
        let gradient = values(gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient")));
        for seed in 0..DIRECTIONS {
            let direction = noise(var.dims(), 1000 + seed);
            let usual = norm(&gradient) * norm(&values(&direction)) / (gradient.len() as f64).sqrt();
            let step = change / usual;
            let at = |distance: f64| {
                let by = (direction.to_dtype(DType::F64).unwrap() * distance).unwrap();
                let mut moved = doubles.clone();
                moved.insert(name.clone(), (&doubles[name] + by).unwrap());
                objective(&moved)
            };
            let expected = (at(step) - at(-step)) / (2.0 * step);
            let actual = dot(&gradient, &values(&direction));
            let error = (actual - expected).abs() / usual;
            let architecture = &description.architecture;
            assert!(
                error <= TOLERANCE,
                "{architecture}, {name}: {actual} instead of {expected}, {error} of usual"
            );
        }
    }
}

fn picture(height: usize, width: usize) -> Tensor {
    ((noise(&[2, 3, height, width], 7) + 1.0).unwrap() * 127.5).unwrap()
}

fn cast(parameters: &Parameters, to: DType) -> Parameters {
    parameters.iter().map(|(name, tensor)| (name.clone(), tensor.to_dtype(to).unwrap().detach())).collect()
}

#[test]
fn networks_that_enlarge_have_the_gradients_of_finite_differences() {
    let size = SuperResSize { width: 4, blocks: 2 };
    for description in [networks::super_res(4, size), networks::super_res(8, size), networks::srcnn(4)] {
        let run = |network: &Network| network.forward(&picture(6, 9));
        // Single precision serves for these.
        check(&description, 0.5, run, |parameters| {
            let network = Network::new(description.clone(), cast(parameters, DType::F32)).unwrap();
            run(&network).unwrap().to_dtype(DType::F64).unwrap()
        });
    }
}

#[test]
fn a_network_with_batch_norms_has_the_gradients_of_finite_differences() {
    let description = networks::johnson(2);
    let reference =
        |parameters: &Parameters| double::run(&description.layers, parameters, &picture(44, 48)).unwrap();
    check(&description, 1e-3, |network| network.forward_in_training(&picture(44, 48)), reference);
}
