//! Styles that are ready to paint and not shown: changing to one of them takes no loading.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use pastiche_inference::PlacedStyle;

use super::EngineOptions;

/// A style that is ready to paint.
pub(super) struct ReadyStyle {
    pub(super) key: StyleKey,
    pub(super) name: String,
    pub(super) placed: PlacedStyle,
}

/// What makes a ready style the one that is asked for: a file as it was then, and what it was made ready for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StyleKey {
    path: PathBuf,
    modified: Option<SystemTime>,
    bytes: u64,
    pub(super) engine: EngineOptions,
}

impl StyleKey {
    /// For the file as it is now.
    pub(super) fn now(path: &Path, engine: EngineOptions) -> Self {
        let metadata = fs::metadata(path).ok();
        Self {
            path: path.to_owned(),
            modified: metadata.as_ref().and_then(|metadata| metadata.modified().ok()),
            bytes: metadata.map_or(0, |metadata| metadata.len()),
            engine,
        }
    }

    /// The style's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Ready styles up to a number of bytes; those that were not shown for the longest time go first.
pub(super) struct Shelf {
    max_bytes: u64,
    styles: VecDeque<ReadyStyle>,
}

impl Shelf {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, styles: VecDeque::new() }
    }

    /// Takes a style off the shelf, where it is there.
    pub(super) fn take(&mut self, key: &StyleKey) -> Option<ReadyStyle> {
        let index = self.styles.iter().position(|style| style.key == *key)?;
        self.styles.remove(index)
    }

    /// Puts a style on the shelf that was shown until now.
    pub(super) fn put(&mut self, style: ReadyStyle) {
        self.styles.retain(|known| known.key.path != style.key.path);
        self.styles.push_back(style);
        while self.bytes() > self.max_bytes {
            self.styles.pop_front();
        }
    }

    /// Puts a style there that may be asked for, before those that were shown and only where none of them has to go.
    pub(super) fn add(&mut self, style: ReadyStyle) {
        if self.bytes() + style.placed.weight_bytes() <= self.max_bytes {
            self.styles.push_front(style);
        }
    }

    pub(super) fn holds(&self, key: &StyleKey) -> bool {
        self.styles.iter().any(|style| style.key == *key)
    }

    fn bytes(&self) -> u64 {
        self.styles.iter().map(|style| style.placed.weight_bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use pastiche_inference::{ComputeDevice, DeviceChoice, Precision, Style};

    use super::*;

    fn ready(name: &str) -> ReadyStyle {
        let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
        let placed = PlacedStyle::new(&Style::random("swift").unwrap(), &device, Precision::F32).unwrap();
        ReadyStyle { key: key(name), name: name.to_owned(), placed }
    }

    fn key(name: &str) -> StyleKey {
        StyleKey::now(Path::new(name), EngineOptions::default())
    }

    #[test]
    fn the_styles_shown_last_stay_and_memory_is_bounded() {
        let bytes = ready("a").placed.weight_bytes();
        let mut shelf = Shelf::new(2 * bytes + bytes / 2);
        ["a", "b", "a", "c"].into_iter().for_each(|name| shelf.put(ready(name)));
        let held = |shelf: &Shelf| ["a", "b", "c", "d"].map(|name| shelf.holds(&key(name)));
        assert_eq!(held(&shelf), [true, false, true, false]);
        shelf.add(ready("d"));
        assert_eq!(held(&shelf), [true, false, true, false], "nothing shown goes for what may be shown");
        assert_eq!(shelf.take(&key("a")).unwrap().name, "a");
        shelf.add(ready("d"));
        shelf.put(ready("a"));
        assert_eq!(held(&shelf), [true, false, true, false], "what may be shown goes first");
        assert!(shelf.take(&key("b")).is_none());
    }

    #[test]
    fn a_file_that_has_changed_is_another_style() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("style.safetensors");
        fs::write(&path, "before").unwrap();
        let before = StyleKey::now(&path, EngineOptions::default());
        assert_eq!(StyleKey::now(&path, EngineOptions::default()), before);
        fs::write(&path, "and after").unwrap();
        assert_ne!(StyleKey::now(&path, EngineOptions::default()), before);
    }
}
