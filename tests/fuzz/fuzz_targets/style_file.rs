//! Any bytes as a style file: refused, or a network.
#![no_main]

use candle_core::Device;
use libfuzzer_sys::fuzz_target;
use pastiche_nn::WeightsFile;

#[path = "../file.rs"]
mod file;

fuzz_target!(|bytes: &[u8]| {
    let path = file::of(bytes, "style.safetensors");
    drop(WeightsFile::open(&path).and_then(|file| file.style_network(&Device::Cpu)));
});
