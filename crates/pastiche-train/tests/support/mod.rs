//! Small photographs, paintings and loss networks, and the program that trains on them.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    collections::{BTreeMap, HashMap},
    env,
    io::{Write, stderr},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use candle_core::{DType, Device};
use image::{Rgb, RgbImage};
use pastiche_nn::{
    Network, PadMode, WeightsFile,
    networks::{self, LossNetInput, VggNaming},
    weights,
};
use pastiche_train::run::{RunFolder, RunOptions};

/// A file of the shared test assets; says visibly that the test skips, and gives nothing, where it is absent.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let root = env::var_os("PASTICHE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(file);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`, which is kept back where the test passes.
    let _ =
        writeln!(stderr(), "SKIPPED: no {file} (set PASTICHE_SHARED to the folder of shared test assets)");
    None
}

/// A folder with everything that a training needs, all of it small.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let workshop = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(workshop.path("photos")).unwrap();
        for index in 0..8 {
            picture(112, 96, index).save(workshop.path(&format!("photos/{index}.png"))).unwrap();
        }
        picture(64, 72, 99).save(workshop.path("painting.png")).unwrap();
        loss_net(&workshop.path("vgg.safetensors"), "relu2_2", VggNaming::Blocks, &[("input", "caffe")]);
        workshop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `pastiche-train style`, on two threads, with a network and losses that the loss network suffices for. Options in
    /// `more` take the place of the usual ones.
    pub(crate) fn style(&self, output: &str, more: &[&str]) -> Command {
        const USUAL: [(&str, &str); 11] = [
            ("--photos", "photos"),
            ("--loss-net", "vgg.safetensors"),
            ("--width", "6"),
            ("--crop", "96"),
            ("--style-size", "64"),
            ("--style-layers", "relu1_2,relu2_2"),
            ("--content-layers", "relu2_2"),
            ("--device", "cpu"),
            ("--threads", "2"),
            ("--log-every", "1"),
            ("--sample-every", "100"),
        ];
        let mut command = self.program();
        command.args(["style", "painting.png", "-o", output]).args(more);
        for (option, value) in USUAL {
            if !more.contains(&option) {
                command.args([option, value]);
            }
        }
        command
    }

    /// Where a training goes whose file has this name, without checkpoints or samples on the way.
    pub(crate) fn options(&self, name: &str, resume: bool) -> RunOptions {
        let output = self.path(name);
        RunOptions {
            run: RunFolder::beside(&output),
            output,
            resume,
            replace: false,
            checkpoint_every: 1000,
            sample_every: 1000,
            about: HashMap::new(),
        }
    }

    /// The weights in a file, by their names.
    pub(crate) fn weights(&self, name: &str) -> BTreeMap<String, Vec<f32>> {
        let file = WeightsFile::open(&self.path(name)).unwrap();
        let values = |name: &String| {
            file.tensor(name, &Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        file.names().into_iter().map(|name| (name.clone(), values(&name))).collect()
    }

    /// The program, in the workshop's folder.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pastiche-train"));
        command.current_dir(self.folder.path());
        command
    }
}

/// A picture of waves that differ with `kind`.
pub(crate) fn picture(width: u32, height: u32, kind: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |frequency: f32, phase: u32| {
            let angle = (x as f32 * frequency + y as f32 * (0.4 - frequency)) + (kind + phase) as f32;
            (127.5 + 120.0 * angle.sin()) as u8
        };
        Rgb([wave(0.05, 0), wave(0.11, kind), wave(0.31, 7)])
    })
}

/// Writes a VGG-19 of random weights, cut after `last`, with metadata.
pub(crate) fn loss_net(path: &Path, last: &str, naming: VggNaming, metadata: &[(&str, &str)]) {
    let description = networks::vgg19(last, naming, LossNetInput::Caffe, PadMode::Zero).unwrap();
    let network = Network::random(description, 1, &Device::Cpu).unwrap();
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    weights::save(&network, &metadata, DType::F32, path).unwrap();
}

/// What a program said on standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The line that tells why a program failed, which it must have.
pub(crate) fn failure(command: Command) -> String {
    refusal(command, 1)
}

/// The line that tells why a program ended with `code`.
pub(crate) fn refusal(mut command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "one line tells the error: {said}");
    errors[0].to_owned()
}
