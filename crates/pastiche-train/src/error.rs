//! What can go wrong in training, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use pastiche_nn::WeightsError;

/// Why a training, or a measurement, cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting makes no sense.
    #[error("{name} is {value}, but must be {allowed}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// The folder of photographs cannot be read.
    #[error("the folder of photographs cannot be read ({source}); name one that is there: {}", path.display())]
    PhotoFolder {
        /// What the system said.
        #[source]
        source: io::Error,
        /// The folder.
        path: PathBuf,
    },
    /// There are no photographs.
    #[error("there are no photographs ({extensions}) in this folder or those within it: {}", path.display())]
    NoPhotos {
        /// What their names may end with.
        extensions: String,
        /// The folder.
        path: PathBuf,
    },
    /// Photographs are there, but none can be read.
    #[error(
        "{count} photographs in a row could not be read, or are too small for the samples; look at those in {}",
        path.display()
    )]
    UnreadablePhotos {
        /// How many were tried.
        count: usize,
        /// The folder.
        path: PathBuf,
    },
    /// A picture cannot be read.
    #[error("the picture cannot be read ({source}): {}", path.display())]
    Picture {
        /// What the decoder said.
        #[source]
        source: image::ImageError,
        /// The file.
        path: PathBuf,
    },
    /// A picture cannot be written.
    #[error("the picture cannot be written ({source}): {}", path.display())]
    WritePicture {
        /// What the encoder said.
        #[source]
        source: image::ImageError,
        /// The file.
        path: PathBuf,
    },
    /// A picture has too few pixels.
    #[error("{width}x{height} pixels are too few, {least} on the shorter side are needed: {}", path.display())]
    PictureTooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// What would do.
        least: u32,
        /// The file.
        path: PathBuf,
    },
    /// A frame is of another size than the first one.
    #[error(
        "this frame is {width}x{height} and the first one {}x{}; leave in the folder only frames of one size: {}",
        first.0, first.1, path.display()
    )]
    FrameSize {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The first one's width and height.
        first: (u32, u32),
        /// The file.
        path: PathBuf,
    },
    /// The style to start from cannot be used.
    #[error(
        "the style to start from cannot be used: {source} (--architecture, --width and --blocks must be those of the file): {}",
        path.display()
    )]
    Start {
        /// Why.
        #[source]
        source: WeightsError,
        /// The file.
        path: PathBuf,
    },
    /// The loss network cannot be used.
    #[error("the loss network cannot be used: {source}: {}", path.display())]
    LossNet {
        /// Why.
        #[source]
        source: WeightsError,
        /// The file.
        path: PathBuf,
    },
    /// The loss network ends too early.
    #[error(
        "the loss network has no {tensor}, which the layer {layer} needs; its layers go to {last}: choose others \
         (--style-layers, --content-layers) or another file: {}", path.display()
    )]
    LossNetLayer {
        /// The tensor that is missing.
        tensor: String,
        /// The layer that was asked for.
        layer: String,
        /// The last one that the file has.
        last: String,
        /// The file.
        path: PathBuf,
    },
    /// A layer that VGG networks do not have.
    #[error("no loss network has a layer {layer}; there are relu1_1, relu1_2, relu2_1 ... relu5_4")]
    UnknownLayer {
        /// The name that was given.
        layer: String,
    },
    /// A word that names no kind of input.
    #[error("`{word}` is no input of a loss network; there are torchvision and caffe")]
    UnknownLossNetInput {
        /// The word.
        word: String,
    },
    /// The file does not say what the network takes.
    #[error(
        "the file does not say what the loss network takes (metadata `input`); say it with --loss-net-input \
         torchvision or caffe: {}", path.display()
    )]
    LossNetInput {
        /// The file.
        path: PathBuf,
    },
    /// The loss network could not be fetched.
    #[error(
        "the loss network could not be fetched ({reason}); download {url} and give it with --loss-net FILE \
         --loss-net-input torchvision, or put it at {}", place.display()
    )]
    Download {
        /// What the library said.
        reason: String,
        /// Where it is on the web.
        url: String,
        /// Where it is looked for.
        place: PathBuf,
    },
    /// A downloaded file is damaged.
    #[error("the downloaded loss network is damaged (its SHA-256 is {found}, not {expected}); delete it and try again: {}", path.display())]
    Checksum {
        /// The sum of what is there.
        found: String,
        /// The sum that was announced.
        expected: String,
        /// The file.
        path: PathBuf,
    },
    /// The file of a style, or of a network that enlarges, cannot be read or written.
    #[error("the network cannot be used: {source}: {}", path.display())]
    Style {
        /// Why.
        #[source]
        source: WeightsError,
        /// The file.
        path: PathBuf,
    },
    /// The network that enlarges and is to be started from cannot be used.
    #[error(
        "the network to start from cannot be used: {source} (--network, --factor and --width must be those of the \
         file): {}", path.display()
    )]
    StartEnlarging {
        /// Why.
        #[source]
        source: WeightsError,
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint cannot be read.
    #[error("the checkpoint cannot be read: {source}; start afresh with -y instead of --resume: {}", path.display())]
    Checkpoint {
        /// Why.
        #[source]
        source: WeightsError,
        /// The file.
        path: PathBuf,
    },
    /// The file is not a checkpoint of this version.
    #[error(
        "this is no checkpoint that this version can go on from ({reason}); start afresh with -y instead of --resume: {}",
        path.display()
    )]
    NotACheckpoint {
        /// What is amiss.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint was made with other settings.
    #[error(
        "the checkpoint is of another configuration ({differences}); give the same settings, or start afresh without \
         --resume under another name: {}", path.display()
    )]
    OtherConfiguration {
        /// Which settings differ, and how.
        differences: String,
        /// The file.
        path: PathBuf,
    },
    /// There is no checkpoint to go on from.
    #[error("there is no checkpoint to resume from; leave out --resume to start: {}", path.display())]
    NoCheckpoint {
        /// Where it would be.
        path: PathBuf,
    },
    /// A training is there already.
    #[error("a training is there already; add --resume to go on with it, or -y to start afresh: {}", path.display())]
    RunExists {
        /// Its checkpoint.
        path: PathBuf,
    },
    /// A file of the run cannot be written.
    #[error(
        "this cannot be written ({source}); {kept}: {}", path.display()
    )]
    Write {
        /// What the system said.
        #[source]
        source: io::Error,
        /// What remains of the work.
        kept: String,
        /// The file.
        path: PathBuf,
    },
    /// The loss is no number any more.
    #[error(
        "the loss at step {step} is {loss}, or its gradient is not finite, so the training has failed; {kept}"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f32,
        /// The last good checkpoint, and how to go on.
        kept: String,
    },
    /// A thread could not be started.
    #[error("a thread could not be started: {source}")]
    Thread {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A thread that loads photographs has ended.
    #[error(
        "the loading of photographs has stopped for no known reason; --resume goes on from the last checkpoint"
    )]
    LoaderStopped,
    /// A picture cannot be resized.
    #[error("a picture cannot be resized: {reason}")]
    Resize {
        /// What the library said.
        reason: String,
    },
    /// Computing failed.
    #[error("the device failed: {source}")]
    Device {
        /// What candle said.
        #[from]
        source: candle_core::Error,
    },
}

impl TrainError {
    /// A file of the run cannot be written, while the last checkpoint is as it was.
    pub(crate) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Write {
            source,
            kept: "the last checkpoint is as it was, if there is one".to_owned(),
            path: path.to_owned(),
        }
    }
}
