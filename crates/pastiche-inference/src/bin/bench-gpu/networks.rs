//! Every network's painting on the card beside the processor's.

use anyhow::{Result, ensure};
use candle_core::Device;
use pastiche_nn::{
    Canvas, CudaPlan, CudaPrecision, Level, Network, NetworkDescription, Picture, Plan, Products,
    networks::{self, SuperResSize, SwiftSize},
};
use serde_json::{Value, json};

use crate::{Bench, noise, report};

/// Heights and widths: one of whole tiles, and odd ones, down to the smallest.
const SIZES: [(usize, usize); 4] = [(96, 128), (101, 131), (17, 16), (240, 322)];

/// How near the painting must be, in decibels.
const fn least_psnr_db(precision: CudaPrecision) -> f64 {
    match precision {
        CudaPrecision::F32 => 60.0,
        CudaPrecision::F16 => 45.0,
    }
}

fn descriptions() -> [(&'static str, NetworkDescription); 8] {
    [
        ("transformer_net 32", networks::transformer_net(32)),
        ("transformer_net 8", networks::transformer_net(8)),
        ("lengstrom", networks::lengstrom()),
        ("swift", networks::swift(SwiftSize::default())),
        ("super_res_x4", networks::super_res(4, SuperResSize::default())),
        ("super_res_x8", networks::super_res(8, SuperResSize::default())),
        ("srcnn", networks::srcnn(4)),
        ("johnson", networks::johnson(32)),
    ]
}

pub(crate) fn check(bench: &Bench<'_>) -> Result<Value> {
    let mut rows = Vec::new();
    for (name, description) in descriptions() {
        let network = Network::random(description, 1, &Device::Cpu)?;
        for precision in [CudaPrecision::F32, CudaPrecision::F16] {
            // What sees too far for the smallest is left with the others.
            let least = network.description().least_side();
            for size in SIZES.into_iter().filter(|(height, width)| *height.min(width) >= least) {
                let name = format!("{name}, {precision:?}, {}x{}", size.1, size.0);
                rows.push(row(&name, &network, precision, size, bench));
            }
        }
    }
    Ok(rows.into())
}

fn row(
    name: &str,
    network: &Network,
    precision: CudaPrecision,
    size: (usize, usize),
    bench: &Bench<'_>,
) -> Value {
    match compare(network, precision, size, bench) {
        Ok(psnr_db) => {
            let passed = psnr_db >= least_psnr_db(precision);
            report::compared(name, json!({ "psnr_db": report::rounded(psnr_db) }), passed)
        }
        Err(error) => report::compared(name, json!({ "failed": format!("{error:#}") }), false),
    }
}

/// The painting's distance in decibels; that rounded pictures are the same ones, and that two under way keep their order.
fn compare(
    network: &Network,
    precision: CudaPrecision,
    size: (usize, usize),
    bench: &Bench<'_>,
) -> Result<f64> {
    let pixels = noise::picture(size.0, size.1);
    let mut plan = CudaPlan::new(network, bench.card, precision)?;
    let len = pixels.len() * plan.factor() * plan.factor();
    let mut expected = vec![0f32; len];
    Plan::with_products(network, Level::best()?, Products::F32)?.paint(
        Picture::Rgb8(&pixels),
        size,
        Canvas::Rgb(&mut expected),
    )?;
    let mut painting = vec![0f32; len];
    plan.paint(&pixels, size, &mut painting)?;

    let mut rounded = vec![0u8; len];
    plan.paint_rgb8(&pixels, size, &mut rounded)?;
    let differs = |(byte, number): (&u8, &f32)| (f32::from(*byte) - number.clamp(0.0, 255.0)).abs() > 0.51;
    let wrong = rounded.iter().zip(&painting).filter(|pair| differs(*pair)).count();
    ensure!(wrong == 0, "{wrong} of {len} bytes are not the rounded numbers");

    let turned: Vec<u8> = pixels.iter().rev().copied().collect();
    let mut of_turned = vec![0u8; len];
    plan.paint_rgb8(&turned, size, &mut of_turned)?;
    let mut collected = vec![0u8; len];
    for round in 0..3 {
        plan.submit(&pixels, size)?;
        plan.submit(&turned, size)?;
        for expected in [&rounded, &of_turned] {
            plan.collect(&mut collected)?;
            ensure!(&collected == expected, "with two under way another picture came (round {round})");
        }
    }
    Ok(psnr_db(&painting, &expected))
}

/// On 0-255; at most 200.
pub(crate) fn psnr_db(found: &[f32], expected: &[f32]) -> f64 {
    let squares = found.iter().zip(expected).map(|(a, b)| f64::from(a - b).powi(2));
    let error = squares.sum::<f64>() / expected.len() as f64;
    // Of a NaN it is 0, and nothing passes.
    if error.is_nan() { 0.0 } else { (10.0 * (255.0f64.powi(2) / error).log10()).min(200.0) }
}
