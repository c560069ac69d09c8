//! The networks' times, and the least that they could be.

use std::time::{Duration, Instant};

use anyhow::Result;
use candle_core::Device;
use pastiche_nn::{
    CudaPlan, CudaPrecision, Network, NetworkDescription,
    networks::{self, SwiftSize},
};
use serde_json::{Value, json};

use crate::{Bench, noise, report, roof::Roof};

const WARM_UP: u32 = 5;

/// The networks that are timed, by their names in the file.
pub(crate) fn timed_networks() -> [(&'static str, NetworkDescription); 2] {
    [("classic", networks::transformer_net(32)), ("swift", networks::swift(SwiftSize::default()))]
}

/// The same weights every time.
pub(crate) fn random(description: NetworkDescription) -> Result<Network> {
    Ok(Network::random(description, 0, &Device::Cpu)?)
}

/// `keep` takes what is done so far, after each row.
pub(crate) fn measure(bench: &Bench<'_>, keep: &mut impl FnMut(Value) -> Result<()>) -> Result<Value> {
    let roof = Roof::measure(bench.device)?;
    let mut rows = Vec::new();
    for (name, description) in timed_networks() {
        let network = random(description)?;
        for precision in [CudaPrecision::F16, CudaPrecision::F32] {
            for &(width, height) in &bench.cli.sizes {
                let timed = time(&network, precision, (height, width), bench, &roof);
                let mut row = timed.unwrap_or_else(|error| report::failed(&error));
                row["network"] = name.into();
                row["precision"] = format!("{precision:?}").to_lowercase().into();
                (row["width"], row["height"]) = (width.into(), height.into());
                eprintln!("   {row}");
                rows.push(row);
                keep(json!({ "roof": roof.json(), "networks": rows }))?;
            }
        }
    }
    Ok(json!({ "roof": roof.json(), "networks": rows }))
}

fn time(
    network: &Network,
    precision: CudaPrecision,
    size: (usize, usize),
    bench: &Bench<'_>,
    roof: &Roof,
) -> Result<Value> {
    let pixels = noise::picture(size.0, size.1);
    let mut painting = pixels.clone();
    let mut plan = CudaPlan::new(network, bench.card, precision)?;
    let runs = bench.cli.runs;
    let counts = plan.counts(size.0, size.1);

    let mut with_transfers = repeated(runs, || Ok(plan.paint_rgb8(&pixels, size, &mut painting)?))?;
    let mut alone = repeated(runs, || Ok(plan.repeat()?))?;
    // One is always under way while another is sent and the one before is read back.
    plan.submit(&pixels, size)?;
    let mut overlapped = repeated(runs, || {
        plan.submit(&pixels, size)?;
        Ok(plan.collect(&mut painting)?)
    })?;
    plan.collect(&mut painting)?;

    Ok(json!({
        "ms": report::milliseconds(&mut alone),
        "ms_with_transfers": report::milliseconds(&mut with_transfers),
        "ms_overlapped": report::milliseconds(&mut overlapped),
        "memory_bytes": plan.memory_bytes(size.0, size.1),
        "floor_ms": roof.floor_ms(counts, precision),
        "counts": {
            "direct_operations": counts.direct_operations,
            "operations": counts.operations,
            "bytes": counts.bytes,
            "least_bytes": counts.least_bytes,
            "transferred_bytes": counts.transferred_bytes,
            "launches": counts.launches,
        },
    }))
}

/// How long each run took, after some that do not count.
fn repeated(runs: u32, mut run: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    for _ in 0..WARM_UP {
        run()?;
    }
    (0..runs)
        .map(|_| {
            let started = Instant::now();
            run()?;
            Ok(started.elapsed())
        })
        .collect()
}
