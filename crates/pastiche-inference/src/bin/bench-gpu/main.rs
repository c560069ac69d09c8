//! `bench-gpu`: everything that only a machine with a CUDA card can tell, in one call and one JSON file.
//!
//! It links neither FFmpeg nor a window, so that it can be carried, stripped, to a machine that has no more than a card, its
//! driver, CUDA and Python. It checks the card's results beside the processor's, times the networks beside PyTorch, and counts
//! what they must at least take. What cannot be done there is in the file too, as `missing` with the reason.

mod golden;
mod networks;
mod noise;
mod operations;
mod peers;
mod report;
mod roof;
mod speed;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use candle_core::{CudaDevice, Device};
use clap::{Parser, ValueEnum};
use pastiche_inference::card::{Cards, CudaCards};
use serde_json::{Map, Value, json};

/// Checks and times a CUDA card, beside the processor and PyTorch, and writes one JSON file.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The file to write.
    #[arg(short, long, value_name = "FILE", default_value = "bench-gpu.json")]
    output: PathBuf,

    /// The card's number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    card: usize,

    /// What to do; all of it unless given.
    #[arg(long, value_name = "PART", value_enum, value_delimiter = ',')]
    only: Vec<Part>,

    /// Pictures' widths and heights to time.
    #[arg(long, value_name = "WxH", value_delimiter = ',', value_parser = parse_size,
          default_value = "640x480,1280x720,1920x1080,3840x2160")]
    sizes: Vec<(usize, usize)>,

    /// Runs a figure.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(3..))]
    runs: u32,

    /// The folder of the tests' shared assets, for the reference values and their networks.
    #[arg(long, value_name = "FOLDER")]
    assets: Option<PathBuf>,

    /// A Python that has PyTorch, NumPy and safetensors.
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,

    /// A Python script that times PyTorch's training step and, with `--ours COMMAND`, another's beside it.
    #[arg(long, value_name = "FILE")]
    train_script: Option<PathBuf>,

    /// The command for our training step: `pastiche-train bench --device cuda --loss-net FILE`.
    #[arg(long, value_name = "COMMAND")]
    train_ours: Option<String>,
}

/// A part of the work, and its name in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Every operation of the training, forward and backward, beside the processor's.
    Operations,
    /// Every network's painting beside the processor's.
    Networks,
    /// Paintings, losses and gradients beside an independent implementation's.
    Golden,
    /// The networks' times and the least that they could be.
    Speed,
    /// PyTorch's times on the same weights.
    Peers,
    /// A step of the training beside PyTorch's.
    Training,
}

impl Part {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// What the parts work with.
struct Bench<'a> {
    cli: &'a Cli,
    device: &'a Device,
    card: &'a CudaDevice,
    /// For weights and scripts; it is left behind, so that a figure can be repeated.
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that was compared is near enough.
fn run(cli: &Cli) -> Result<bool> {
    let info = CudaCards.list()?;
    let info = info.get(cli.card).with_context(|| format!("there is no card {}", cli.card))?;
    info.check()?;
    let device = Device::new_cuda_with_stream(cli.card)?;
    let card = device.as_cuda_device()?;
    let folder = cli.output.with_extension("files");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let bench = Bench { cli, device: &device, card, folder };

    let mut report = Map::new();
    report.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    report.insert(
        "card".to_owned(),
        json!({
            "name": info.name,
            "memory_bytes": info.memory_bytes,
            "capability": format!("{}.{}", info.capability.0, info.capability.1),
            "cuda_of_driver": format!("{}.{}", info.driver.0, info.driver.1),
            "cudnn": cfg!(feature = "cudnn"),
            "nvidia_smi": nvidia_smi(),
        }),
    );
    for part in Part::value_variants().iter().copied().filter(|part| is_wanted(cli, *part)) {
        eprintln!("== {}", part.name());
        // Written after each part, and each of the rows that take long, so that what is done is kept should the next one never
        // end.
        let mut keep = |so_far: Value| -> Result<()> {
            report.insert(part.name(), so_far);
            let text = serde_json::to_string_pretty(&report)?;
            fs::write(&cli.output, text).with_context(|| format!("cannot write {}", cli.output.display()))
        };
        let result = match part {
            Part::Operations => operations::check(&bench),
            Part::Networks => networks::check(&bench),
            Part::Golden => golden::check(&bench),
            Part::Speed => speed::measure(&bench, &mut keep),
            Part::Peers => peers::networks(&bench, &mut keep),
            Part::Training => peers::training(&bench),
        };
        keep(result.unwrap_or_else(|error| report::failed(&error)))?;
    }
    let report = Value::Object(report);
    println!("{}", cli.output.display());
    Ok(report::all_passed(&report))
}

fn is_wanted(cli: &Cli, part: Part) -> bool {
    cli.only.is_empty() || cli.only.contains(&part)
}

/// What NVIDIA's own tool says of the card: its clocks and its driver.
fn nvidia_smi() -> Value {
    let query =
        "--query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem,power.limit,pcie.link.gen.current";
    match Command::new("nvidia-smi").args([query, "--format=csv"]).output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>().into()
        }
        Ok(output) => report::missing(format!("nvidia-smi failed ({})", output.status)),
        Err(error) => report::missing(format!("nvidia-smi cannot be run: {error}")),
    }
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let fits = |side: usize| side >= 16 && side.is_multiple_of(4);
    sides
        .filter(|(width, height)| fits(*width) && fits(*height))
        .ok_or_else(|| "give a width and a height such as 640x480, multiples of 4".to_owned())
}
