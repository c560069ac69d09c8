//! Fetching a loss network from the Hugging Face hub, once.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use hf_hub::api::{Progress, sync::ApiBuilder};

use super::{LossNetFile, LossNetInputChoice};
use crate::TrainError;

/// VGG-16 trained on ImageNet by torchvision, as the timm library keeps it.
const REPOSITORY: &str = "timm/vgg16.tv_in1k";
const FILE: &str = "model.safetensors";
/// What that file takes; it does not say so itself.
const INPUT: LossNetInputChoice = LossNetInputChoice::Torchvision;
/// The name that a file put there by hand has.
const NAME_BY_HAND: &str = "vgg16.tv_in1k.safetensors";
/// Hexadecimal digits of a SHA-256.
const SUM_DIGITS: usize = 64;

/// The VGG-16 of torchvision: as put there by hand, as fetched before, or fetched now, while what
/// `progress` makes is told.
///
/// # Errors
/// It is not there and cannot be fetched, or is damaged.
pub fn download<P: Progress>(progress: impl FnOnce() -> P) -> Result<LossNetFile, TrainError> {
    let place = place_by_hand();
    if place.exists() {
        return LossNetFile::open(&place, Some(INPUT));
    }
    let failed = |error: hf_hub::api::sync::ApiError| TrainError::Download {
        reason: error.to_string(),
        url: format!("https://huggingface.co/{REPOSITORY}/resolve/main/{FILE}"),
        place: place.clone(),
    };
    let api = ApiBuilder::from_env().with_progress(false).build().map_err(failed)?;
    let repository = api.model(REPOSITORY.to_owned());
    let cached = hf_hub::Cache::from_env().model(REPOSITORY.to_owned()).get(FILE);
    let path = match cached {
        Some(path) => path,
        None => repository.download_with_progress(FILE, progress()).map_err(failed)?,
    };
    let file = LossNetFile::open(&path, Some(INPUT))?;
    verify(&path, file.fingerprint())?;
    Ok(file)
}

/// Where a file is looked for that the user has fetched.
fn place_by_hand() -> PathBuf {
    let folder = ProjectDirs::from("", "", "pastiche").map(|folders| folders.cache_dir().join("loss_nets"));
    folder.unwrap_or_default().join(NAME_BY_HAND)
}

/// Compares a file's SHA-256 with the one that the hub announced: the hub's cache names large files by it.
fn verify(path: &Path, found: &str) -> Result<(), TrainError> {
    let blob = path.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let announced = blob.filter(|name| name.len() == SUM_DIGITS);
    match announced {
        Some(expected) if expected != found => {
            Err(TrainError::Checksum { found: found.to_owned(), expected, path: path.to_owned() })
        }
        Some(_) => Ok(()),
        None => {
            log::warn!("the hub told no checksum, so the file was not checked: {}", path.display());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_must_have_the_sum_that_it_is_named_by() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = ("a".repeat(SUM_DIGITS), "b".repeat(SUM_DIGITS));
        let path = folder.path().join(&good);
        std::fs::write(&path, "").unwrap();
        assert!(verify(&path, &good).is_ok());
        let error = verify(&path, &bad).unwrap_err().to_string();
        assert!(error.contains(&good) && error.contains(&bad) && error.contains("delete it"), "{error}");
    }
}
