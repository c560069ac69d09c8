//! Where the settings are kept.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::settings::Settings;

const NAME: &str = "window.json";

fn path() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "pastiche").map(|dirs| dirs.config_dir().join(NAME))
}

/// The settings of the last time; the usual ones at the first, and where the file makes no sense.
pub(crate) fn load() -> Settings {
    path().map_or_else(Settings::default, |path| load_from(&path))
}

fn load_from(path: &Path) -> Settings {
    let read = || Ok::<Settings, anyhow::Error>(serde_json::from_str(&fs::read_to_string(path)?)?);
    match read() {
        Ok(settings) => settings.in_range(),
        Err(error) => {
            if path.exists() {
                log::warn!(
                    "the window's settings cannot be read ({error}), starting afresh: {}",
                    path.display()
                );
            }
            Settings::default()
        }
    }
}

/// Writes the settings; whoever reads meanwhile sees the old ones or the new.
///
/// # Errors
/// There is no place for them, or it cannot be written.
pub(crate) fn save(settings: &Settings) -> Result<()> {
    let path = path().context("there is no folder for settings on this system")?;
    let text = serde_json::to_string_pretty(settings)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| write_whole(&path, text.as_bytes()))
        .with_context(|| format!("the settings cannot be written to {}", path.display()))
}

/// Writes a file that is there as a whole or not at all.
pub(crate) fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().inspect_err(|_| {
        // What is left of it is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&part);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(write_whole(&folder.path().join("missing/settings.json"), b"").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn settings_that_make_no_sense_are_the_usual_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        assert_eq!(load_from(&path), Settings::default());
        fs::write(&path, "{").unwrap();
        assert_eq!(load_from(&path), Settings::default());
        fs::write(&path, r#"{"strength": 0.25}"#).unwrap();
        assert_eq!(load_from(&path).strength, 0.25);
    }
}
