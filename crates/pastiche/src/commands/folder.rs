//! The images of a folder and of the folders in it.

use std::path::{Path, PathBuf};

use pastiche_media::is_read_image;
use walkdir::WalkDir;

/// Every image under `folder`, in order, with its path from there. What lies in `output` is left out, so that results do
/// not become sources. A folder that cannot be opened is there too, for whoever reads it to say so.
pub(crate) fn images(folder: &Path, output: &Path) -> Vec<(PathBuf, PathBuf)> {
    let output =
        output.canonicalize().ok().filter(|output| folder.canonicalize().ok().as_ref() != Some(output));
    let is_output = |path: &Path| output.is_some() && path.canonicalize().ok() == output;
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    let mut images = Vec::new();
    for entry in walk.filter_entry(|entry| !entry.file_type().is_dir() || !is_output(entry.path())) {
        let path = match entry {
            Ok(entry) if entry.file_type().is_dir() || !is_read_image(entry.path()) => continue,
            Ok(entry) => entry.into_path(),
            Err(error) => error.path().unwrap_or(folder).to_owned(),
        };
        let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        images.push((path, name));
    }
    images
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn images_are_found_in_order_and_results_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.PNG", "a/z.jpg", "a/deep/x.webp", "notes.txt", "out/b.png", "c.tiff"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |output: &str| -> Vec<PathBuf> {
            images(folder.path(), &folder.path().join(output)).into_iter().map(|(_, name)| name).collect()
        };
        let expected = ["a/deep/x.webp", "a/z.jpg", "b.PNG", "c.tiff"].map(PathBuf::from);
        assert_eq!(names("out"), expected);
        assert_eq!(names("elsewhere").len(), 5);
        assert_eq!(
            names("").len(),
            5,
            "the folder itself is refused by whoever compares each image with its result"
        );
    }
}
