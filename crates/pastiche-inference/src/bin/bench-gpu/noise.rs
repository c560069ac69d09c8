//! Numbers without a pattern, the same on every machine.

use candle_core::{Device, Result, Tensor};

fn hash(at: usize, seed: u32) -> u32 {
    let mixed = (at as u32 ^ seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
    let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xC2B2_AE35);
    mixed ^ (mixed >> 16)
}

/// A tensor of numbers between -1 and 1, on the processor.
pub(crate) fn tensor(shape: &[usize], seed: u32) -> Result<Tensor> {
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|at| hash(at, seed) as f32 / u32::MAX as f32 * 2.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// An RGB8 picture with slopes and grain.
pub(crate) fn picture(height: usize, width: usize) -> Vec<u8> {
    let pixel = |at: usize| {
        let (x, y, channel) = (at / 3 % width, at / 3 / width, at % 3);
        let slope = [x * 160 / width, y * 160 / height, (x + y) * 160 / (width + height)][channel];
        let edge = if (x / 32 + y / 32).is_multiple_of(2) { 64 } else { 0 };
        // At most 159 + 64 + 15.
        (slope + edge + (hash(at, 1) >> 28) as usize) as u8
    };
    (0..height * width * 3).map(pixel).collect()
}
