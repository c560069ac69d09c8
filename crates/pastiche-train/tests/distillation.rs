//! A small network that learns from a large one, as small as both can be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use candle_core::{DType, Device};
use pastiche_nn::{
    Network, NetworkDescription, WeightsFile,
    networks::{self, SwiftSize},
    weights,
};
use pastiche_train::{
    distillation::{DistillationConfig, DistillationJob, DistillationStep, distil},
    photos::PhotoFolder,
    run::Ending,
};
use serde_json::Value;
use support::{Workshop, failure, refusal, said};

fn config(steps: u64) -> DistillationConfig {
    let usual = DistillationConfig::default();
    DistillationConfig { width: Some(12), blocks: Some(1), steps, crop: 48, learning_rate: 1e-2, ..usual }
}

/// A swift network of random weights, written once.
fn teacher(workshop: &Workshop) -> PathBuf {
    let path = workshop.path("teacher.safetensors");
    if !path.exists() {
        write_random(networks::swift(SwiftSize { width: 6, blocks: 1 }), 5, &path);
    }
    path
}

fn write_random(description: NetworkDescription, seed: u64, path: &Path) {
    let network = Network::random(description, seed, &Device::Cpu).unwrap();
    weights::save(&network, &HashMap::new(), DType::F32, path).unwrap();
}

/// Distils until all steps are done, or `stop` of them.
fn distilled(
    workshop: &Workshop,
    name: &str,
    config: DistillationConfig,
    stop: u64,
    resume: bool,
) -> (Ending, Vec<DistillationStep>) {
    let job = DistillationJob {
        config: config.validate().unwrap(),
        teacher: teacher(workshop),
        from: None,
        photos: PhotoFolder::open(&workshop.path("photos")).unwrap(),
        device: Device::Cpu,
        options: workshop.options(name, resume),
    };
    let (cancel, mut reports) = (AtomicBool::new(false), Vec::new());
    let ending = distil(&job, &cancel, &mut |step| {
        reports.push(*step);
        cancel.store(step.step == stop, Ordering::Relaxed);
    });
    (ending.unwrap(), reports)
}

#[test]
fn the_pupil_comes_nearer_and_one_that_goes_on_ends_where_a_straight_one_does() {
    let workshop = Workshop::new();
    let (ending, straight) = distilled(&workshop, "straight.safetensors", config(120), 120, false);
    assert_eq!((ending, straight.len()), (Ending::Finished, 120));
    let distance =
        |steps: &[DistillationStep]| steps.iter().map(|step| step.distance).sum::<f32>() / steps.len() as f32;
    let (first, last) = (distance(&straight[..10]), distance(&straight[110..]));
    assert!(last < 0.5 * first, "from {first} to {last}");
    assert!(straight.iter().all(|step| (step.total - step.distance - step.stability).abs() < 1e-4));

    let (ending, before) = distilled(&workshop, "broken.safetensors", config(120), 30, false);
    assert_eq!((ending, before.len()), (Ending::Interrupted { steps: 30 }, 30));
    assert!(!workshop.path("broken.safetensors").exists());
    let (ending, after) = distilled(&workshop, "broken.safetensors", config(120), 120, true);
    assert_eq!((ending, after.len()), (Ending::Finished, 90));
    let [one, other] = ["straight.safetensors", "broken.safetensors"].map(|name| workshop.weights(name));
    assert!(one == other, "what was broken off ends elsewhere");
}

#[test]
fn steadiness_is_learned_only_where_it_counts() {
    let workshop = Workshop::new();
    let steps = |stability| {
        let config = DistillationConfig { stability, ..config(3) };
        distilled(&workshop, &format!("of-{stability}.safetensors"), config, 3, false).1
    };
    assert!(steps(0.0).iter().all(|step| step.stability == 0.0 && step.total == step.distance));
    assert!(steps(0.5).iter().all(|step| step.stability > 0.0));
}

/// `pastiche-train distil` in the workshop's folder.
fn program(workshop: &Workshop, teacher: &str, more: &[&str]) -> Command {
    let mut command = workshop.program();
    command.args(["distil", teacher, "--photos", "photos", "-o", "small.safetensors", "--device", "cpu"]);
    command.args(["--threads", "2", "--width", "6", "--blocks", "1", "--steps", "2"]).args(more);
    command
}

#[test]
fn the_program_makes_a_style_that_tells_what_it_learned_from() {
    let workshop = Workshop::new();
    let teacher = teacher(&workshop);
    let output = program(&workshop, "teacher.safetensors", &["--crop", "48"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let file = WeightsFile::open(&workshop.path("small.safetensors")).unwrap();
    assert_eq!(file.style_network(&Device::Cpu).unwrap().description().architecture, "swift");
    let told: Value = serde_json::from_str(file.metadata("pastiche.trained_with").unwrap()).unwrap();
    let recipe = &told["recipe"];
    assert_eq!((&told["steps_done"], &recipe["steps"]), (&2.into(), &2.into()));
    assert_eq!(recipe["teacher"], pastiche_train::sha256(&teacher).unwrap());
    assert_eq!(recipe.get("teacher_recipe"), None, "the teacher tells nothing");
    // Going on with it needs the same teacher.
    write_random(networks::swift(SwiftSize { width: 6, blocks: 1 }), 6, &teacher);
    let more = ["--crop", "48", "--resume"];
    let said = failure(program(&workshop, "teacher.safetensors", &more));
    assert!(said.contains("teacher was"), "{said}");
}

#[test]
fn a_distilled_style_is_measured_with_what_its_teacher_was_trained_with() {
    let workshop = Workshop::new();
    let trained =
        workshop.style("large.safetensors", &["--steps", "2", "--style-weight", "7"]).output().unwrap();
    assert!(trained.status.success(), "{}", said(&trained));
    let distilled = program(&workshop, "large.safetensors", &["--crop", "48"]).output().unwrap();
    assert!(distilled.status.success(), "{}", said(&distilled));
    let measure = |style: &str| {
        let mut command = workshop.program();
        command.args(["evaluate", style, "--painting", "painting.png", "--photos", "photos", "--count", "2"]);
        command.args([
            "--loss-net",
            "vgg.safetensors",
            "--device",
            "cpu",
            "--size",
            "64",
            "--iterations",
            "0",
            "--json",
        ]);
        let output = command.output().unwrap();
        assert!(output.status.success() && !said(&output).contains("usual ones"), "{}", said(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let [large, small] = ["large.safetensors", "small.safetensors"].map(measure);
    assert_eq!(large["content_image"], small["content_image"], "one yardstick for both");
    assert!(large["network"] != small["network"]);
}

#[test]
fn networks_with_batch_norms_teach_and_learn() {
    let workshop = Workshop::new();
    let johnson = workshop.path("johnson.safetensors");
    write_random(networks::johnson(3), 5, &johnson);
    let learned = program(&workshop, "johnson.safetensors", &["--crop", "48"]).output().unwrap();
    assert!(learned.status.success(), "{}", said(&learned));
    // Its borders are mirrored far: it has no room for samples that the pupil has room for.
    let said_of_room = refusal(program(&workshop, "johnson.safetensors", &["--crop", "36", "-y"]), 2);
    assert!(
        said_of_room.contains("--crop is 36") && said_of_room.contains("to learn from"),
        "{said_of_room}"
    );

    let mut pupil = workshop.program();
    pupil.args(["distil", "small.safetensors", "--photos", "photos", "-o", "pupil.safetensors"]);
    pupil.args([
        "--device",
        "cpu",
        "--architecture",
        "johnson",
        "--width",
        "3",
        "--steps",
        "2",
        "--crop",
        "48",
    ]);
    let output = pupil.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let file = WeightsFile::open(&workshop.path("pupil.safetensors")).unwrap();
    assert_eq!(file.style_network(&Device::Cpu).unwrap().description().architecture, "johnson");
}

#[test]
fn a_pupil_may_start_from_what_another_has_learned() {
    let workshop = Workshop::new();
    let style = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/scream.swift.safetensors");
    let mut command = workshop.program();
    command.args(["distil", style, "--from", style, "--photos", "photos", "-o", "same.safetensors"]);
    command.args(["--device", "cpu", "--steps", "1", "--crop", "64", "--stability-weight", "0"]);
    let output = command.output().unwrap();
    // But for what it paints outside of 0-255, which nobody sees.
    assert!(said(&output).contains("(distance 0.00"), "nothing is left to learn: {}", said(&output));
    let other = failure(program(&workshop, style, &["--crop", "48", "--from", style]));
    assert!(other.contains("to start from") && other.contains("scream.swift.safetensors"), "{other}");
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let workshop = Workshop::new();
    teacher(&workshop);
    fs::write(workshop.path("text.safetensors"), "no network").unwrap();
    for (name, part) in [("missing.safetensors", "No such file"), ("text.safetensors", "cannot be used")] {
        let said = failure(program(&workshop, name, &[]));
        assert!(said.contains(part) && said.contains(name), "{said}");
    }
    let said = failure(program(&workshop, "vgg.safetensors", &[]));
    assert!(said.contains("vgg.safetensors"), "a loss network is no teacher: {said}");
    let enlarging = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/upscalers/x4.safetensors");
    let said = failure(program(&workshop, enlarging, &[]));
    assert!(said.contains("enlarges"), "{said}");
    for (more, part) in [
        (["--crop", "50"], "a multiple of 4"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["--shift", "99"], "--shift is 99"),
    ] {
        let said = refusal(program(&workshop, "teacher.safetensors", &more), 2);
        assert!(said.contains(part), "{said}");
    }
    assert!(!workshop.path("small.safetensors").exists());
    fs::copy(workshop.path("teacher.safetensors"), workshop.path("small.safetensors")).unwrap();
    let said = refusal(program(&workshop, "small.safetensors", &["-y"]), 2);
    assert!(said.contains("would replace the style to learn from"), "{said}");
}
