//! Which way to do a convolution is the fastest: measured once for each card and shape.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

#[cfg(feature = "cudnn")]
use candle_core::cuda_backend::cudarc::cudnn::sys::cudnnConvolutionFwdAlgo_t;
use candle_core::cuda_backend::cudarc::driver::sys::CUevent_flags;

use super::{CudaError, session::Session};
use crate::cuda::{
    CudaPrecision,
    arguments::{Convolve, Kernel},
    program::Convolution,
};

/// Bytes that a convolution of cuDNN's may use beside its operands.
pub(super) const WORKSPACE_BYTES: usize = if cfg!(feature = "cudnn") { 64 << 20 } else { 0 };
/// How often each way to do a convolution is timed, in turns with the others: a card that was idle gets faster meanwhile.
const ROUNDS: usize = 3;
/// How often it is done each time; once more goes before.
const TIMED_RUNS: usize = 3;

/// Where memory for cuDNN is on the card, and how many bytes it has.
pub(super) type Workspace = (u64, usize);
/// What of a convolution decides which way is the fastest: all but where its operands are.
pub(super) type Shape = Convolve<()>;

/// How a convolution is done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// By our own kernel.
    Own(Kernel),
    /// By our own kernel, which leaves the moments for the norm that follows.
    OwnWithMoments(Kernel),
    /// By cuDNN.
    #[cfg(feature = "cudnn")]
    Cudnn(cudnnConvolutionFwdAlgo_t),
}

/// What was measured, by the card's number.
type Measured = HashMap<(usize, CudaPrecision, Shape), Way>;

/// What was measured for all plans, since styles of one architecture have the same shapes, and a change of style should not wait
/// for measurements.
static FASTEST: LazyLock<Mutex<Measured>> = LazyLock::new(Mutex::default);

/// The fastest way to do a convolution with its norm. What it writes may be lost.
pub(super) fn fastest(
    session: &Session,
    convolution: &Convolution,
    workspace: Workspace,
) -> Result<Way, CudaError> {
    let shape = convolution.convolve.map(|_| ());
    let key = (session.compute.context().ordinal(), session.precision, shape);
    let known = FASTEST.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    if let Some(way) = known {
        return Ok(way);
    }
    let mut best: Option<(f32, Way)> = None;
    let mut ways = candidates(session, &shape)?;
    for _ in 0..ROUNDS {
        let mut runs = Vec::new();
        for way in ways {
            match time(session, way, convolution, workspace) {
                Ok(milliseconds) => {
                    runs.push(way);
                    if best.is_none_or(|(least, _)| milliseconds < least) {
                        best = Some((milliseconds, way));
                    }
                }
                // What cuDNN offers may still not run, for instance without a part of it that is installed apart.
                #[cfg(feature = "cudnn")]
                Err(CudaError::Cudnn { .. }) if matches!(way, Way::Cudnn(_)) => {}
                Err(error) => return Err(error),
            }
        }
        ways = runs;
    }
    let (_, way) = best.ok_or(CudaError::OutOfTurn { what: "no kernel does this convolution" })?;
    FASTEST.lock().unwrap_or_else(PoisonError::into_inner).insert(key, way);
    Ok(way)
}

fn candidates(session: &Session, shape: &Shape) -> Result<Vec<Way>, CudaError> {
    let alone = shape.kernels(session.precision, false);
    let mut ways: Vec<Way> = alone.into_iter().map(Way::Own).collect();
    if shape.norm_channels > 0 {
        ways.extend(shape.kernels(session.precision, true).into_iter().map(Way::OwnWithMoments));
    }
    #[cfg(feature = "cudnn")]
    match session.cudnn.algorithms(shape, WORKSPACE_BYTES) {
        Ok(algorithms) => ways.extend(algorithms.into_iter().map(Way::Cudnn)),
        // What cuDNN does not take, our own kernels do.
        Err(CudaError::Cudnn { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(ways)
}

/// Milliseconds that a convolution takes with its norm, several times over.
fn time(
    session: &Session,
    way: Way,
    convolution: &Convolution,
    workspace: Workspace,
) -> Result<f32, CudaError> {
    let failed = CudaError::driver("timing a convolution");
    let event = || session.compute.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
    session.convolve(way, convolution, workspace)?;
    let start = event().map_err(&failed)?;
    for _ in 0..TIMED_RUNS {
        session.convolve(way, convolution, workspace)?;
    }
    let end = event().map_err(&failed)?;
    start.elapsed_ms(&end).map_err(&failed)
}
