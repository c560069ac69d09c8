//! Every operation of the training, forward and backward, on the card beside the processor.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor, Var};
use pastiche_nn::{Margins, PadMode, ops};
use serde_json::{Value, json};

use crate::{Bench, noise, report};

/// Largest difference to the processor's, as a part of its largest value: cards may multiply in TF32, with 10 bits.
const TOLERANCE: f64 = 1e-2;

/// An operation and what it takes.
struct Operation {
    name: &'static str,
    shapes: &'static [&'static [usize]],
    run: fn(&[Tensor]) -> candle_core::Result<Tensor>,
}

/// With sizes that no tile divides.
const OPERATIONS: [Operation; 17] = [
    Operation {
        name: "reflection pad",
        shapes: &[&[2, 3, 19, 23]],
        run: |t| ops::pad(&t[0], Margins::uniform(4), PadMode::Reflect),
    },
    Operation { name: "zero pad", shapes: &[&[2, 3, 19, 23]], run: |t| ops::zero_pad(&t[0], 2) },
    Operation {
        name: "convolution 3x3",
        shapes: &[&[2, 16, 21, 18], &[24, 16, 3, 3], &[24]],
        run: |t| ops::conv2d(&t[0], &t[1], Some(&t[2]), 1),
    },
    Operation {
        name: "convolution 3x3, stride 2",
        shapes: &[&[2, 16, 21, 18], &[24, 16, 3, 3], &[24]],
        run: |t| ops::conv2d(&t[0], &t[1], Some(&t[2]), 2),
    },
    Operation {
        name: "convolution 9x9",
        shapes: &[&[1, 3, 30, 33], &[16, 3, 9, 9], &[16]],
        run: |t| ops::conv2d(&t[0], &t[1], Some(&t[2]), 1),
    },
    Operation {
        name: "convolution of a padded picture",
        shapes: &[&[2, 8, 21, 18], &[24, 8, 3, 3], &[24]],
        run: |t| {
            let margins = Margins::uniform(1);
            ops::conv2d_padded(&t[0], &t[1], Some(&t[2]), 1, margins, PadMode::Reflect)
        },
    },
    Operation {
        name: "transposed convolution 3x3, stride 2",
        shapes: &[&[2, 16, 11, 9], &[16, 8, 3, 3], &[8]],
        run: |t| ops::conv_transpose2d(&t[0], &t[1], Some(&t[2]), 2),
    },
    Operation {
        name: "instance norm",
        shapes: &[&[2, 16, 21, 18], &[16], &[16]],
        run: |t| ops::instance_norm(&t[0], &t[1], &t[2], 1e-5),
    },
    Operation {
        name: "instance norm and relu",
        shapes: &[&[2, 16, 21, 18], &[16], &[16]],
        run: |t| ops::instance_norm_relu(&t[0], &t[1], &t[2], 1e-5),
    },
    Operation {
        name: "batch norm",
        shapes: &[&[2, 16, 21, 18], &[16], &[16]],
        run: |t| ops::batch_norm(&t[0], &t[1], &t[2], 1e-5),
    },
    Operation { name: "relu", shapes: &[&[2, 16, 21, 18]], run: |t| ops::relu(&t[0]) },
    Operation {
        name: "nearest enlargement",
        shapes: &[&[2, 5, 11, 9]],
        run: |t| ops::upsample_nearest(&t[0], 2),
    },
    Operation { name: "maximum of 2x2", shapes: &[&[2, 5, 11, 9]], run: |t| ops::max_pool_2x2(&t[0]) },
    Operation {
        name: "mean squared error",
        shapes: &[&[2, 16, 21, 18], &[2, 16, 21, 18]],
        run: |t| ops::mean_squared_error(&t[0], &t[1]),
    },
    Operation { name: "total variation", shapes: &[&[2, 3, 21, 18]], run: |t| ops::total_variation(&t[0]) },
    Operation { name: "gram matrix", shapes: &[&[2, 16, 21, 18]], run: |t| ops::gram_matrix(&t[0]) },
    Operation { name: "scaled tanh", shapes: &[&[2, 3, 21, 18]], run: |t| t[0].tanh()?.affine(150.0, 127.5) },
];

/// What an operation gives, and the gradients of each of its arguments.
struct Results {
    output: Tensor,
    gradients: Vec<Tensor>,
}

pub(crate) fn check(bench: &Bench<'_>) -> Result<Value> {
    let rows: Vec<Value> = OPERATIONS.iter().map(|operation| row(operation, bench.device)).collect();
    Ok(rows.into())
}

fn row(operation: &Operation, card: &Device) -> Value {
    let compare = || -> Result<(f64, Vec<f64>)> {
        let (expected, found) = (evaluate(operation, &Device::Cpu)?, evaluate(operation, card)?);
        let pairs = found.gradients.iter().zip(&expected.gradients);
        let gradients =
            pairs.map(|(found, expected)| relative_difference(found, expected)).collect::<Result<_>>()?;
        Ok((relative_difference(&found.output, &expected.output)?, gradients))
    };
    match compare() {
        Ok((forward, gradients)) => {
            let passed = gradients.iter().chain([&forward]).all(|difference| *difference <= TOLERANCE);
            report::compared(operation.name, json!({ "forward": forward, "gradients": gradients }), passed)
        }
        Err(error) => report::compared(operation.name, json!({ "failed": format!("{error:#}") }), false),
    }
}

fn evaluate(operation: &Operation, device: &Device) -> Result<Results> {
    let arguments = operation
        .shapes
        .iter()
        .zip(1..)
        .map(|(shape, seed)| Ok(Var::from_tensor(&noise::tensor(shape, seed)?.to_device(device)?)?));
    let arguments: Vec<Var> = arguments.collect::<Result<_>>()?;
    let tensors: Vec<Tensor> = arguments.iter().map(|var| var.as_tensor().clone()).collect();
    let output = (operation.run)(&tensors)?;
    // A different weight for each output, so that no gradient is the same by chance.
    let weights = noise::tensor(output.dims(), 99)?.to_device(device)?;
    let store = (&output * &weights)?.sum_all()?.backward()?;
    let gradients =
        arguments.iter().map(|var| store.get(var).cloned().context("an argument has no gradient"));
    Ok(Results { gradients: gradients.collect::<Result<_>>()?, output })
}

/// Largest difference as a part of the largest expected value.
pub(crate) fn relative_difference(found: &Tensor, expected: &Tensor) -> Result<f64> {
    let values = |tensor: &Tensor| -> Result<Vec<f32>> {
        Ok(tensor.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
    };
    ensure!(found.dims() == expected.dims(), "{:?} instead of {:?}", found.dims(), expected.dims());
    let (found, expected) = (values(found)?, values(expected)?);
    let largest = |numbers: &mut dyn Iterator<Item = f32>| {
        // A NaN is as far off as can be.
        numbers.fold(0f32, |most, n| if n.is_nan() { f32::INFINITY } else { n.abs().max(most) })
    };
    let difference = largest(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
    let scale = largest(&mut expected.iter().copied());
    Ok(f64::from(difference) / f64::from(scale.max(f32::MIN_POSITIVE)))
}
