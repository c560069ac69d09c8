//! How far direct convolutions in bf16 move the paintings of trained networks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, io::Write};

use candle_core::Device;
use pastiche_nn::{Canvas, Level, Network, Picture, Plan, Products, WeightsFile};
use support::shared;

/// Sides of what is cut out of a photo.
const SIDE: usize = 160;
const PHOTOS: usize = 10;

/// The middle of ten photos as RGB8.
fn photos() -> Option<Vec<Vec<u8>>> {
    let folder = shared("assets/photos/content")?;
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cut = |path: &std::path::PathBuf| {
        let photo = image::open(path).ok()?.to_rgb8();
        let side = SIDE as u32;
        let (left, top) = (photo.width().checked_sub(side)? / 2, photo.height().checked_sub(side)? / 2);
        Some(image::imageops::crop_imm(&photo, left, top, side, side).to_image().into_raw())
    };
    let photos: Vec<_> = paths.iter().filter_map(cut).take(PHOTOS).collect();
    assert_eq!(photos.len(), PHOTOS, "photos of at least {SIDE} pixels a side");
    Some(photos)
}

fn painted(network: &Network, products: Products, photo: &[u8]) -> Vec<f32> {
    let mut plan = Plan::with_products(network, Level::best().unwrap(), products).unwrap();
    let mut painting = vec![0.0; photo.len()];
    plan.paint(Picture::Rgb8(photo), (SIDE, SIDE), Canvas::Rgb(&mut painting)).unwrap();
    painting.iter().map(|value| value.clamp(0.0, 255.0)).collect()
}

/// Peak signal-to-noise ratio of two pictures on 0-255, in dB.
fn psnr(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (squares / a.len() as f64)).log10()
}

#[test]
fn paintings_of_ten_photos_stay_within_50_db() {
    let Some(photos) = photos() else { return };
    for file in [
        "starrynight.transformer_net",
        "pointillism.transformer_net",
        "wave.lengstrom",
        "scream.lengstrom",
        "wreck.lengstrom",
    ] {
        let Some(path) = shared(&format!("assets/style_nets/{file}.safetensors")) else { return };
        let network = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap();
        let ratios = photos.iter().map(|photo| {
            psnr(&painted(&network, Products::F32, photo), &painted(&network, Products::Bf16, photo))
        });
        let ratios: Vec<f64> = ratios.collect();
        let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        let _ = writeln!(std::io::stderr(), "{file}: bf16 within {worst:.1} dB of f32, {mean:.1} on average");
        assert!(worst >= 50.0, "{file}: {worst} dB");
    }
}
