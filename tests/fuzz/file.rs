//! The bytes to be tried, as a file.

use std::{env, fs, path::PathBuf, process};

/// Writes them under this name into a folder of this process's own, over those before.
pub(crate) fn of(bytes: &[u8], name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("pastiche-fuzz-{}", process::id()));
    let path = folder.join(name);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, bytes))
        .expect("the folder for temporary files is full");
    path
}
