//! Finding photographs.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::TrainError;

/// What a photograph's name may end with.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The photographs in a folder and the folders in it, in the order of their names.
#[derive(Debug, Clone)]
pub struct PhotoFolder {
    folder: PathBuf,
    photos: Vec<PathBuf>,
}

impl PhotoFolder {
    /// Looks through a folder. Photographs are opened later, when they are drawn.
    ///
    /// # Errors
    /// The folder cannot be read or holds no photograph.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        let mut photos = Vec::new();
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(source) if source.depth() == 0 => {
                    return Err(TrainError::PhotoFolder { source: source.into(), path: folder.to_owned() });
                }
                // A link that leads nowhere, a folder that is closed.
                Err(error) => {
                    log::warn!("passed over: {error}");
                    continue;
                }
            };
            let is_photo = |path: &Path| {
                let extension = path.extension().unwrap_or_default();
                EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
            };
            if entry.file_type().is_file() && is_photo(entry.path()) {
                photos.push(entry.into_path());
            }
        }
        if photos.is_empty() {
            return Err(TrainError::NoPhotos { extensions: EXTENSIONS.join(", "), path: folder.to_owned() });
        }
        Ok(Self { folder: folder.to_owned(), photos })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The photographs.
    pub fn photos(&self) -> &[PathBuf] {
        &self.photos
    }

    /// Keeps up to `count` photographs, spread over the folder, from the rest; a quarter of them at most.
    pub fn hold_out(&self, count: usize) -> (Vec<PathBuf>, Self) {
        let count = count.min(self.photos.len() / 4);
        let (mut held_out, mut rest) = (Vec::new(), Vec::new());
        for (index, photo) in self.photos.iter().enumerate() {
            // The places at which index * count / len grows.
            let grows = index * count / self.photos.len() < (index + 1) * count / self.photos.len();
            if grows { &mut held_out } else { &mut rest }.push(photo.clone());
        }
        (held_out, Self { folder: self.folder.clone(), photos: rest })
    }

    /// A number in hexadecimal that changes when a photograph is added, taken away or renamed.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for photo in &self.photos {
            let name = photo.strip_prefix(&self.folder).unwrap_or(photo);
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        crate::fingerprint::hexadecimal(&hash.finalize())
    }
}
