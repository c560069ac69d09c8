//! How long a network takes for a picture, beside the slow method: table 1 of Johnson et al. 2016.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use candle_core::{Error, Tensor};
use pastiche_nn::{Canvas, Level, Network, Picture, Plan};
use serde::Serialize;

use crate::{
    PerceptualLoss, TrainError,
    optimize::{PixelOptimiser, white_noise},
};

/// Runs before those that are timed.
const WARM_UP: usize = 2;
/// For the network.
const NETWORK: Enough = Enough { least: 5, most: 50, long_enough: Duration::from_secs(2) };
/// For the optimiser, whose iterations at large sizes take seconds.
const OPTIMISER: Enough = Enough { least: 3, most: 10, long_enough: Duration::from_secs(20) };

/// When enough is timed: after `most` runs, or after `least` of them where the time is up.
struct Enough {
    least: usize,
    most: usize,
    long_enough: Duration,
}

/// The times of one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Side of the square picture in pixels.
    pub size: usize,
    /// Median time of the network, from planes of floats to planes of floats.
    pub network_ms: f64,
    /// Of so many runs.
    pub network_runs: usize,
    /// Mean time of one iteration of the optimiser.
    pub iteration_ms: f64,
    /// Of so many iterations, in one run from white noise.
    pub timed_iterations: usize,
    /// The optimiser after so many iterations.
    pub optimiser: BTreeMap<usize, OptimiserSpeed>,
}

/// The times of the optimiser at one size and number of iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OptimiserSpeed {
    /// What so many iterations take: the time of one, multiplied.
    pub ms: f64,
    /// How many times as fast the network is.
    pub speed_up: f64,
}

/// Times a network and the optimiser of `loss` on a square photo (1, 3, size, size), RGB on 0-255. On a processor the
/// network runs as a compiled plan in `f32`, on the caller's rayon pool.
///
/// # Errors
/// The photo is too small for one of them, or the device fails.
pub fn speed(
    loss: &PerceptualLoss,
    network: &Network,
    photo: &Tensor,
    iterations: &[usize],
) -> Result<Speed, TrainError> {
    let mut network_times = times_of_network(network, photo)?;
    network_times.sort_by(f64::total_cmp);
    let network_ms = network_times[network_times.len() / 2];
    let (_, _, height, width) = photo.dims4()?;
    let start = white_noise(height, width, 0, photo.device())?;
    let mut pixels = PixelOptimiser::new(loss, photo, &start)?;
    // That nothing leads down any more does not happen so early; if it did, it would take no time.
    let times = timed(&OPTIMISER, || pixels.iterate().map(|_| ()))?;
    let iteration_ms = times.iter().sum::<f64>() / times.len() as f64;
    let optimiser = iterations.iter().map(|&count| {
        let ms = iteration_ms * count as f64;
        (count, OptimiserSpeed { ms, speed_up: ms / network_ms })
    });
    Ok(Speed {
        size: height,
        network_ms,
        network_runs: network_times.len(),
        iteration_ms,
        timed_iterations: times.len(),
        optimiser: optimiser.collect(),
    })
}

fn times_of_network(network: &Network, photo: &Tensor) -> Result<Vec<f64>, TrainError> {
    let device = photo.device();
    if !device.is_cpu() {
        return timed(&NETWORK, || {
            network.forward(photo)?;
            Ok(device.synchronize()?)
        });
    }
    let (_, _, height, width) = photo.dims4()?;
    let mut plan = Plan::new(network, Level::best().map_err(Error::wrap)?).map_err(Error::wrap)?;
    let photo: Vec<f32> = photo.flatten_all()?.to_vec1()?;
    let mut painting = vec![0.0; photo.len()];
    timed(&NETWORK, || {
        let canvas = Canvas::Planes(&mut painting);
        Ok(plan.paint(Picture::Planes(&photo), (height, width), canvas).map_err(Error::wrap)?)
    })
}

/// Milliseconds that `run` takes, each time, after some runs to warm up.
fn timed(enough: &Enough, mut run: impl FnMut() -> Result<(), TrainError>) -> Result<Vec<f64>, TrainError> {
    for _ in 0..WARM_UP {
        run()?;
    }
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.len() < enough.least || (times.len() < enough.most && begun.elapsed() < enough.long_enough) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}
