//! Output that appears under its name only when it is whole.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io, mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{MediaError, error::Result};

/// The unfinished files of this process.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// How many temporary names are tried before giving up.
const MAX_NAMES: u32 = 10;

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths is never half-changed, so one that a panic left is still sound.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the files of this process that are not finished, for a process that quits at once: nobody begins or finishes
/// another from then on, who tries waits for the end.
pub fn remove_unfinished() {
    let unfinished = unfinished();
    for part in unfinished.iter() {
        if let Err(error) = fs::remove_file(part) {
            log::warn!("the unfinished output could not be removed ({error}): {}", part.display());
        }
    }
    mem::forget(unfinished);
}

/// `<name>.part` beside the final name, or `<name>.1.part` and so on where that is taken: renamed by [`Self::keep`], removed when dropped before.
#[derive(Debug)]
pub(crate) struct PartialFile {
    part: PathBuf,
    target: PathBuf,
    kept: bool,
    growing: bool,
}

impl PartialFile {
    /// Creates the empty `.part` file, which proves that the place can be written. One that is there already is another
    /// job's or somebody's own, and is left alone.
    pub(crate) fn create(target: &Path) -> Result<Self> {
        let not_writable = |source| MediaError::OutputNotWritable { path: target.to_owned(), source };
        check_place(target)?;
        let Some(name) = target.file_name() else {
            return Err(not_writable(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let mut part = PathBuf::new();
        let mut unfinished = unfinished();
        for attempt in 0..MAX_NAMES {
            part = target.with_file_name(part_name(name, attempt));
            match File::create_new(&part) {
                Ok(_) => {
                    unfinished.push(part.clone());
                    return Ok(Self { part, target: target.to_owned(), kept: false, growing: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(not_writable(error)),
            }
        }
        Err(MediaError::PartialFilesTaken { path: part })
    }

    /// Creates the file under its own name, replacing what was there: for what is of use before it is whole. It stays from
    /// the first [`Self::note_written`] on.
    pub(crate) fn create_growing(target: &Path) -> Result<Self> {
        check_place(target)?;
        File::create(target)
            .map_err(|source| MediaError::OutputNotWritable { path: target.to_owned(), source })?;
        Ok(Self { part: target.to_owned(), target: target.to_owned(), kept: false, growing: true })
    }

    /// Whether it has its own name already.
    pub(crate) fn is_growing(&self) -> bool {
        self.growing
    }

    /// Something of use was written; it may be on its way still.
    pub(crate) fn note_written(&mut self) {
        if self.growing && !self.kept {
            self.kept = !self.is_empty();
        }
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        fs::metadata(&self.part).is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.part
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file its final name, replacing what was there, and returns its length in bytes. The file must be
    /// closed.
    ///
    /// # Errors
    /// It cannot have that name; it keeps the one that it has.
    pub(crate) fn keep(mut self) -> Result<u64> {
        self.kept = true;
        if !self.growing {
            let mut unfinished = unfinished();
            unfinished.retain(|part| *part != self.part);
            if let Err(source) = fs::rename(&self.part, &self.target) {
                let (path, part) = (self.target.clone(), self.part.clone());
                return Err(MediaError::NotRenamed { path, part, source });
            }
        }
        fs::metadata(&self.target)
            .map(|metadata| metadata.len())
            .map_err(|source| MediaError::OutputNotWritable { path: self.target.clone(), source })
    }
}

/// What can be told before anything is created.
fn check_place(target: &Path) -> Result<()> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.exists() {
        return Err(MediaError::OutputFolderMissing { folder: folder.to_owned() });
    }
    if target.is_dir() {
        let source = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(MediaError::OutputNotWritable { path: target.to_owned(), source });
    }
    Ok(())
}

fn part_name(name: &OsStr, attempt: u32) -> OsString {
    let mut part_name = name.to_owned();
    part_name.push(if attempt == 0 { ".part".to_owned() } else { format!(".{attempt}.part") });
    part_name
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut unfinished = unfinished();
        if let Err(error) = fs::remove_file(&self.part) {
            log::warn!("the unfinished output could not be removed ({error}): {}", self.part.display());
        }
        unfinished.retain(|part| *part != self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_replaces_what_was_there_and_a_dropped_one_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        fs::write(&target, "old").unwrap();

        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "half").unwrap();
        drop(part);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");

        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "whole").unwrap();
        assert_eq!(part.keep().unwrap(), 5);
        assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_whole_file_that_cannot_have_its_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "whole").unwrap();
        fs::create_dir(&target).unwrap();
        let error = part.keep().unwrap_err();
        let MediaError::NotRenamed { part, .. } = &error else { panic!("{error}") };
        assert_eq!(fs::read_to_string(part).unwrap(), "whole");
        assert!(error.to_string().ends_with("out.mp4.part"), "{error}");
    }

    #[test]
    fn a_growing_file_stays_once_something_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        drop(PartialFile::create_growing(&target).unwrap());
        assert!(!target.exists(), "an empty file is of no use");

        let mut file = PartialFile::create_growing(&target).unwrap();
        fs::write(file.path(), "so far").unwrap();
        file.note_written();
        drop(file);
        assert_eq!(fs::read_to_string(&target).unwrap(), "so far");
        assert_eq!(PartialFile::create_growing(&target).unwrap().keep().unwrap(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        let foreign = folder.path().join("out.mp4.part");
        fs::write(&foreign, "not ours").unwrap();

        let first = PartialFile::create(&target).unwrap();
        let second = PartialFile::create(&target).unwrap();
        assert_eq!(first.path(), folder.path().join("out.mp4.1.part"));
        assert_eq!(second.path(), folder.path().join("out.mp4.2.part"));
        fs::write(first.path(), "first").unwrap();
        drop(second);
        first.keep().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "first");
        assert_eq!(fs::read_to_string(&foreign).unwrap(), "not ours");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn too_many_names_taken_is_an_error_that_leaves_them() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.png");
        let claimed: Vec<_> = (0..MAX_NAMES).map(|_| PartialFile::create(&target).unwrap()).collect();
        let error = PartialFile::create(&target).unwrap_err();
        let MediaError::PartialFilesTaken { path } = &error else { panic!("{error}") };
        assert_eq!(path, claimed.last().unwrap().path());
        assert!(claimed.iter().all(|part| part.path().exists()));
    }

    #[test]
    fn places_that_cannot_be_written_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").join("out.mp4");
        assert!(matches!(PartialFile::create(&missing), Err(MediaError::OutputFolderMissing { .. })));

        assert!(matches!(PartialFile::create(folder.path()), Err(MediaError::OutputNotWritable { .. })));

        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            PartialFile::create(&file.join("out.mp4")),
            Err(MediaError::OutputNotWritable { .. }) | Err(MediaError::OutputFolderMissing { .. })
        ));
    }
}
