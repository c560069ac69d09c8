//! What a job leaves in a folder.

use std::{fs, path::Path};

/// The names of what is in a folder, in order.
pub fn file_names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
