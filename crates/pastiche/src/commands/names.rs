//! The names of images in the folder that they are written into.

use std::{
    collections::HashSet,
    ffi::OsString,
    path::{Path, PathBuf},
};

use pastiche_media::is_written_image;

/// Each image's name in the output folder, and how many of them are not what they would be alone. An image keeps its own
/// name; where its ending is none that is written, it becomes a PNG. A name that is taken by then gets the image's whole
/// one with `.png` behind it (`x.bmp.png` beside `x.png`), else a number (`x-2.png`).
pub(super) fn output_names(names: &[PathBuf]) -> (Vec<PathBuf>, usize) {
    let mut taken = HashSet::new();
    let mut chosen = vec![PathBuf::new(); names.len()];
    let mut renamed = 0;
    // Those that keep their names come first, so that none of them loses it to another.
    for keeps in [true, false] {
        for (name, chosen) in names.iter().zip(&mut chosen) {
            if is_written_image(name) != keeps {
                continue;
            }
            let mut candidates = candidates(name);
            let first = candidates.next().unwrap_or_default();
            *chosen = first.clone();
            while !taken.insert(key(chosen)) {
                let Some(next) = candidates.next() else { break };
                *chosen = next;
            }
            renamed += usize::from(*chosen != first);
        }
    }
    (chosen, renamed)
}

/// The names that an image may have, the best first; there is always another.
fn candidates(name: &Path) -> impl Iterator<Item = PathBuf> {
    let own = if is_written_image(name) { name.to_owned() } else { name.with_extension("png") };
    let mut whole = name.as_os_str().to_owned();
    whole.push(".png");
    let whole = (!is_written_image(name)).then(|| PathBuf::from(whole));
    let numbered_from = own.clone();
    let numbered = (2_u64..).map(move |number| {
        let mut numbered = numbered_from.file_stem().map_or_else(OsString::new, OsString::from);
        numbered.push(format!("-{number}."));
        numbered.push(numbered_from.extension().unwrap_or_default());
        numbered_from.with_file_name(numbered)
    });
    [own].into_iter().chain(whole).chain(numbered)
}

/// What two names have in common that are one file's: most systems but Linux pay no heed to case.
fn key(name: &Path) -> OsString {
    if cfg!(any(windows, target_os = "macos")) {
        name.to_string_lossy().to_lowercase().into()
    } else {
        name.as_os_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> (Vec<String>, usize) {
        let names: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let (chosen, renamed) = output_names(&names);
        (chosen.iter().map(|name| name.display().to_string()).collect(), renamed)
    }

    #[test]
    fn images_keep_their_names_in_a_folder() {
        let (chosen, renamed) = named(&["b.JPG", "a/b.JPG", "b.webp", "c"]);
        assert_eq!(
            (chosen, renamed),
            (vec!["b.JPG".into(), "a/b.JPG".into(), "b.png".into(), "c.png".into()], 0)
        );
    }

    #[test]
    fn a_name_that_is_taken_becomes_another() {
        let (chosen, renamed) = named(&["x.bmp", "x.png", "x.tif", "a/x.bmp", "x.png", "x.bmp"]);
        let expected = ["x.bmp.png", "x.png", "x.tif.png", "a/x.png", "x-2.png", "x-3.png"];
        assert_eq!((chosen, renamed), (expected.map(String::from).to_vec(), 4));
    }
}
