//! Output that appears under its name only when it is whole.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{MediaError, error::Result};

/// How many temporary names are tried before giving up.
const MAX_NAMES: u32 = 10;

/// `<name>.part` beside the final name, or `<name>.1.part` and so on where that is taken: renamed by [`Self::keep`], removed when dropped before.
#[derive(Debug)]
pub(crate) struct PartialFile {
    part: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl PartialFile {
    /// Creates the empty `.part` file, which proves that the place can be written. One that is there already is another
    /// job's or somebody's own, and is left alone.
    pub(crate) fn create(target: &Path) -> Result<Self> {
        let not_writable = |source| MediaError::OutputNotWritable { path: target.to_owned(), source };
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if !folder.exists() {
            return Err(MediaError::OutputFolderMissing { folder: folder.to_owned() });
        }
        if target.is_dir() {
            return Err(not_writable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let Some(name) = target.file_name() else {
            return Err(not_writable(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let mut part = PathBuf::new();
        for attempt in 0..MAX_NAMES {
            part = target.with_file_name(part_name(name, attempt));
            match File::create_new(&part) {
                Ok(_) => return Ok(Self { part, target: target.to_owned(), kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(not_writable(error)),
            }
        }
        Err(MediaError::PartialFilesTaken { path: part })
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
    pub(crate) fn keep(mut self) -> Result<u64> {
        let rename = || {
            fs::rename(&self.part, &self.target)?;
            Ok(fs::metadata(&self.target)?.len())
        };
        let bytes =
            rename().map_err(|source| MediaError::OutputNotWritable { path: self.target.clone(), source })?;
        self.kept = true;
        Ok(bytes)
    }
}

fn part_name(name: &OsStr, attempt: u32) -> OsString {
    let mut part_name = name.to_owned();
    part_name.push(if attempt == 0 { ".part".to_owned() } else { format!(".{attempt}.part") });
    part_name
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.part)
        {
            log::warn!("the unfinished output could not be removed ({error}): {}", self.part.display());
        }
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
