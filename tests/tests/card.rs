//! The program with the fake card's library in place of the engine for CUDA cards: found, refused, and lost on the way.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use pastiche_e2e::{Clip, Run, decode, json, program, write_clip, write_photo, write_style};

const CLIP: Clip = Clip { width: 64, height: 48, frames: 12, frames_per_second: 12 };

/// The library; cargo builds it beside the folder that this test's executable is in.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let name = format!("{}fake_card{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let built = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is missing; cargo build --workspace --examples", built.display());
    built
}

fn run_with(library: &Path, card: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(program());
    command.args(arguments).env("PASTICHE_CUDA_LIBRARY", library).env("FAKE_CARD", card);
    command.output().unwrap().into()
}

fn run(card: &str, arguments: &[&str]) -> Run {
    run_with(&library(), card, arguments)
}

/// A folder with a clip and a style, and the arguments to restyle that clip.
struct Job {
    folder: tempfile::TempDir,
}

impl Job {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_clip(&folder.path().join("in.mp4"), CLIP);
        write_style(&folder.path().join("style.safetensors"));
        Self { folder }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, card: &str, output: &str, more: &[&str]) -> Run {
        let (input, output, style) = (self.at("in.mp4"), self.at(output), self.at("style.safetensors"));
        let arguments = ["video", &input, "-o", &output, "--style", &style, "--progress", "json"];
        run(card, &[&arguments, more].concat())
    }
}

#[test]
fn the_device_decides_between_networks_of_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let styles = folder.path().join("pastiche/styles");
    fs::create_dir_all(&styles).unwrap();
    let swift = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/scream.swift.safetensors");
    fs::copy(swift, styles.join("night.swift.safetensors")).unwrap();
    write_style(&styles.join("night.transformer_net.safetensors"));
    let photo = folder.path().join("photo.png");
    write_photo(&photo, 64, 48);
    for (card, more, told) in [
        ("", &[][..], "night (transformer_net) on cuda"),
        ("", &["--device", "cpu"], "night (swift) on cpu"),
        ("capability=7.0", &[], "night (swift) on cpu"),
        ("", &["--device", "cpu", "--architecture", "transformer_net"], "night (transformer_net) on cpu"),
    ] {
        let out = folder.path().join("out.png");
        let mut command = Command::new(program());
        command
            .env("PASTICHE_CUDA_LIBRARY", library())
            .env("FAKE_CARD", card)
            .env("XDG_DATA_HOME", folder.path());
        command.arg("image").arg(&photo).arg("-o").arg(&out).args(["-y", "--style", "night"]).args(more);
        let run = Run::from(command.output().unwrap()).done();
        assert!(run.err.contains(told), "{card} {more:?}: {}", run.err);
    }
}

fn last_line(run: &Run) -> serde_json::Value {
    serde_json::from_str(run.out.lines().last().unwrap()).unwrap()
}

#[test]
fn a_card_is_listed_with_memory_and_driver() {
    let devices = json(&run("memory=8000000000", &["devices", "--json"]).done());
    let card = &devices["compute"][1];
    assert_eq!((&card["id"], &card["name"]), (&"cuda:0".into(), &"Fake card".into()));
    assert_eq!((&card["memory_bytes"], &card["driver"]), (&8_000_000_000_u64.into(), &"13.0".into()));
    assert_eq!(card["precisions"], serde_json::json!(["f16", "f32"]));
    let lines = run("memory=8000000000", &["devices"]).done().out;
    assert!(lines.contains("Fake card (f16, f32; 8.0 GB, CUDA 13.0)"), "{lines}");
    let old = run("capability=6.1", &["devices"]).done().out;
    assert!(old.contains("not usable: Fake card is too old: it has compute capability 6.1"), "{old}");
}

#[test]
fn a_video_is_restyled_on_the_card_as_on_the_processor() {
    let job = Job::new();
    let by_card = job.run("", "card.mp4", &[]).done();
    assert!(by_card.err.contains("on cuda:0: Fake card; f16"), "{}", by_card.err);
    assert_eq!(last_line(&by_card)["device"], "cuda:0");
    let by_processor = job.run("", "cpu.mp4", &["--device", "cpu", "--precision", "f32"]).done();
    assert_eq!(last_line(&by_processor)["device"], "cpu");
    assert!(fs::read(job.at("card.mp4")).unwrap() == fs::read(job.at("cpu.mp4")).unwrap());
}

#[test]
fn a_card_lost_on_the_way_is_told_and_costs_no_frame() {
    let job = Job::new();
    let run = job.run("lost-after=5", "out.mp4", &[]).done();
    let warnings: Vec<&str> = run.err.lines().filter(|line| line.starts_with("warn")).collect();
    let [warning] = warnings[..] else { panic!("not one warning: {}", run.err) };
    assert!(warning.contains("cuda:0 (Fake card) is not used any more: it was lost"), "{warning}");
    assert!(warning.ends_with("the processor goes on"), "{warning}");
    assert_eq!(last_line(&run)["device"], "cpu");
    assert_eq!(decode(job.at("out.mp4").as_ref()).times.len(), CLIP.frames as usize);

    let by_name = job.run("lost-after=5", "none.mp4", &["--device", "cuda"]);
    assert!(by_name.error(1).contains("cuda:0 cannot go on: it was lost"), "{}", by_name.err);
    assert!(!Path::new(&job.at("none.mp4")).exists());
}

#[test]
fn a_job_in_parts_is_done_on_the_card_and_goes_on_without_it() {
    let job = Job::new();
    let frames = 260;
    write_clip(job.at("in.mp4").as_ref(), Clip { frames, ..CLIP });
    let by_card = job.run("", "card.mp4", &["--resume"]).done();
    assert_eq!(last_line(&by_card)["device"], "cuda:0");
    // Lost in the second part.
    let lost = job.run("lost-after=255", "lost.mp4", &["--resume"]).done();
    assert!(lost.err.contains("the processor goes on"), "{}", lost.err);
    assert_eq!(last_line(&lost)["device"], "cpu");
    for name in ["card.mp4", "lost.mp4"] {
        assert_eq!(decode(job.at(name).as_ref()).times.len(), frames as usize, "{name}");
    }
}

#[test]
fn a_crash_in_the_engine_for_cards_is_an_error_like_others() {
    let job = Job::new();
    let run = job.run("crashes", "out.mp4", &[]).done();
    assert!(run.err.contains("a crash as asked for"), "{}", run.err);
    assert_eq!(last_line(&run)["device"], "cpu");
    assert!(
        job.run("crashes", "none.mp4", &["--device", "cuda"]).error(1).contains("a defect in the program")
    );
}

#[test]
fn too_little_memory_is_told_with_what_fits() {
    let job = Job::new();
    let tight = job.run("memory=200000", "out.mp4", &["--device", "cuda"]);
    assert!(tight.error(1).contains("cuda:0"), "{}", tight.err);
    assert!(tight.err.contains("memory"), "{}", tight.err);
    assert!(job.run("memory=200000", "out.mp4", &[]).done().err.contains("the processor goes on"));
}

#[test]
fn a_live_session_goes_on_without_the_card() {
    let job = Job::new();
    let (clip, style) = (job.at("in.mp4"), job.at("style.safetensors"));
    let arguments = ["live", &clip, "--style", &style, "--headless", "--seconds", "3"];
    let run = run("lost-after=5", &arguments).done();
    assert!(run.err.contains("warning: cuda:0 (Fake card) is not used any more"), "{}", run.err);
    let measured = json(&run);
    assert_eq!(measured["device"], "cpu");
    assert!(measured["frames"].as_u64().unwrap() > 6, "{measured}");
}

#[test]
fn a_photograph_is_painted_on_the_card_too() {
    let job = Job::new();
    let (photo, style) = (job.at("photo.png"), job.at("style.safetensors"));
    write_photo(photo.as_ref(), 50, 40);
    let arguments = |output: &'static str| {
        [photo.clone(), "-o".to_owned(), job.at(output), "--style".to_owned(), style.clone()]
    };
    let image = |card: &str, output: &'static str, more: &[&str]| {
        let arguments = arguments(output);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(card, &[&["image"], &arguments[..], more].concat()).done()
    };
    image("", "card.png", &["--device", "cuda"]);
    image("", "cpu.png", &["--device", "cpu", "--precision", "f32"]);
    let lost = image("lost-after=0", "lost.png", &["--precision", "f32"]);
    assert!(lost.err.contains("it was lost"), "{}", lost.err);
    let made = ["card.png", "cpu.png", "lost.png"].map(|name| fs::read(job.at(name)).unwrap());
    assert!(made[0] == made[1] && made[1] == made[2]);
}

#[test]
fn libraries_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |library: &Path, device: &str| {
        let arguments =
            ["bench", "--random-weights", "swift", "--size", "32x32", "--frames", "3", "--device"];
        run_with(library, "", &[&arguments[..], &[device]].concat())
    };
    let missing = folder.path().join("missing.so");
    let refused = bench(&missing, "cuda");
    assert!(refused.error(1).contains("PASTICHE_CUDA_LIBRARY names no file"), "{}", refused.err);
    let warned = bench(&missing, "auto").done();
    assert!(warned.err.contains("PASTICHE_CUDA_LIBRARY names no file"), "{}", warned.err);

    let damaged = folder.path().join("damaged.so");
    fs::write(&damaged, "no library").unwrap();
    assert!(bench(&damaged, "cuda").error(1).contains("does not load"));

    // One whose version is another: the number of ours is the first of its table.
    let other = compiled(
        folder.path(),
        "const unsigned table[64] = {999}; const void *pastiche_cards(void) { return table; }",
    );
    let refused = bench(&other, "cuda");
    assert!(refused.error(1).contains("another version of the program (999, not "), "{}", refused.err);

    let empty = compiled(folder.path(), "int nothing;");
    let refused = bench(&empty, "cuda");
    assert!(refused.error(1).contains("built without CUDA"), "{}", refused.err);
    let quiet = bench(&empty, "auto").done();
    assert!(!quiet.err.contains("warn"), "{}", quiet.err);
}

/// A library made of C.
fn compiled(folder: &Path, source: &str) -> PathBuf {
    let name = format!("{}.so", source.len());
    let (from, to) = (folder.join(&name).with_extension("c"), folder.join(&name));
    fs::write(&from, source).unwrap();
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&to, &from]).status();
    assert!(status.unwrap().success());
    to
}
