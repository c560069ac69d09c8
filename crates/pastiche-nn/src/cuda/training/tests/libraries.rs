//! What cuBLAS and cuDNN are asked for.

use super::{assert_close, emulator::made, noise, span, tensor};
use crate::{
    cuda::training::jobs::{
        convolution::{Direction, Key, Padded, workspace_growth},
        matrix::Product,
        pointwise,
    },
    kernels::{
        conv::ConvShape,
        gram::{self, GramShape},
    },
    ops::tests::{scalar, values},
};

/// What cuBLAS does, by its documentation.
fn multiplied(product: Product, a: &[f32], b: &[f32], len: usize) -> Vec<f32> {
    let Product { transposed, rows, columns, terms, alpha, leading, strides, pictures } = product;
    let mut c = vec![f32::NAN; len];
    let place = |matrix: usize, picture: i32, row: i32, column: i32| {
        (i64::from(picture) * strides[matrix] + i64::from(column * leading[matrix] + row)) as usize
    };
    for picture in 0..pictures {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let sum: f64 = (0..terms)
                .map(|term| {
                    let (r, c) = if transposed { (term, row) } else { (row, term) };
                    f64::from(a[place(0, picture, r, c)]) * f64::from(b[place(1, picture, term, column)])
                })
                .sum();
            c[place(2, picture, row, column)] = alpha * sum as f32;
        }
    }
    c
}

#[test]
fn gram_matrices_and_their_gradient() {
    let (pictures, shape) = (2, GramShape { channels: 5, pixels: 12 });
    let features = noise(pictures * shape.channels * shape.pixels, 1);
    let len = pictures * shape.channels * shape.channels;
    let grams = multiplied(Product::gram(shape, pictures).unwrap(), &features, &features, len);
    let expected = scalar::gram_matrix(&tensor(&features, &[pictures, shape.channels, 3, 4]));
    assert_close(&grams, &values(&expected), 1e-6);

    let gradient = noise(len, 2);
    let both = made(len, |to| pointwise::symmetric(shape.channels, shape.factor(), span(&gradient), to));
    let product = Product::gram_backward(shape, pictures).unwrap();
    let mut expected = vec![0.0; features.len()];
    gram::backward(shape, &features, &gradient, &mut expected);
    assert_close(&multiplied(product, &features, &both, features.len()), &expected, 1e-6);
}

#[test]
fn convolutions_are_told_apart_by_all_that_matters() {
    let shape = ConvShape {
        batch: 2,
        in_channels: 3,
        in_height: 18,
        in_width: 22,
        out_channels: 8,
        kernel: 3,
        stride: 1,
    };
    let convolution = Padded { shape, padding: 1 };
    assert_eq!(convolution.input_dims(), [2, 3, 16, 20]);
    assert_eq!(convolution.weight_dims(), [8, 3, 3, 3]);
    assert_eq!(convolution.output_dims(), [2, 8, 16, 20]);
    assert_eq!(Padded::not(shape).input_dims(), [2, 3, 18, 22]);

    let key = Key { convolution, direction: Direction::Forward, rounds_factors: true };
    let others = [
        Key { convolution: Padded::not(shape), ..key },
        Key { convolution: Padded { shape: ConvShape { batch: 1, ..shape }, padding: 1 }, ..key },
        Key { direction: Direction::Data, ..key },
        Key { direction: Direction::Weight, ..key },
        Key { rounds_factors: false, ..key },
    ];
    let kept: std::collections::HashSet<Key> = others.into_iter().chain([key, key]).collect();
    assert_eq!(kept.len(), 6);
}

#[test]
fn a_workspace_grows_only_where_it_is_too_small() {
    assert_eq!(workspace_growth(0, 0), None);
    assert_eq!(workspace_growth(0, 1), Some(8 << 20));
    assert_eq!(workspace_growth(8 << 20, 8 << 20), None);
    assert_eq!(workspace_growth(8 << 20, (8 << 20) + 1), Some(16 << 20));
}
