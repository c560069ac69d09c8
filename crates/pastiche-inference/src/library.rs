//! The styles that are installed: those that came with the program, and the user's own.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pastiche_nn::{Architecture, WeightsFile};
use serde::Serialize;

use crate::{DeviceChoice, InferenceError, device, style::name_of};

/// One style as `pastiche styles` lists it. It may come as several networks, one an architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StyleEntry {
    /// What `--style` takes.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Who painted it, and who trained it.
    pub credit: Option<String>,
    /// Under what terms it may be used.
    pub license: Option<String>,
    /// The networks it comes as, the one taken by default first.
    pub architectures: Vec<String>,
    /// The default network's file.
    pub path: PathBuf,
    /// Whether it came with the program.
    pub bundled: bool,
    /// Size of the default network's file.
    pub bytes: u64,
    #[serde(skip)]
    files: Vec<(String, PathBuf)>,
}

/// All installed styles, by name.
#[derive(Debug, Clone)]
pub struct StyleLibrary {
    styles: Vec<StyleEntry>,
    /// What a style is taken as that comes as several networks, the first choice first.
    preferred: [Architecture; 4],
}

/// The one made for processors first.
const ON_A_PROCESSOR: [Architecture; 4] =
    [Architecture::Swift, Architecture::Lengstrom, Architecture::TransformerNet, Architecture::Johnson];
/// A card is quick enough for those that paint best.
const ON_A_CARD: [Architecture; 4] =
    [Architecture::TransformerNet, Architecture::Lengstrom, Architecture::Johnson, Architecture::Swift];

impl StyleLibrary {
    /// Looks in the user's folder and in the program's; of two networks with the same name the user's counts, and of two in
    /// one folder the one that suits the device. Files there that are no styles are left out with a warning.
    pub fn discover(device: DeviceChoice) -> Self {
        let mut library = Self::empty(device::is_card(device));
        if let Some(folder) = Self::user_folder() {
            library.add_folder(&folder, false);
        }
        for folder in bundled_folders() {
            library.add_folder(&folder, true);
        }
        library
    }

    fn empty(on_card: bool) -> Self {
        Self { styles: Vec::new(), preferred: if on_card { ON_A_CARD } else { ON_A_PROCESSOR } }
    }

    /// Where the user's own styles go.
    pub fn user_folder() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "pastiche").map(|dirs| dirs.data_dir().join("styles"))
    }

    /// Adds the styles in a folder, if it is there. A style that is known already gains the networks it lacks.
    pub fn add_folder(&mut self, folder: &Path, bundled: bool) {
        let Ok(files) = fs::read_dir(folder) else { return };
        let mut paths: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        paths.sort();
        let read = |path: &PathBuf| entry(path, bundled).map_err(|error| log::warn!("{error}")).ok();
        let mut entries: Vec<StyleEntry> = paths.iter().filter_map(read).collect();
        let rank = |entry: &StyleEntry| {
            let place = self.preferred.iter().position(|known| entry.architectures[0] == known.name());
            place.unwrap_or(self.preferred.len())
        };
        entries.sort_by_key(rank);
        entries.into_iter().for_each(|entry| self.add(entry));
        self.styles.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn add(&mut self, entry: StyleEntry) {
        let Some(known) = self.styles.iter_mut().find(|known| known.name == entry.name) else {
            self.styles.push(entry);
            return;
        };
        for (architecture, path) in entry.files {
            if !known.architectures.contains(&architecture) {
                known.architectures.push(architecture.clone());
                known.files.push((architecture, path));
            }
        }
    }

    /// The styles, sorted by name.
    pub fn styles(&self) -> &[StyleEntry] {
        &self.styles
    }

    /// The file of a style: `wanted` is a name (in any case), or the path of a file.
    ///
    /// # Errors
    /// No style has that name (with the nearest names), or not in that architecture, or no architecture has that name.
    pub fn find(&self, wanted: &str, architecture: Option<&str>) -> Result<PathBuf, InferenceError> {
        if let Some(name) = architecture.filter(|name| Architecture::from_name(name).is_none()) {
            return Err(InferenceError::unknown_architecture(name));
        }
        if let Some(style) = self.styles.iter().find(|style| style.name.eq_ignore_ascii_case(wanted)) {
            return style.file(architecture);
        }
        let path = Path::new(wanted);
        let looks_like_a_path = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"))
            || path.components().count() > 1;
        if looks_like_a_path || path.is_file() {
            return match architecture {
                None => Ok(path.to_owned()),
                Some(_) => entry(path, false)?.file(architecture),
            };
        }
        let (nearest, any) = (self.nearest(wanted), !self.styles.is_empty());
        Err(InferenceError::UnknownStyle { name: wanted.to_owned(), nearest, any })
    }

    /// Up to three names that `wanted` may have meant.
    fn nearest(&self, wanted: &str) -> Vec<String> {
        const ALIKE: f64 = 0.7;
        let wanted = wanted.to_lowercase();
        let likeness = |style: &StyleEntry| strsim::jaro_winkler(&wanted, &style.name.to_lowercase());
        let mut names: Vec<_> = self.styles.iter().map(|style| (likeness(style), &style.name)).collect();
        names.retain(|(likeness, _)| *likeness >= ALIKE);
        names.sort_by(|a, b| b.0.total_cmp(&a.0));
        names.into_iter().take(3).map(|(_, name)| name.clone()).collect()
    }
}

impl StyleEntry {
    /// What is known about the style in one file.
    ///
    /// # Errors
    /// The file cannot be read or is not a style that this version knows.
    pub fn read(path: &Path) -> Result<Self, InferenceError> {
        entry(path, false)
    }

    fn file(&self, architecture: Option<&str>) -> Result<PathBuf, InferenceError> {
        let Some(wanted) = architecture else { return Ok(self.path.clone()) };
        let found = self.files.iter().find(|(architecture, _)| architecture == wanted);
        found.map(|(_, path)| path.clone()).ok_or_else(|| InferenceError::MissingArchitecture {
            name: self.name.clone(),
            architecture: wanted.to_owned(),
            available: self.architectures.clone(),
        })
    }
}

/// `models` beside the program, in the `share` folder of its installation, or above it in a source tree.
pub(crate) fn bundled_folders() -> Vec<PathBuf> {
    let Some(program) = env::current_exe().ok().and_then(|path| path.canonicalize().ok()) else {
        return Vec::new();
    };
    let places = ["models", "../share/pastiche/models", "../../models"];
    let Some(folder) = program.parent() else { return Vec::new() };
    let candidates = places.into_iter().filter_map(|place| folder.join(place).canonicalize().ok());
    candidates.collect()
}

fn entry(path: &Path, bundled: bool) -> Result<StyleEntry, InferenceError> {
    let broken = |source| InferenceError::Style { path: path.to_owned(), source };
    let file = WeightsFile::open(path).map_err(broken)?;
    let architecture = Architecture::of_file(&file).map_err(broken)?.name().to_owned();
    let name = name_of(path);
    let metadata = |key| file.metadata(key).map(str::to_owned);
    Ok(StyleEntry {
        title: metadata("pastiche.name").unwrap_or_else(|| name.replace(['_', '-'], " ")),
        credit: metadata("pastiche.credit"),
        license: metadata("pastiche.license"),
        architectures: vec![architecture.clone()],
        path: path.to_owned(),
        bundled,
        bytes: file.len_bytes(),
        files: vec![(architecture, path.to_owned())],
        name,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{DType, Device};
    use pastiche_nn::{Network, networks, weights};

    use super::*;

    fn library(names: &[&str]) -> (tempfile::TempDir, StyleLibrary) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let architecture = name.split('.').nth(1).unwrap();
            let description = match architecture {
                "lengstrom" => networks::lengstrom(),
                "swift" => networks::swift(networks::SwiftSize { width: 6, blocks: 1 }),
                _ => networks::transformer_net(1),
            };
            let network = Network::random(description, 0, &Device::Cpu).unwrap();
            let metadata = HashMap::from([("pastiche.credit".to_owned(), "Nobody".to_owned())]);
            let path = folder.path().join(format!("{name}.safetensors"));
            weights::save(&network, &metadata, DType::F16, &path).unwrap();
        }
        let mut library = StyleLibrary::empty(false);
        library.add_folder(folder.path(), true);
        (folder, library)
    }

    #[test]
    fn a_folder_s_styles_are_listed_by_name_with_their_architectures() {
        let (folder, mut library) =
            library(&["wave.transformer_net", "wave.lengstrom", "udnie.transformer_net"]);
        fs::write(folder.path().join("broken.safetensors"), "not weights").unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        library.add_folder(folder.path(), true);
        let names: Vec<_> = library.styles().iter().map(|style| style.name.as_str()).collect();
        assert_eq!(names, ["udnie", "wave"]);
        let wave = &library.styles()[1];
        assert_eq!(wave.architectures, ["lengstrom", "transformer_net"]);
        assert_eq!(wave.credit.as_deref(), Some("Nobody"));
        assert_eq!(wave.bytes, fs::metadata(&wave.path).unwrap().len());
    }

    #[test]
    fn the_device_decides_between_networks_of_one_name() {
        let (folder, on_processor) = library(&["wave.swift", "wave.transformer_net", "wave.lengstrom"]);
        assert_eq!(on_processor.styles()[0].architectures, ["swift", "lengstrom", "transformer_net"]);
        let mut on_card = StyleLibrary::empty(true);
        on_card.add_folder(folder.path(), true);
        assert_eq!(on_card.styles()[0].architectures, ["transformer_net", "lengstrom", "swift"]);
        let found = |library: &StyleLibrary| library.find("wave", None).unwrap();
        assert_eq!(found(&on_processor), folder.path().join("wave.swift.safetensors"));
        assert_eq!(found(&on_card), folder.path().join("wave.transformer_net.safetensors"));
        assert_eq!(on_card.find("wave", Some("swift")).unwrap(), found(&on_processor));
    }

    #[test]
    fn the_first_folder_s_network_counts() {
        let (own, mut library) = library(&["wave.transformer_net"]);
        let (_bundled, more) = self::library(&["wave.transformer_net", "wave.lengstrom"]);
        library.add_folder(more.styles()[0].path.parent().unwrap(), true);
        let wave = &library.styles()[0];
        assert_eq!(wave.architectures, ["transformer_net", "lengstrom"]);
        assert_eq!(library.find("wave", None).unwrap().parent().unwrap(), own.path());
    }

    #[test]
    fn styles_are_found_by_name_architecture_or_path() {
        let (folder, library) = library(&["wave.transformer_net", "wave.lengstrom"]);
        let at = |file: &str| folder.path().join(file);
        assert_eq!(library.find("Wave", None).unwrap(), at("wave.lengstrom.safetensors"));
        assert_eq!(
            library.find("wave", Some("transformer_net")).unwrap(),
            at("wave.transformer_net.safetensors")
        );
        let unknown = library.find("wave", Some("oil_2030")).unwrap_err().to_string();
        assert!(unknown.contains("no architecture is called `oil_2030`"), "{unknown}");
        let path = at("wave.lengstrom.safetensors");
        let path_text = path.to_str().unwrap();
        assert_eq!(library.find(path_text, Some("lengstrom")).unwrap(), path);
        let missing = library.find(path_text, Some("transformer_net")).unwrap_err().to_string();
        assert!(missing.contains("has no `transformer_net` network; it has lengstrom"), "{missing}");
        let elsewhere = Path::new("some/where.safetensors");
        assert_eq!(library.find(&elsewhere.to_string_lossy(), None).unwrap(), elsewhere);
    }

    #[test]
    fn an_unknown_style_is_told_with_the_nearest_names() {
        let (_folder, library) = library(&["starry_night.transformer_net", "wave.transformer_net"]);
        let error = library.find("stary_nigth", None).unwrap_err().to_string();
        assert!(error.contains("did you mean starry_night?"), "{error}");
        let nothing_like_it = library.find("xyz", None).unwrap_err().to_string();
        assert!(nothing_like_it.contains("`pastiche styles` lists"), "{nothing_like_it}");
        let none_at_all = StyleLibrary::empty(false).find("wave", None).unwrap_err().to_string();
        assert!(none_at_all.contains("no styles are installed"), "{none_at_all}");
    }
}
