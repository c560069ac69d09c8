//! Numbered pictures that are a video: `frames/%04d.png`, a folder of them, or the first of them.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use pastiche_frame::{Frame, Rational};

use crate::{
    MediaError,
    container::Container,
    encode::LONG_GAP,
    error::Result,
    partial_file::PartialFile,
    still::{self, Kind, is_read_image},
    times::ConstantClock,
};

/// How fast the pictures come where nobody says.
pub const SEQUENCE_RATE: Rational = Rational::whole(25);
/// The name of a picture in a folder that is named alone.
const NAME_IN_FOLDER: &str = "%06d.png";

/// A path with a number in it, as FFmpeg writes them: `%d`, or `%05d` for five digits at least.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    folder: PathBuf,
    before: String,
    digits: usize,
    after: String,
}

impl Pattern {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let (digits, after) = rest.split_once('d')?;
        let digits =
            if digits.is_empty() { 1 } else { digits.parse().ok().filter(|digits| *digits <= 20)? };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Some(Self { folder, before: before.to_owned(), digits, after: after.to_owned() })
    }

    fn path(&self, number: u64) -> PathBuf {
        let (before, digits, after) = (&self.before, self.digits, &self.after);
        self.folder.join(format!("{before}{number:0digits$}{after}"))
    }

    /// The number in a file's name that is of this pattern.
    fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let fits = digits.len() >= self.digits && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|number| fits && self.path(*number) == self.folder.join(name))
    }

    /// The pictures that are there, by their numbers.
    fn pictures(&self) -> Vec<(u64, PathBuf)> {
        let folder = if self.folder == Path::new("") { Path::new(".") } else { &self.folder };
        let mut pictures: Vec<(u64, PathBuf)> = files(folder)
            .into_iter()
            .filter_map(|name| Some((self.number(&name)?, self.folder.join(&name))))
            .collect();
        pictures.sort();
        pictures
    }
}

/// The names of a folder's files; none where it cannot be read.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The pictures of the sequence that a path names, in order; `None` where it is none. It is one with a number's place in its
/// name, or a folder, or a picture whose name ends in a number that another one follows.
pub(crate) fn pictures(path: &Path) -> Result<Option<Vec<PathBuf>>> {
    if path.is_dir() {
        let mut names: Vec<String> =
            files(path).into_iter().filter(|name| is_read_image(Path::new(name))).collect();
        names.sort_by_key(|name| (in_order(name), name.clone()));
        let pictures: Vec<PathBuf> = names.into_iter().map(|name| path.join(name)).collect();
        return Ok(Some(pictures).filter(|pictures| !pictures.is_empty()));
    }
    if path.exists() {
        return Ok(from_first(path));
    }
    let Some(pattern) = Pattern::of(path) else { return Ok(None) };
    let pictures = pattern.pictures();
    warn_of_gaps(&pictures, path);
    let pictures: Vec<PathBuf> = pictures.into_iter().map(|(_, picture)| picture).collect();
    if pictures.is_empty() {
        return Err(MediaError::NoSequence { path: path.to_owned() });
    }
    Ok(Some(pictures))
}

/// Whether a path names a sequence of pictures.
pub fn is_picture_sequence(path: &Path) -> bool {
    matches!(pictures(path), Ok(Some(_)) | Err(MediaError::NoSequence { .. }))
}

/// The sequence that begins with this picture.
fn from_first(path: &Path) -> Option<Vec<PathBuf>> {
    let name = path.file_name()?.to_str().filter(|name| is_read_image(Path::new(name)))?;
    let (stem, ending) = name.rsplit_once('.')?;
    let before = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = &stem[before.len()..];
    let first: u64 = digits.parse().ok()?;
    // What has no zero in front may have grown from fewer digits.
    let least = if digits.starts_with('0') { digits.len() } else { 1 };
    let pattern = Pattern {
        folder: path.parent()?.to_owned(),
        before: before.to_owned(),
        digits: least,
        after: format!(".{ending}"),
    };
    let mut pictures = pattern.pictures();
    pictures.retain(|(number, _)| *number >= first);
    let follows = pictures.iter().any(|(number, _)| *number == first + 1);
    if !follows {
        return None;
    }
    warn_of_gaps(&pictures, path);
    Some(pictures.into_iter().map(|(_, picture)| picture).collect())
}

fn warn_of_gaps(pictures: &[(u64, PathBuf)], path: &Path) {
    let gap = pictures.windows(2).find(|pair| pair[1].0 > pair[0].0 + 1);
    if let Some([(before, _), (after, _)]) = gap {
        log::warn!("there are no pictures between numbers {before} and {after}: {}", path.display());
    }
}

/// A name with its numbers made equally long, so that 10 comes after 9.
fn in_order(name: &str) -> String {
    let mut ordered = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let end = rest[start..]
            .find(|letter: char| !letter.is_ascii_digit())
            .map_or(rest.len(), |length| start + length);
        ordered.push_str(&rest[..start]);
        ordered.push_str(&format!("{:0>20}", &rest[start..end]));
        rest = &rest[end..];
    }
    ordered + rest
}

/// Writes pictures under numbers from 1 on, each under its name only when it is whole.
#[derive(Debug)]
pub struct PictureSequence {
    pattern: Pattern,
    /// Where a constant rate is asked for.
    clock: Option<ConstantClock>,
    written: u64,
    bytes: u64,
    /// Whether the folder was made for it.
    made_folder: bool,
}

impl PictureSequence {
    /// For a path with a number's place in its name, `frames/%05d.png`, or a folder's that ends in a separator, in which the
    /// names are `000001.png` and so on; `None` where it is neither, or a video's name.
    pub fn of(path: &Path) -> Option<Self> {
        let names_folder = path.to_string_lossy().ends_with(std::path::is_separator);
        let path = if names_folder { path.join(NAME_IN_FOLDER) } else { path.to_owned() };
        let pattern = Pattern::of(&path).filter(|_| Container::of(&path).is_none())?;
        Some(Self { pattern, clock: None, written: 0, bytes: 0, made_folder: false })
    }

    /// Puts the pictures at equal distances, as [`crate::EncodeOptions::constant_frame_rate`] does; else there is one a frame.
    #[must_use]
    pub fn at_rate(mut self, rate: Option<Rational>) -> Self {
        self.clock = rate.map(ConstantClock::new);
        self
    }

    /// Whether one of the pictures that a path names has a name of this sequence.
    pub fn would_replace(&self, input: &Path) -> bool {
        let pictures = match pictures(input) {
            Ok(Some(pictures)) => pictures,
            _ => vec![input.to_owned()],
        };
        let own: HashSet<PathBuf> =
            self.pattern.pictures().into_iter().filter_map(|(_, path)| path.canonicalize().ok()).collect();
        pictures.iter().any(|picture| picture.canonicalize().is_ok_and(|picture| own.contains(&picture)))
    }

    /// Checks that pictures of this kind are written; what the kind is called.
    ///
    /// # Errors
    /// The ending is another than .png or .jpg.
    pub fn kind(&self) -> Result<&'static str> {
        Kind::of(&self.path(1)).map(|kind| kind.name())
    }

    /// A picture with a name of this sequence that is there already.
    pub fn existing(&self) -> Option<PathBuf> {
        self.pattern.pictures().into_iter().next().map(|(_, picture)| picture)
    }

    /// The name of a picture.
    pub fn path(&self, number: u64) -> PathBuf {
        self.pattern.path(number)
    }

    /// How many are written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How long they are together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes a frame: the next picture, and where a constant rate is asked for the one before again, or nothing. The first
    /// one makes the folder, where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or a picture cannot be written.
    pub fn write(&mut self, frame: &Frame) -> Result<()> {
        self.write_unless(frame, &|| false).map(drop)
    }

    /// As [`Self::write`]. A gap in time is filled with many pictures where it is long: `is_cancelled` is asked now and then,
    /// and where it says yes the frame is left out, and with false nothing more is to be called.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_unless(&mut self, frame: &Frame, is_cancelled: &dyn Fn() -> bool) -> Result<bool> {
        if self.written == 0 {
            let folder = &self.pattern.folder;
            self.made_folder |= *folder != Path::new("") && !folder.exists();
            fs::create_dir_all(folder)
                .map_err(|source| MediaError::OutputNotWritable { path: folder.clone(), source })?;
        }
        let written = self.write_next(frame, is_cancelled);
        if written.is_err() && self.written == 0 && self.made_folder {
            // It only goes if it is empty.
            let _removed_or_not = fs::remove_dir(&self.pattern.folder);
        }
        written
    }

    fn write_next(&mut self, frame: &Frame, is_cancelled: &dyn Fn() -> bool) -> Result<bool> {
        if let Some(clock) = &mut self.clock {
            let Some((repeats, _)) = clock.place(frame.timestamp, frame.duration_ticks) else {
                return Ok(true);
            };
            if !self.repeat(repeats.count(), is_cancelled)? {
                return Ok(false);
            }
        }
        self.bytes += still::write(&self.path(self.written + 1), frame)?;
        self.written += 1;
        Ok(true)
    }

    /// Shows the last picture for as long as it is to be seen. Pictures that were there before under higher numbers stay, and
    /// are told, since they would be taken for the rest of these.
    ///
    /// # Errors
    /// A picture cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        let rest = self.clock.as_ref().map_or(0, |clock| clock.rest().count());
        self.repeat(rest, &|| false)?;
        let mut others = self.pattern.pictures().into_iter().filter(|(number, _)| *number > self.written);
        if let Some((_, first)) = others.next() {
            let count = 1 + others.count();
            log::warn!(
                "{count} pictures that were there before stay behind the new ones, from {} on",
                first.display()
            );
        }
        Ok(())
    }

    /// Writes the last picture again. False where it was cancelled on the way.
    fn repeat(&mut self, times: usize, is_cancelled: &dyn Fn() -> bool) -> Result<bool> {
        for index in 0..times {
            if index % LONG_GAP == LONG_GAP - 1 && is_cancelled() {
                return Ok(false);
            }
            let path = self.path(self.written + 1);
            let file = PartialFile::create(&path)?;
            fs::copy(self.path(self.written), file.path())
                .map_err(|source| MediaError::Drive { path, source })?;
            self.bytes += file.keep()?;
            self.written += 1;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_numbers_names_and_reads_them_back() {
        let pattern = Pattern::of(Path::new("frames/shot-%04d.png")).unwrap();
        assert_eq!(pattern.path(7), Path::new("frames/shot-0007.png"));
        assert_eq!(pattern.path(12_345), Path::new("frames/shot-12345.png"));
        let number = |name| pattern.number(name);
        assert_eq!((number("shot-0007.png"), number("shot-12345.png")), (Some(7), Some(12_345)));
        for name in ["shot-7.png", "shot-00007.png", "shot-000x.png", "shot-.png", "other-0007.png"] {
            assert_eq!(number(name), None, "{name}");
        }
        for path in ["100%.png", "%x.png", "a.png", "%999d.png"] {
            assert_eq!(Pattern::of(Path::new(path)), None, "{path}");
        }
        assert_eq!(PictureSequence::of(Path::new("out/")).unwrap().path(3), Path::new("out/000003.png"));
        for video in ["out.mp4", "100%done.mp4"] {
            assert!(PictureSequence::of(Path::new(video)).is_none(), "{video}");
        }
    }

    #[test]
    fn a_sequence_is_found_by_pattern_folder_and_first_picture() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for name in ["a9.png", "a10.png", "a12.png", "a8.jpg", "words.txt"] {
            fs::write(here.join(name), "").unwrap();
        }
        let found = |name: &str| {
            let names = pictures(&here.join(name)).unwrap()?.into_iter();
            Some(names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>())
        };
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(found("a%d.png"), names(&["a9.png", "a10.png", "a12.png"]));
        assert_eq!(found("a9.png"), names(&["a9.png", "a10.png", "a12.png"]));
        assert_eq!(found(""), names(&["a8.jpg", "a9.png", "a10.png", "a12.png"]));
        // Nothing follows these.
        assert_eq!((found("a10.png"), found("a8.jpg"), found("words.txt")), (None, None, None));
        assert!(matches!(pictures(&here.join("b%d.png")), Err(MediaError::NoSequence { .. })));
    }
}
