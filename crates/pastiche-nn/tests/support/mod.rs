//! What the tests against reference values share.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod reference;

use std::{
    collections::HashMap,
    env,
    io::{Write, stderr},
    path::{Path, PathBuf},
};

use candle_core::{Device, Tensor};

/// A file of the shared test assets; says visibly that the test skips, and gives nothing, where it is absent.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let root = env::var_os("PASTICHE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(file);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`, which is kept back where the test passes.
    let _ =
        writeln!(stderr(), "SKIPPED: no {file} (set PASTICHE_SHARED to the folder of shared test assets)");
    None
}

/// Named reference tensors.
pub(crate) fn golden(file: &str) -> Option<HashMap<String, Tensor>> {
    let path = shared(&format!("reference/golden/{file}"))?;
    Some(candle_core::safetensors::load(path, &Device::Cpu).unwrap())
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Largest of some magnitudes; a NaN counts as infinitely large.
fn largest(magnitudes: impl Iterator<Item = f32>) -> f64 {
    f64::from(
        magnitudes.fold(0.0, |largest, m| if m.is_nan() { f32::INFINITY } else { m.abs().max(largest) }),
    )
}

/// Largest absolute difference.
pub(crate) fn max_difference(actual: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(actual.dims(), expected.dims());
    largest(values(actual).into_iter().zip(values(expected)).map(|(a, b)| a - b))
}

/// Largest absolute difference over the largest absolute reference.
pub(crate) fn relative_difference(actual: &Tensor, expected: &Tensor) -> f64 {
    max_difference(actual, expected) / largest(values(expected).into_iter())
}

/// Gram matrices of features (N, C, H, W), equation 3 of Johnson et al. 2016: (N, C, C).
pub(crate) fn gram_matrix(features: &Tensor) -> Tensor {
    let (batch, channels, height, width) = features.dims4().unwrap();
    let flat = features.reshape((batch, channels, height * width)).unwrap();
    let product = flat.matmul(&flat.transpose(1, 2).unwrap().contiguous().unwrap()).unwrap();
    (product / (channels * height * width) as f64).unwrap()
}
