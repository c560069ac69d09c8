//! The folder of a job that can be taken up again: its finished parts, and a manifest that says of what they are.
//!
//! The manifest lists the parts that are finished. It is written anew after each, under another name first, so that whatever
//! ends the program leaves one that is true; files that it does not list are left-overs.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io, mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::UNIX_EPOCH,
};

use pastiche_frame::{Rational, Timestamp};
use pastiche_inference::Past;
use pastiche_media::{EncodeSummary, VideoPart};
use serde::{Deserialize, Serialize};

use crate::{PipelineError, error::Result};

/// Of the manifest's form, and of what is in the parts.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";

/// This process's folders in which no part is finished yet.
static WITHOUT_PARTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn without_parts() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths is never half-changed, so one that a panic left is still sound.
    WITHOUT_PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`pastiche_media::remove_unfinished`], and removes the folders of parts that hold none.
pub fn remove_unfinished() {
    pastiche_media::remove_unfinished();
    let folders = without_parts();
    folders.iter().for_each(|folder| remove_folder(folder));
    mem::forget(folders);
}

fn remove_folder(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path) {
        log::warn!("the folder of parts could not be removed ({error}): {}", path.display());
    }
}

/// What pictures are made of, by names for people. Two jobs of the same settings give the same pictures.
pub(crate) type Settings = BTreeMap<String, String>;

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    settings: Settings,
    parts: Vec<Part>,
    /// Whether they reach to the source's end.
    #[serde(default)]
    is_whole: bool,
}

/// A part that is finished.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Part {
    /// Frames of the source that are in it.
    frames: u64,
    /// Pictures in the file; at a constant rate there may be more or fewer.
    pictures: u64,
    bytes: u64,
    /// When the first picture is shown: ticks, and the numerator and denominator of their length in seconds.
    start: (i64, i32, i32),
    /// Until the last picture ends.
    end_micros: u64,
}

/// The folder, which is this process's own until it is dropped; it goes then if there is no part in it.
pub(crate) struct PartsFolder {
    path: PathBuf,
    manifest: Manifest,
    /// A part behind the others that is joined with them, but done again by the next job.
    last: Option<Part>,
    /// Whether what is in the folder belongs to this job.
    is_ours: bool,
    /// Held locked.
    _lock: File,
}

impl PartsFolder {
    /// Where the parts of an output are kept.
    pub(crate) fn path_for(output: &Path) -> PathBuf {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".pastiche-part");
        output.with_file_name(name)
    }

    /// Makes the folder, or opens what an earlier job has left there.
    ///
    /// # Errors
    /// The parts in it are of other settings or not as they were, another process works on them, or the folder cannot be
    /// written.
    pub(crate) fn open(path: PathBuf, settings: Settings) -> Result<Self> {
        let not_writable = |source| PipelineError::PartsNotWritable { folder: path.clone(), source };
        fs::create_dir_all(&path).map_err(not_writable)?;
        let lock = File::create(path.join(LOCK)).map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PipelineError::PartsBusy { folder: path }),
            // Some network drives know no locks.
            Err(TryLockError::Error(error)) => log::info!("the folder cannot be locked: {error}"),
        }
        let manifest = Manifest { version: VERSION, settings, parts: Vec::new(), is_whole: false };
        let mut folder = Self { path, manifest, last: None, is_ours: false, _lock: lock };
        if let Some(kept) = folder.read_manifest()? {
            folder.check(&kept)?;
            folder.manifest = kept;
        }
        folder.remove_leftovers();
        folder.is_ours = true;
        if folder.manifest.parts.is_empty() {
            without_parts().push(folder.path.clone());
        }
        Ok(folder)
    }

    fn unusable(&self, reason: impl ToString) -> PipelineError {
        PipelineError::PartsUnusable { reason: reason.to_string(), folder: self.path.clone() }
    }

    fn not_writable(&self, source: io::Error) -> PipelineError {
        PipelineError::PartsNotWritable { folder: self.path.clone(), source }
    }

    fn read_manifest(&self) -> Result<Option<Manifest>> {
        match fs::read(self.path.join(MANIFEST)) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| self.unusable(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(error)),
        }
    }

    /// Whether what is kept can be gone on with.
    fn check(&self, kept: &Manifest) -> Result<()> {
        if kept.version != VERSION {
            return Err(self.unusable("it was written by another version of the program"));
        }
        let differences = differences(&kept.settings, &self.manifest.settings);
        if !differences.is_empty() {
            return Err(PipelineError::OtherParts { differences, folder: self.path.clone() });
        }
        for (index, part) in kept.parts.iter().enumerate() {
            let path = self.part_path(index);
            let bytes = fs::metadata(&path).map(|metadata| metadata.len());
            if !bytes.is_ok_and(|bytes| bytes == part.bytes) {
                let name = path.file_name().unwrap_or_default().display();
                return Err(self.unusable(format_args!("{name} is not as it was written")));
            }
        }
        Ok(())
    }

    /// What a job leaves that ends in the middle of a part.
    fn remove_leftovers(&self) {
        let parts = self.manifest.parts.len();
        let kept = (0..parts)
            .map(|index| self.part_path(index))
            .chain(parts.checked_sub(1).map(|last| self.past_path(last)));
        let kept: Vec<PathBuf> = kept.chain([MANIFEST, LOCK].map(|name| self.path.join(name))).collect();
        let files = fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.path());
        for file in files.filter(|file| !kept.contains(file)) {
            if let Err(error) = fs::remove_file(&file) {
                log::warn!("a left-over file could not be removed ({error}): {}", file.display());
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Frames of the source that the finished parts hold.
    pub(crate) fn frames(&self) -> u64 {
        self.manifest.parts.iter().map(|part| part.frames).sum()
    }

    /// Pictures in the files of the finished parts.
    pub(crate) fn pictures(&self) -> u64 {
        self.manifest.parts.iter().map(|part| part.pictures).sum()
    }

    /// Where the part after the finished ones is written.
    pub(crate) fn next_part_path(&self) -> PathBuf {
        self.part_path(self.manifest.parts.len())
    }

    fn part_path(&self, index: usize) -> PathBuf {
        self.path.join(format!("{:06}.mp4", index + 1))
    }

    fn past_path(&self, index: usize) -> PathBuf {
        self.path.join(format!("{:06}.past", index + 1))
    }

    /// What smoothing knows behind the finished parts, where there are some and frames come after them.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn past(&self) -> Result<Option<Past>> {
        if self.manifest.is_whole {
            return Ok(None);
        }
        let Some(last) = self.manifest.parts.len().checked_sub(1) else { return Ok(None) };
        let bytes = fs::read(self.past_path(last)).map_err(|error| self.unusable(error))?;
        let past =
            Past::from_bytes(&bytes).ok_or_else(|| self.unusable("what smoothing needs is damaged"))?;
        Ok(Some(past))
    }

    /// Takes the next part, whose file is closed, for finished; `past` is what smoothing knows behind it.
    ///
    /// # Errors
    /// The folder cannot be written; the part is then none.
    pub(crate) fn add(&mut self, frames: u64, summary: &EncodeSummary, past: Option<&Past>) -> Result<()> {
        let index = self.manifest.parts.len();
        self.write_past(index, past).map_err(|source| self.not_writable(source))?;
        self.list(Part::of(frames, summary))?;
        if past.is_some()
            && let Some(before) = index.checked_sub(1)
            && let Err(error) = fs::remove_file(self.past_path(before))
        {
            log::info!("a file that is no longer needed stays: {error}");
        }
        Ok(())
    }

    /// As [`Self::add`] for the part that ends with the source.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub(crate) fn add_end(&mut self, frames: u64, summary: &EncodeSummary) -> Result<()> {
        self.manifest.is_whole = true;
        let listed = self.list(Part::of(frames, summary));
        self.manifest.is_whole = listed.is_ok();
        listed
    }

    /// As [`Self::add`] for a part that ends where the source could not be read on: it can be joined, but the next job
    /// may get further.
    pub(crate) fn add_broken_off(&mut self, frames: u64, summary: &EncodeSummary) {
        self.last = Some(Part::of(frames, summary));
    }

    fn list(&mut self, part: Part) -> Result<()> {
        let mut without_parts = without_parts();
        self.manifest.parts.push(part);
        if let Err(source) = self.write_manifest() {
            self.manifest.parts.pop();
            return Err(self.not_writable(source));
        }
        without_parts.retain(|path| *path != self.path);
        Ok(())
    }

    fn write_past(&self, index: usize, past: Option<&Past>) -> io::Result<()> {
        past.map_or(Ok(()), |past| write_synced(&self.past_path(index), &past.to_bytes()))
    }

    fn write_manifest(&self) -> io::Result<()> {
        // A drive that loses its power may write a name before what it names.
        if let Some(last) = self.manifest.parts.len().checked_sub(1) {
            File::options().write(true).open(self.part_path(last))?.sync_all()?;
        }
        let beside = self.path.join("manifest.json.new");
        write_synced(&beside, &serde_json::to_vec_pretty(&self.manifest)?)?;
        fs::rename(&beside, self.path.join(MANIFEST))
    }

    /// The parts, for joining.
    ///
    /// # Errors
    /// The manifest is damaged.
    pub(crate) fn parts(&self) -> Result<Vec<VideoPart>> {
        let part = |(index, part): (usize, &Part)| {
            let (ticks, numerator, denominator) = part.start;
            let time_base = Rational::new(numerator, denominator).map_err(|error| self.unusable(error))?;
            let start = Timestamp::new(ticks, time_base);
            // Within what a clock counts to.
            let end = Timestamp::new(part.end_micros as i64, Rational::MICROSECONDS);
            Ok(VideoPart { path: self.part_path(index), start, end, pictures: part.pictures })
        };
        self.manifest.parts.iter().chain(&self.last).enumerate().map(part).collect()
    }

    /// Removes the folder and what is in it.
    pub(crate) fn remove(mut self) {
        self.manifest.parts.clear();
    }
}

impl Drop for PartsFolder {
    fn drop(&mut self) {
        if self.is_ours && self.manifest.parts.is_empty() {
            let mut without_parts = without_parts();
            remove_folder(&self.path);
            without_parts.retain(|path| *path != self.path);
        }
    }
}

impl Part {
    fn of(frames: u64, summary: &EncodeSummary) -> Self {
        let time_base = summary.start.time_base;
        Self {
            frames,
            pictures: summary.frames,
            bytes: summary.bytes,
            start: (summary.start.ticks, time_base.numerator(), time_base.denominator()),
            end_micros: summary.duration.as_micros() as u64,
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

/// What differs between two jobs, in words.
fn differences(kept: &Settings, asked: &Settings) -> String {
    let names = kept.keys().chain(asked.keys().filter(|name| !kept.contains_key(*name)));
    let difference = |name: &String| {
        let value = |settings: &Settings| settings.get(name).map_or_else(|| "none".to_owned(), Clone::clone);
        let (kept, asked) = (value(kept), value(asked));
        (kept != asked).then(|| format!("{name} was {kept} and is {asked}"))
    };
    names.filter_map(difference).collect::<Vec<_>>().join(", ")
}

/// What tells one source from another: its length, and when it was changed.
pub(crate) fn source_settings(path: &Path) -> Settings {
    let Ok(metadata) = fs::metadata(path) else { return Settings::new() };
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mut settings = Settings::from([("the source's bytes".to_owned(), metadata.len().to_string())]);
    settings.extend(
        changed.map(|time| ("the source's time of change".to_owned(), format!("{:.3}", time.as_secs_f64()))),
    );
    settings
}
