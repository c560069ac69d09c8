//! What the card can do at best, measured: how fast it copies, and how fast NVIDIA's own matrix product is.

use std::time::Instant;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use pastiche_nn::{CudaPrecision, cuda::Counts};
use serde_json::{Value, json};

use crate::report;

/// Elements of what is copied: 512 MB in f16, far beyond any cache.
const COPIED: usize = 1 << 28;
/// Side of the matrices.
const SIDE: usize = 8192;
const RUNS: u32 = 10;

/// What bounds every network on this card.
pub(crate) struct Roof {
    /// Read and written.
    bytes_per_second: f64,
    /// Multiplications and additions, in f16 on the tensor cores.
    f16_operations_per_second: f64,
    /// The same in f32.
    f32_operations_per_second: f64,
}

impl Roof {
    pub(crate) fn measure(device: &Device) -> Result<Self> {
        let data = Tensor::zeros(COPIED, DType::F16, device)?;
        let copy = seconds(device, || data.copy())?;
        drop(data);
        let operations_per_second = |dtype: DType| -> Result<f64> {
            let matrix = Tensor::ones((SIDE, SIDE), dtype, device)?;
            Ok(2.0 * (SIDE as f64).powi(3) / seconds(device, || matrix.matmul(&matrix))?)
        };
        Ok(Self {
            bytes_per_second: 2.0 * (COPIED * DType::F16.size_in_bytes()) as f64 / copy,
            f16_operations_per_second: operations_per_second(DType::F16)?,
            f32_operations_per_second: operations_per_second(DType::F32)?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "copies_gb_per_s": report::rounded(self.bytes_per_second / 1e9),
            "f16_products_tflop_per_s": report::rounded(self.f16_operations_per_second / 1e12),
            "f32_products_tflop_per_s": report::rounded(self.f32_operations_per_second / 1e12),
        })
    }

    /// The least time for so much work: by what any plan must read and write, or by products, whichever is more.
    pub(crate) fn floor_ms(&self, counts: Counts, precision: CudaPrecision) -> f64 {
        let operations_per_second = match precision {
            CudaPrecision::F16 => self.f16_operations_per_second,
            CudaPrecision::F32 => self.f32_operations_per_second,
        };
        let memory = counts.least_bytes as f64 / self.bytes_per_second;
        let products = counts.direct_operations as f64 / operations_per_second;
        report::rounded(memory.max(products) * 1e3)
    }
}

/// The time of one run, of several without a pause.
fn seconds(device: &Device, run: impl Fn() -> candle_core::Result<Tensor>) -> Result<f64> {
    run()?;
    device.synchronize()?;
    let started = Instant::now();
    for _ in 0..RUNS {
        run()?;
    }
    device.synchronize()?;
    Ok(started.elapsed().as_secs_f64() / f64::from(RUNS))
}
