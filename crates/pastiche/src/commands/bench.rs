//! `pastiche bench`: how fast a style runs here.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use pastiche_frame::{Frame, FramePool, PixelFormat};
use pastiche_inference::{DeviceChoice, Style, Stylizer};
use serde::Serialize;

use crate::{
    args::{ControlArgs, DeviceArgs, PictureSize, ProcessSizeArgs, SmoothingArgs, find_style},
    bench_figures::{Milliseconds, rounded},
    engine,
    failure::Outcome,
    report::{print_json, print_lines},
};

/// Frames that are restyled before the clock counts: caches fill, clocks and buffers settle.
const WARM_UP_FRAMES: usize = 2;
const DEFAULT_FRAMES: u32 = 20;
/// Without `--frames`, no new frame is begun after this, but for the fewest that give a median.
const TIME_LIMIT: Duration = Duration::from_secs(20);
const FEWEST_FRAMES: usize = 3;

/// Measure how fast a style runs here: frame in, restyled frame out.
#[derive(Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    network: NetworkArgs,

    /// Which network to take where a style comes with several (see `pastiche styles`); the one that suits the device unless
    /// given.
    #[arg(long, value_name = "ARCH", conflicts_with = "random_weights")]
    architecture: Option<String>,

    /// The frames' width and height.
    #[arg(long, value_name = "WxH", default_value = "640x480")]
    size: PictureSize,

    /// How many frames to measure; 20 unless given, fewer where they take long.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,

    #[command(flatten)]
    process_size: ProcessSizeArgs,

    #[command(flatten)]
    controls: ControlArgs,

    #[command(flatten)]
    smoothing: SmoothingArgs,

    #[command(flatten)]
    device: DeviceArgs,

    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct NetworkArgs {
    /// The style: an installed one's name (see `pastiche styles`) or the path of a .safetensors file.
    #[arg(short, long, value_name = "NAME|FILE")]
    style: Option<String>,

    /// A network without a style, such as transformer_net: as fast as a trained one, and needs no file.
    #[arg(long, value_name = "ARCH")]
    random_weights: Option<String>,
}

#[derive(Serialize)]
struct Measurement {
    style: String,
    architecture: String,
    device: String,
    precision: String,
    threads: usize,
    width: u32,
    height: u32,
    frames: usize,
    ms: Milliseconds,
    /// Over all frames that were measured.
    fps: f64,
}

impl BenchArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let (width, height) = self.size.sides()?;
        let style = self.network.load(self.architecture.as_deref(), self.device.choice())?;
        let (name, architecture) = (style.name().to_owned(), style.architecture().to_owned());
        let controls = self.controls.controls(Some(&self.smoothing));
        let mut stylizer = engine::start(style, &self.device, self.process_size.process_size()?, controls)?;
        let pool = FramePool::new(2);
        let timings = self.measure(&mut stylizer, || picture(width, height, &pool))?;
        let total: Duration = timings.iter().sum();
        let measurement = Measurement {
            style: name,
            architecture,
            device: stylizer.device_id().to_string(),
            precision: stylizer.precision().to_string(),
            threads: stylizer.threads(),
            width,
            height,
            frames: timings.len(),
            ms: Milliseconds::of(&timings),
            fps: rounded(timings.len() as f64 / total.as_secs_f64()),
        };
        if self.json {
            print_json(&measurement)?;
        } else {
            print_lines(measurement.lines())?;
        }
        Ok(Outcome::Done)
    }

    /// How long each frame took.
    fn measure(&self, stylizer: &mut Stylizer, picture: impl Fn() -> Frame) -> Result<Vec<Duration>> {
        for _ in 0..WARM_UP_FRAMES {
            stylizer.stylize(picture())?;
        }
        let wanted = self.frames.unwrap_or(DEFAULT_FRAMES) as usize;
        let begun = Instant::now();
        let mut timings = Vec::with_capacity(wanted);
        while timings.len() < wanted {
            let out_of_time = begun.elapsed() > TIME_LIMIT && timings.len() >= FEWEST_FRAMES;
            if self.frames.is_none() && out_of_time {
                break;
            }
            let frame = picture();
            let started = Instant::now();
            let restyled = stylizer.stylize(frame)?;
            timings.push(started.elapsed());
            drop(restyled);
        }
        Ok(timings)
    }
}

/// A picture with slopes, edges and grain, the same every time.
fn picture(width: u32, height: u32, pool: &FramePool) -> Frame {
    let mut frame = pool.take(width, height, PixelFormat::Rgb8);
    let mut grain = 1_u32;
    for (y, row) in frame.rows_mut().enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let edge = if (x / 32 + y / 32) % 2 == 0 { 64 } else { 0 };
            let noise = grain >> 28;
            let slope = |at: usize, side: u32| (at as u32 * 160 / side) + edge + noise;
            // At most 159 + 64 + 15.
            pixel.copy_from_slice(&[slope(x, width) as u8, slope(y, height) as u8, (edge + noise) as u8]);
        }
    }
    frame
}

impl NetworkArgs {
    fn load(&self, architecture: Option<&str>, device: DeviceChoice) -> Result<Style> {
        Ok(match (&self.style, &self.random_weights) {
            (Some(style), _) => Style::load(&find_style(style, architecture, device)?)?,
            (None, random) => Style::random(random.as_deref().unwrap_or_default())?,
        })
    }
}

impl Measurement {
    fn lines(&self) -> Vec<String> {
        let Milliseconds { median, p95, min } = self.ms;
        vec![
            format!("style      {} ({})", self.style, self.architecture),
            format!(
                "device     {}, {}, {}",
                self.device,
                self.precision,
                engine::counted(self.threads as u64, "thread")
            ),
            format!("frames     {} of {}x{}", self.frames, self.width, self.height),
            format!("median     {median:.1} ms"),
            format!("p95        {p95:.1} ms"),
            format!("min        {min:.1} ms"),
            format!("speed      {:.2} fps", self.fps),
        ]
    }
}
