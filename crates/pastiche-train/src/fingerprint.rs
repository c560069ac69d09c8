//! Telling whether files are the same.

use std::{fs, io, path::Path};

use sha2::{Digest, Sha256};

/// SHA-256 of a file's bytes, in hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    Ok(hexadecimal(&Sha256::digest(fs::read(path)?)))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
