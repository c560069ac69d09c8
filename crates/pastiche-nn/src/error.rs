//! What can be wrong with a file of weights. The path is for the caller to add, who knows what the file was for.

use std::io;

/// Why weights cannot be read, are not what they should be, or cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened or read.
    #[error("it cannot be read: {source}")]
    Read {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("it cannot be written: {source}")]
    Write {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is far larger than any network.
    #[error("{bytes} bytes are more than the {limit} that a network may take")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// The file is not whole safetensors.
    #[error(
        "it is not a readable .safetensors file ({source}): it may be damaged or incomplete, get it again"
    )]
    NotSafetensors {
        /// What the format's reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// Two tensors have the same name, so that readers would disagree on which counts.
    #[error("tensor `{name}` is there twice: the file is damaged or not to be trusted, get it again")]
    DuplicateTensor {
        /// Their name.
        name: String,
    },
    /// The metadata names an architecture that this version does not know.
    #[error("architecture `{name}` is unknown: a newer version of Pastiche may read it")]
    UnknownArchitecture {
        /// What the metadata says.
        name: String,
    },
    /// The file is of a network that enlarges pictures, not of a style.
    #[error("its network, {architecture}, enlarges pictures and paints none: give it to --upscaler")]
    Enlarges {
        /// What the metadata says.
        architecture: String,
    },
    /// The file is not of a network that enlarges pictures.
    #[error(
        "its architecture is {architecture}, which does not enlarge; super_res_x4, super_res_x8 and srcnn do"
    )]
    NoEnlarger {
        /// What the metadata says.
        architecture: String,
    },
    /// The metadata says something senseless.
    #[error("its metadata says {key} = `{value}`, not {expected}")]
    Metadata {
        /// Of what.
        key: String,
        /// What is said.
        value: String,
        /// What could be said.
        expected: String,
    },
    /// No known network has tensors of these names.
    #[error("its tensors belong to no known style network (transformer_net, lengstrom, swift, johnson)")]
    UnrecognisedTensors,
    /// A tensor that the network needs is not there.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor is there that the network has no place for.
    #[error("tensor `{name}` has no place in a {architecture} network")]
    UnexpectedTensor {
        /// Its name.
        name: String,
        /// The network.
        architecture: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("tensor `{name}` has shape {found:?}, not {expected}")]
    Shape {
        /// Its name.
        name: String,
        /// What the network needs.
        expected: String,
        /// What the file holds.
        found: Vec<usize>,
    },
    /// A tensor's numbers are of a type that weights do not come in.
    #[error("tensor `{name}` holds {found}; weights are F32, F16 or BF16")]
    DataType {
        /// Its name.
        name: String,
        /// What the file holds.
        found: String,
    },
    /// A tensor holds infinity or NaN.
    #[error("tensor `{name}` holds a number that is not finite: the training that made it failed")]
    NotFinite {
        /// Its name.
        name: String,
    },
    /// The tensors could not be made on the device.
    #[error("the weights could not be placed on the device: {source}")]
    Device {
        /// What candle said.
        #[from]
        source: candle_core::Error,
    },
}
