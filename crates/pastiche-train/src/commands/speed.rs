//! `pastiche-train evaluate --speed`.

use std::path::Path;

use anyhow::Result;
use candle_core::Device;
use clap::Args;
use pastiche_nn::Network;
use pastiche_train::{
    PerceptualLoss,
    evaluate::{self, OptimiserSpeed, Speed},
};
use serde::Serialize;

use super::{args::square_photos, console::tell, evaluate::check_size};

/// Measuring speed.
#[derive(Args)]
pub(super) struct SpeedArgs {
    /// Measure only how long the style takes for a picture, and how long the slow method does (table 1 of Johnson et al.
    /// 2016).
    #[arg(long, conflicts_with_all = ["folder", "count", "size", "iterations", "keep", "stability", "frames", "plot"])]
    pub(super) speed: bool,

    /// Sides in pixels of the squares that are timed.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "256,512,1024", requires = "speed",
          value_parser = clap::value_parser!(u32).range(32..=4096))]
    sizes: Vec<u32>,

    /// The optimiser's iterations to compare with; some are timed, and the time multiplied.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "100,300,500", requires = "speed",
          value_parser = clap::value_parser!(u32).range(1..))]
    speed_iterations: Vec<u32>,
}

/// The table.
#[derive(Serialize)]
pub(super) struct SpeedTable {
    style: String,
    architecture: String,
    device: &'static str,
    /// On a processor.
    threads: Option<usize>,
    speed: Vec<Speed>,
}

impl SpeedArgs {
    /// Times a style on the first photograph of a folder.
    pub(super) fn measure(
        &self,
        style: String,
        network: &Network,
        loss: &PerceptualLoss,
        photos: &Path,
        device: &Device,
    ) -> Result<SpeedTable> {
        for size in &self.sizes {
            check_size("--sizes", *size, network)?;
        }
        let iterations: Vec<usize> = self.speed_iterations.iter().map(|count| *count as usize).collect();
        let mut speed = Vec::new();
        for &size in &self.sizes {
            tell(format_args!("timing {size}x{size} ..."));
            for photo in square_photos(photos, 1, size, device)? {
                speed.push(evaluate::speed(loss, network, &photo.pixels, &iterations)?);
            }
        }
        let architecture = network.description().architecture.clone();
        let (device, threads) =
            if device.is_cpu() { ("cpu", Some(rayon::current_num_threads())) } else { ("cuda", None) };
        Ok(SpeedTable { style, architecture, device, threads, speed })
    }
}

impl SpeedTable {
    pub(super) fn print(&self) {
        let Self { style, architecture, device, threads, speed } = self;
        let threads = threads.map_or(String::new(), |threads| format!(", {threads} threads"));
        println!(
            "{style} ({architecture}) on {device}{threads}: the time of a picture, and of the optimiser for one"
        );
        for Speed { size, network_ms, network_runs, iteration_ms, timed_iterations, optimiser } in speed {
            println!("{size}x{size}");
            println!("  {:<28} {network_ms:>10.1} ms   (median of {network_runs} runs)", "the network");
            for (count, OptimiserSpeed { ms, speed_up }) in optimiser {
                let name = format!("optimiser, {count:>4} iterations");
                println!("  {name:<28} {:>10.1} s    {speed_up:.0} times as long", ms / 1000.0);
            }
            println!(
                "  (timed: {timed_iterations} iterations of the optimiser, {iteration_ms:.0} ms each; then multiplied)"
            );
        }
    }
}
