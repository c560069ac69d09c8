//! Reading and writing networks as `.safetensors`.
//!
//! Nothing is believed before it is checked: the file's size, the header (by the `safetensors` crate: its length, every
//! offset, no gap, no overlap), that no name is there twice, then names, shapes, types and values against the network's description.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use candle_core::{DType, Device, Tensor};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorView},
};

use crate::{Architecture, Network, NetworkDescription, WeightsError, duplicates, networks::Enlarger};

/// No network that this program can run is larger.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A file of named tensors with text metadata, checked to be well-formed, not yet to be a network.
#[derive(Debug)]
pub struct WeightsFile {
    bytes: Vec<u8>,
    header: Metadata,
    /// Where the tensors' data begin in `bytes`.
    data_start: usize,
}

impl WeightsFile {
    /// Reads a `.safetensors` file.
    ///
    /// # Errors
    /// It cannot be read, is too large, or is not well-formed.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let failed = |source| WeightsError::Read { source };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > MAX_FILE_BYTES {
            return Err(WeightsError::TooLarge { bytes: length, limit: MAX_FILE_BYTES });
        }
        let mut bytes = Vec::new();
        // The limit holds even for a file that has no length, such as a pipe.
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        Self::from_bytes(bytes)
    }

    /// Reads `.safetensors` from memory.
    ///
    /// # Errors
    /// The bytes are not well-formed.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeightsError> {
        let (header_len, header) =
            SafeTensors::read_metadata(&bytes).map_err(|source| WeightsError::NotSafetensors { source })?;
        // The file starts with the header's length as a u64.
        let header_bytes = &bytes[size_of::<u64>()..size_of::<u64>() + header_len];
        if let Some(name) = duplicates::first_duplicate_key(header_bytes) {
            return Err(WeightsError::DuplicateTensor { name });
        }
        Ok(Self { bytes, header, data_start: size_of::<u64>() + header_len })
    }

    /// Size of the file.
    pub fn len_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The file as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A value of the file's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// The names of the tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort_unstable();
        names
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.header.info(name)?.shape)
    }

    /// One tensor as `f32`, whatever it is stored as.
    ///
    /// # Errors
    /// It is missing, of a type that weights do not come in, or holds infinity or NaN.
    pub fn tensor(&self, name: &str, device: &Device) -> Result<Tensor, WeightsError> {
        let missing = || WeightsError::MissingTensor { name: name.to_owned() };
        let info = self.header.info(name).ok_or_else(missing)?;
        let (start, end) = info.data_offsets;
        // The header was checked against the data's length when it was read.
        let data = &self.bytes[self.data_start + start..self.data_start + end];
        let view = TensorView::new(info.dtype, info.shape.clone(), data)
            .map_err(|source| WeightsError::NotSafetensors { source })?;
        to_f32(name, &view, device)
    }

    /// Reads the style network that the file holds, whatever its architecture.
    ///
    /// # Errors
    /// The architecture is unknown, or the tensors are not that network's.
    pub fn style_network(&self, device: &Device) -> Result<Network, WeightsError> {
        let description = Architecture::of_file(self)?.describe(self)?;
        self.network(description, device)
    }

    /// Reads the network that enlarges pictures which the file holds.
    ///
    /// # Errors
    /// The file is of another network, or the tensors are not that network's.
    pub fn enlarging_network(&self, device: &Device) -> Result<Network, WeightsError> {
        self.network(Enlarger::describe(self)?, device)
    }

    /// Reads the network that the file holds, of whichever kind.
    ///
    /// # Errors
    /// As for [`Self::style_network`].
    pub fn any_network(&self, device: &Device) -> Result<Network, WeightsError> {
        match self.style_network(device) {
            Err(WeightsError::Enlarges { .. }) => self.enlarging_network(device),
            other => other,
        }
    }

    /// Reads the weights of a given network. Statistics that PyTorch's norms leave behind (`running_mean` and the like)
    /// are passed over where the network has no use for them, as with instance norm.
    ///
    /// # Errors
    /// A tensor is missing, superfluous, or of the wrong shape, type or value.
    pub fn network(&self, description: NetworkDescription, device: &Device) -> Result<Network, WeightsError> {
        let specs = description.parameters();
        let known = |name: &String| specs.contains_key(name.as_str()) || is_running_statistic(name);
        if let Some(name) = self.names().into_iter().find(|name| !known(name)) {
            let architecture = description.architecture.clone();
            return Err(WeightsError::UnexpectedTensor { name, architecture });
        }
        self.network_within(description, device)
    }

    /// As [`Self::network`], from a file that may hold more: a loss network that is cut short.
    ///
    /// # Errors
    /// A tensor is missing or of the wrong shape, type or value.
    pub fn network_within(
        &self,
        description: NetworkDescription,
        device: &Device,
    ) -> Result<Network, WeightsError> {
        let mut parameters = BTreeMap::new();
        for (name, spec) in description.parameters() {
            let found =
                self.shape(name).ok_or_else(|| WeightsError::MissingTensor { name: name.to_owned() })?;
            if found != spec.shape {
                let expected = format!("{:?}", spec.shape);
                return Err(WeightsError::Shape { name: name.to_owned(), expected, found: found.to_vec() });
            }
            parameters.insert(name.to_owned(), self.tensor(name, device)?);
        }
        Ok(Network::new(description, parameters)?)
    }
}

fn is_running_statistic(name: &str) -> bool {
    [".running_mean", ".running_var", ".num_batches_tracked"].iter().any(|suffix| name.ends_with(suffix))
}

fn to_f32(name: &str, view: &TensorView<'_>, device: &Device) -> Result<Tensor, WeightsError> {
    let dtype = match view.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        other => {
            return Err(WeightsError::DataType { name: name.to_owned(), found: format!("{other:?}") });
        }
    };
    let tensor =
        Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?.to_dtype(DType::F32)?;
    // A sum is finite only where every summand is, unless finite weights overflow: no network has such.
    let sum = tensor.abs()?.sum_all()?.to_scalar::<f32>()?;
    if !sum.is_finite() {
        return Err(WeightsError::NotFinite { name: name.to_owned() });
    }
    Ok(tensor.to_device(device)?)
}

/// Writes a network with its metadata; `pastiche.architecture` and the network's sizes are added. Weights are written as
/// `dtype`, statistics of batch norms as `f32`, since variances may go beyond what 16 bits hold. The file appears under its
/// name only when whole.
///
/// # Errors
/// The file cannot be written, or the weights cannot be read from the device.
pub fn save(
    network: &Network,
    metadata: &HashMap<String, String>,
    dtype: DType,
    path: &Path,
) -> Result<(), WeightsError> {
    let bytes = serialized(network, metadata.clone(), dtype)?;
    write_whole(path, &bytes).map_err(|source| WeightsError::Write { source })
}

/// A network as the `.safetensors` file that [`WeightsFile::any_network`] reads it from, in `f32`.
///
/// # Errors
/// The weights cannot be read from the device.
pub fn to_bytes(network: &Network) -> Result<Vec<u8>, WeightsError> {
    serialized(network, HashMap::new(), DType::F32)
}

fn serialized(
    network: &Network,
    mut metadata: HashMap<String, String>,
    dtype: DType,
) -> Result<Vec<u8>, WeightsError> {
    let NetworkDescription { architecture, sizes, .. } = network.description();
    metadata.insert("pastiche.architecture".to_owned(), architecture.clone());
    for (what, size) in sizes {
        metadata.insert(format!("pastiche.{architecture}.{what}"), size.to_string());
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in network.parameters() {
        let dtype = if is_running_statistic(name) { DType::F32 } else { dtype };
        tensors.insert(name, tensor.to_device(&Device::Cpu)?.to_dtype(dtype)?.contiguous()?);
    }
    safetensors::serialize(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)), Some(metadata))
        .map_err(|source| WeightsError::Write { source: io::Error::other(source) })
}

/// Writes beside the final name and renames, so that no reader ever sees half a file; what fails is removed.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("safetensors.part");
    let written = (|| {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        // The first error is the one to tell; the partial file may not even exist.
        let _ = fs::remove_file(&partial);
    }
    written
}
