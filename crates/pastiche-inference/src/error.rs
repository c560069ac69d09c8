//! What can go wrong between a frame and its painting.

use std::path::PathBuf;

use pastiche_frame::PixelFormat;
use pastiche_nn::{Architecture, PlanError, UnknownLevel, WeightsError};

use crate::{
    ControlsError,
    card::CardError,
    stylizer::{MAX_SIDE, MIN_SIDE},
};

/// Why a style cannot be found or loaded, a device not be used, or a frame not be painted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// No style of that name is in the library.
    #[error("no style is called `{name}`; {}", suggestion(.nearest, *.any))]
    UnknownStyle {
        /// What was asked for.
        name: String,
        /// Names like it, the likeliest first.
        nearest: Vec<String>,
        /// Whether the library holds any style at all.
        any: bool,
    },
    /// The style exists, but not in that architecture.
    #[error("style `{name}` has no `{architecture}` network; it has {}", .available.join(", "))]
    MissingArchitecture {
        /// The style.
        name: String,
        /// What was asked for.
        architecture: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The architecture is not one that this version knows.
    #[error("no architecture is called `{name}`; there are {}", .known.join(", "))]
    UnknownArchitecture {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The file is not a style that can be used.
    #[error("cannot use this style file, {source}: {}", path.display())]
    Style {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: WeightsError,
    },
    /// No network that enlarges so is installed.
    #[error(
        "no network that enlarges {factor} times is installed; name one with --upscaler FILE (`pastiche-train \
         super-resolution` makes them){}", place.as_ref().map_or_else(String::new, |place| format!(", or put it at {}", place.display()))
    )]
    NoUpscaler {
        /// How many times it should enlarge.
        factor: u32,
        /// Where the user's own would be.
        place: Option<PathBuf>,
    },
    /// The file is no network that enlarges.
    #[error("cannot enlarge with this file, {source}: {}", path.display())]
    Upscaler {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: WeightsError,
    },
    /// The network enlarges by another factor.
    #[error("this network enlarges {found} times, not {wanted}; ask for {found} or name another: {}", path.display())]
    UpscaleFactor {
        /// How many times it should.
        wanted: u32,
        /// How many times it does.
        found: usize,
        /// Which file.
        path: PathBuf,
    },
    /// A picture is too small to be enlarged, or would become too large.
    #[error(
        "a picture of {width}x{height} cannot be enlarged {factor} times: sides go from {MIN_SIDE} pixels to {MAX_SIDE} \
         when enlarged"
    )]
    UpscaleSize {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// How many times.
        factor: u32,
    },
    /// An enlarged picture takes more memory than is free.
    #[error(
        "enlarging {width}x{height} {factor} times needs {} of memory and {} are free; make the picture smaller before, with \
         --size or --scale", gigabytes(*.needed), gigabytes(*.available)
    )]
    UpscaleMemory {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// How many times.
        factor: u32,
        /// In bytes.
        needed: u64,
        /// In bytes.
        available: u64,
    },
    /// The device was asked for by name and cannot be used.
    #[error("cannot use device {id}: {reason}; `--device cpu` always works")]
    Device {
        /// Which device.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The device does not compute in that precision.
    #[error("device {device} does not compute in {precision}; it offers {}", .available.join(", "))]
    Precision {
        /// What was asked for.
        precision: &'static str,
        /// Which device.
        device: String,
        /// What it offers.
        available: Vec<&'static str>,
    },
    /// A card failed.
    #[error("{device} cannot go on: {source}; with `--device auto` the processor takes its place")]
    Card {
        /// Which card.
        device: String,
        /// Why.
        #[source]
        source: CardError,
    },
    /// A picture takes more of a card's memory than is free.
    #[error(
        "painting {width}x{height} needs {} of the memory of {device} and {} are free; {}",
        gigabytes(*.needed), gigabytes(*.available), fitting(*.fits)
    )]
    CardMemory {
        /// Which card.
        device: String,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// In bytes.
        needed: u64,
        /// In bytes.
        available: u64,
        /// A width and height that would fit.
        fits: Option<(u32, u32)>,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// A picture is too small or too large.
    #[error(
        "a picture of {width}x{height} cannot be painted: sides go from {MIN_SIDE} to {MAX_SIDE} pixels; choose another size"
    )]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A picture takes more memory than is free.
    #[error(
        "painting {width}x{height} needs {} of memory and {} are free; {}",
        gigabytes(*.needed), gigabytes(*.available), fitting(*.fits)
    )]
    Memory {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// In bytes.
        needed: u64,
        /// In bytes.
        available: u64,
        /// A width and height that would fit.
        fits: Option<(u32, u32)>,
    },
    /// The frame is not RGB.
    #[error("the engine takes RGB frames, not {found:?}")]
    Format {
        /// What the frame holds.
        found: PixelFormat,
    },
    /// A control is outside its range.
    #[error(transparent)]
    Controls(#[from] ControlsError),
    /// The processor cannot be used as asked.
    #[error(transparent)]
    Processor {
        /// What is wrong.
        source: UnknownLevel,
    },
    /// The network cannot be compiled for the processor.
    #[error("cannot compile the network: {source}")]
    Plan {
        /// Why not.
        #[from]
        source: PlanError,
    },
    /// The network failed on the device.
    #[error("the network failed: {source}")]
    Compute {
        /// What candle said.
        #[from]
        source: candle_core::Error,
    },
}

impl InferenceError {
    /// No architecture has that name; there are these.
    pub(crate) fn unknown_architecture(name: &str) -> Self {
        Self::UnknownArchitecture {
            name: name.to_owned(),
            known: Architecture::ALL.map(Architecture::name).to_vec(),
        }
    }
}

fn suggestion(nearest: &[String], any: bool) -> String {
    match nearest {
        [] if !any => "no styles are installed: give the path of a .safetensors style file".to_owned(),
        [] => "`pastiche styles` lists those there are; a path to a .safetensors file works too".to_owned(),
        names => format!("did you mean {}? `pastiche styles` lists all", names.join(", ")),
    }
}

/// As people write it: one digit after the point.
pub(crate) fn gigabytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 0.1e9 { format!("{:.1} MB", bytes / 1e6) } else { format!("{:.1} GB", bytes / 1e9) }
}

fn fitting(size: Option<(u32, u32)>) -> String {
    match size {
        Some((width, height)) => format!("`--process-size {width}x{height}` fits"),
        None => "close other programs".to_owned(),
    }
}
