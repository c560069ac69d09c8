//! Telling whether files are the same.

use std::{fs, io, path::Path};

use pastiche_nn::WeightsError;
use sha2::{Digest, Sha256};

use crate::TrainError;

/// SHA-256 of a file's bytes, in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    Ok(of_bytes(&fs::read(path)?))
}

/// That of the style that a training starts from, where there is one.
pub(crate) fn of_start(from: Option<&Path>) -> Result<Option<String>, TrainError> {
    let of_file = |path: &Path| {
        let unusable =
            |source| TrainError::Start { source: WeightsError::Read { source }, path: path.to_owned() };
        sha256(path).map_err(unusable)
    };
    from.map(of_file).transpose()
}

/// SHA-256 of bytes, in hexadecimal.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
