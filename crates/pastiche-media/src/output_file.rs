//! The file under a muxer. It keeps the drive's first error, which FFmpeg flattens to a number or loses; and it keeps room
//! free for what closes a file, so that a drive that is full leaves one that plays.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What takes room: zeros, since not every drive can set blocks aside unwritten.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// A file to write; clones are the same file, one for FFmpeg and one for who asks about it.
#[derive(Debug, Clone)]
pub(crate) struct OutputFile(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    file: File,
    position: u64,
    /// Where what is written ends.
    end: u64,
    /// Up to where the drive has room, taken by zeros.
    room: u64,
    /// Where what is of use without the rest ends, for files that grow.
    useful_end: Option<u64>,
    error: Option<io::Error>,
}

impl OutputFile {
    /// Opens a file that is there and empty.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let state = State { file, position: 0, end: 0, room: 0, useful_end: None, error: None };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Makes sure that the drive has room for a file of this many bytes. What was written stays either way.
    pub(crate) fn make_room(&self, bytes: u64) -> io::Result<()> {
        self.lock().make_room(bytes)
    }

    /// What is written up to now is of use even if nothing follows: a drive that fails leaves that much.
    pub(crate) fn note_useful(&self) {
        let mut state = self.lock();
        state.useful_end = Some(state.end);
    }

    /// The first error of the drive since it was last asked for.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.lock().error.take()
    }

    /// Gives back the room that was not needed, and waits until the drive has the file: some tell only then that they do
    /// not.
    pub(crate) fn close(&self) -> io::Result<()> {
        let state = self.lock();
        state.file.set_len(state.end)?;
        sync(&state.file)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The numbers are set after what they are about has happened, so they are sound after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.room < bytes {
            let from = self.room.max(self.end);
            self.file.seek(SeekFrom::Start(from))?;
            match self.file.write(&ZEROS) {
                Ok(written) => self.room = from + written as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.position))?;
        let written = self.file.write(bytes)?;
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }
}

/// Waits until the drive has a file.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // What is no file on a drive, such as a pipe, has nothing to wait for.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// The same error of the system once more.
pub(crate) fn copy_of(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        let written = state.write(bytes);
        match written {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let copy = copy_of(&error);
                state.error.get_or_insert(error);
                if let Some(useful_end) = state.useful_end {
                    state.end = useful_end;
                    if let Err(error) = state.file.set_len(useful_end) {
                        log::warn!("the last piece of the output may not play: {error}");
                    }
                }
                Err(copy)
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for OutputFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut state = self.lock();
        let from = |base: u64, offset: i64| base.checked_add_signed(offset);
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => from(state.position, offset),
            SeekFrom::End(offset) => from(state.end, offset),
        };
        state.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(state.position)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn room_is_given_back_and_what_is_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "").unwrap();
        let mut file = OutputFile::open(&path).unwrap();
        file.write_all(b"0123456789").unwrap();
        file.make_room(1_000_000).unwrap();
        assert!(fs::metadata(&path).unwrap().len() >= 1_000_000);
        file.seek(SeekFrom::Start(3)).unwrap();
        file.write_all(b"abc").unwrap();
        assert_eq!(file.seek(SeekFrom::End(0)).unwrap(), 10, "room is no part of the file");
        file.write_all(b"end").unwrap();
        file.close().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "012abc6789end");
        assert!(file.take_error().is_none());
    }
}
