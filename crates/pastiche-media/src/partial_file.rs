//! Output that appears under its name only when it is whole.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, TryLockError},
    io, mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use same_file::Handle;

use crate::{MediaError, error::Result};

/// The unfinished files of this process.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What the name of an unfinished output ends in. Nobody else's files do, so one that no process works on is of no use.
const SUFFIX: &str = ".pastiche-unfinished";
/// Of an output's name; with the ending and a number there are fewer than the 255 that file systems allow.
const MAX_NAME_BYTES: usize = 220;
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

/// `<name>.pastiche-unfinished` beside the final name, or `<name>.pastiche-unfinished-2` and so on while others are written:
/// renamed by [`Self::keep`], removed when dropped before.
#[derive(Debug)]
pub(crate) struct PartialFile {
    part: PathBuf,
    target: PathBuf,
    kept: bool,
    growing: bool,
    /// The file, held locked as long as it is written, where the drive knows locks.
    lock: Option<File>,
}

impl PartialFile {
    /// Creates the empty file, which proves that the place can be written. In the place of one that a job has left which was
    /// killed; those of other jobs are left alone.
    pub(crate) fn create(target: &Path) -> Result<Self> {
        // A link stays one: what it leads to is replaced.
        let target = &fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let not_writable = |source| MediaError::OutputNotWritable { path: target.clone(), source };
        check_place(target)?;
        let Some(name) = target.file_name() else {
            return Err(not_writable(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let mut part = PathBuf::new();
        let mut unfinished = unfinished();
        for attempt in 0..MAX_NAMES {
            part = target.with_file_name(part_name(name, attempt));
            match claim(&part) {
                Ok(Some(lock)) => {
                    unfinished.push(part.clone());
                    let target = target.clone();
                    return Ok(Self { part, target, kept: false, growing: false, lock: Some(lock) });
                }
                Ok(None) => {}
                Err(error) => return Err(not_writable(error)),
            }
        }
        Err(MediaError::PartialFilesTaken { path: part })
    }

    /// As [`Self::create`] for what is of use before it is whole: from the first [`Self::note_written`] on it has its own
    /// name, and stays.
    pub(crate) fn create_growing(target: &Path) -> Result<Self> {
        let mut file = Self::create(target)?;
        file.growing = true;
        Ok(file)
    }

    /// Whether it is of use before it is whole.
    pub(crate) fn is_growing(&self) -> bool {
        self.growing
    }

    /// Something of use was written; it may be on its way still.
    pub(crate) fn note_written(&mut self) {
        if !self.growing || self.kept || self.is_empty() || !self.is_own() {
            return;
        }
        let mut unfinished = unfinished();
        match fs::rename(&self.part, &self.target) {
            Ok(()) => {
                unfinished.retain(|part| *part != self.part);
                self.part.clone_from(&self.target);
                self.kept = true;
            }
            // It can be tried again, at the latest by `keep`.
            Err(error) => log::debug!("no name yet ({error}): {}", self.target.display()),
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
    /// It cannot have that name, and has a similar one instead; or it is gone.
    pub(crate) fn keep(mut self) -> Result<u64> {
        self.kept = true;
        let mut unfinished = unfinished();
        unfinished.retain(|part| *part != self.part);
        if !self.is_own() {
            let source =
                io::Error::other("it was removed, or another program writes there, while it was written");
            return Err(MediaError::OutputNotWritable { path: self.target.clone(), source });
        }
        // What grows has its name already.
        if self.part != self.target
            && let Err(source) = fs::rename(&self.part, &self.target)
        {
            let part = beside(&self.part, &self.target);
            return Err(MediaError::NotRenamed { path: self.target.clone(), part, source });
        }
        fs::metadata(&self.target)
            .map(|metadata| metadata.len())
            .map_err(|source| MediaError::OutputNotWritable { path: self.target.clone(), source })
    }

    /// Whether the file that has the name is this one still. On a drive that several machines write, locks may not reach all.
    fn is_own(&self) -> bool {
        self.lock.as_ref().is_none_or(|lock| is_at(lock, &self.part))
    }
}

/// Gives a whole file that cannot have its name a similar one, `out-2.mp4`, since what has the name of an unfinished one may
/// be removed; returns where it is.
fn beside(part: &Path, target: &Path) -> PathBuf {
    for number in 2..=MAX_NAMES {
        let mut name = target.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        let mut place = target.with_file_name(name);
        place.set_extension(target.extension().unwrap_or_default());
        // Made first, so that nothing is replaced.
        if File::create_new(&place).is_ok() {
            if fs::rename(part, &place).is_ok() {
                return place;
            }
            // It is empty, and nobody else's.
            let _removed_or_not = fs::remove_file(&place);
        }
    }
    part.to_owned()
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
    let source = match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => io::Error::from(io::ErrorKind::IsADirectory),
        Ok(metadata) if !metadata.is_file() => io::Error::other("it is there and no file"),
        _ => return Ok(()),
    };
    Err(MediaError::OutputNotWritable { path: target.to_owned(), source })
}

/// The first part of a long name is enough: it is the lock that tells files apart.
fn part_name(name: &OsStr, attempt: u32) -> OsString {
    let mut part_name = name.to_owned();
    if part_name.len() > MAX_NAME_BYTES {
        let name = name.to_string_lossy();
        part_name = name[..name.floor_char_boundary(MAX_NAME_BYTES)].into();
    }
    part_name.push(SUFFIX);
    if attempt > 0 {
        part_name.push(format!("-{}", attempt + 1));
    }
    part_name
}

/// Creates an unfinished file and locks it; nothing where the name is another job's.
fn claim(part: &Path) -> io::Result<Option<File>> {
    remove_left_over(part);
    let file = match File::create_new(part) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        created => created?,
    };
    match file.try_lock() {
        Ok(()) => Ok(is_at(&file, part).then_some(file)),
        // Before it was locked, another job has taken it for left over.
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            log::info!("the unfinished output cannot be locked: {error}");
            Ok(Some(file))
        }
    }
}

/// Removes an unfinished file that no process works on. What it cannot tell or remove, it leaves.
fn remove_left_over(part: &Path) {
    // Opening a pipe would wait for its other end.
    if !fs::symlink_metadata(part).is_ok_and(|metadata| metadata.is_file()) {
        return;
    }
    // Some network drives lock only what can be written.
    let Ok(file) = File::options().read(true).write(true).open(part) else { return };
    // Locked, it is nobody's; but who worked on it may just have given it its own name.
    if file.try_lock().is_ok() && is_at(&file, part) {
        match fs::remove_file(part) {
            Ok(()) => log::info!("removed what a killed job has left: {}", part.display()),
            Err(error) => log::info!("what a killed job has left stays ({error}): {}", part.display()),
        }
    }
}

/// Whether a file still has this name.
fn is_at(file: &File, path: &Path) -> bool {
    let handle = file.try_clone().and_then(Handle::from_file);
    matches!((handle, Handle::from_path(path)), (Ok(file), Ok(named)) if file == named)
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut unfinished = unfinished();
        unfinished.retain(|part| *part != self.part);
        if self.is_own()
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
    fn a_whole_file_that_cannot_have_its_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "whole").unwrap();
        fs::create_dir(&target).unwrap();
        let error = part.keep().unwrap_err();
        let MediaError::NotRenamed { part, .. } = &error else { panic!("{error}") };
        assert_eq!(*part, folder.path().join("out-2.mp4"));
        assert_eq!(fs::read_to_string(part).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_growing_file_stays_once_something_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        fs::write(&target, "old").unwrap();
        drop(PartialFile::create_growing(&target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "old", "an empty file is of no use");

        let mut file = PartialFile::create_growing(&target).unwrap();
        fs::write(file.path(), "so far").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        file.note_written();
        assert_eq!((file.path(), fs::read_to_string(&target).unwrap()), (&*target, "so far".to_owned()));
        drop(file);
        assert_eq!(fs::read_to_string(&target).unwrap(), "so far");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_growing_file_that_cannot_have_its_name_grows_on() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        let mut file = PartialFile::create_growing(&target).unwrap();
        fs::write(file.path(), "so far").unwrap();
        fs::create_dir(&target).unwrap();
        file.note_written();
        assert_ne!(file.path(), target);
        fs::remove_dir(&target).unwrap();
        file.note_written();
        assert_eq!(file.path(), target);

        // Another program's file is not taken for this one.
        fs::remove_file(&target).unwrap();
        fs::write(&target, "another's").unwrap();
        assert!(matches!(file.keep(), Err(MediaError::OutputNotWritable { .. })));
        assert_eq!(fs::read_to_string(&target).unwrap(), "another's");
    }

    #[test]
    fn what_another_job_writes_is_left_alone_and_what_a_killed_one_left_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        let [own, second_own] = ["", "-2"].map(|end| folder.path().join(format!("out.mp4{SUFFIX}{end}")));
        let foreign = folder.path().join("out.mp4.part");
        for path in [&own, &second_own, &foreign] {
            fs::write(path, "left").unwrap();
        }

        let first = PartialFile::create(&target).unwrap();
        assert_eq!((first.path(), fs::read_to_string(&own).unwrap()), (&*own, String::new()));
        fs::write(first.path(), "first").unwrap();
        let second = PartialFile::create(&target).unwrap();
        assert_eq!(second.path(), second_own);
        assert_eq!(fs::read_to_string(first.path()).unwrap(), "first");
        drop(second);
        first.keep().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "first");
        assert_eq!(fs::read_to_string(&foreign).unwrap(), "left");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn an_output_that_is_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (target, large_drive) = (folder.path().join("out.mp4"), folder.path().join("large.mp4"));
        fs::write(&large_drive, "old").unwrap();
        std::os::unix::fs::symlink(&large_drive, &target).unwrap();
        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "new").unwrap();
        part.keep().unwrap();
        assert_eq!(fs::read_to_string(&large_drive).unwrap(), "new");
        assert!(target.is_symlink());
    }

    #[test]
    fn a_file_that_another_program_has_put_there_is_neither_kept_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.mp4");
        for keep in [true, false] {
            let part = PartialFile::create(&target).unwrap();
            let path = part.path().to_owned();
            fs::remove_file(&path).unwrap();
            fs::write(&path, "not ours").unwrap();
            if keep {
                assert!(matches!(part.keep(), Err(MediaError::OutputNotWritable { .. })));
            } else {
                drop(part);
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), "not ours");
            assert!(!target.exists());
        }
    }

    #[test]
    fn a_name_as_long_as_names_can_be_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join(format!("{}.mp4", "長".repeat(83)));
        let part = PartialFile::create(&target).unwrap();
        fs::write(part.path(), "whole").unwrap();
        part.keep().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_under_the_temporary_name_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, other) = (folder.path().join("out.mp4"), folder.path().join("other"));
        fs::write(&other, "not ours").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join(format!("out.mp4{SUFFIX}"))).unwrap();
        let part = PartialFile::create(&target).unwrap();
        assert!(part.path().ends_with(format!("out.mp4{SUFFIX}-2")), "{}", part.path().display());
        assert_eq!(fs::read_to_string(&other).unwrap(), "not ours");
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
