//! A small network that learns from a large one, as small as both can be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use candle_core::{DType, Device};
use pastiche_nn::{
    Network, WeightsFile,
    networks::{self, SwiftSize},
    weights,
};
use pastiche_train::{
    distillation::{DistillationConfig, DistillationJob, DistillationStep, distil},
    photos::PhotoFolder,
    run::Ending,
};
use serde_json::Value;
use support::{Workshop, failure, refusal};

fn config(steps: u64) -> DistillationConfig {
    let usual = DistillationConfig::default();
    DistillationConfig { width: Some(12), blocks: Some(1), steps, crop: 48, learning_rate: 1e-2, ..usual }
}

/// A network of random weights, written once.
fn teacher(workshop: &Workshop) -> PathBuf {
    let path = workshop.path("teacher.safetensors");
    if path.exists() {
        return path;
    }
    let network =
        Network::random(networks::swift(SwiftSize { width: 6, blocks: 1 }), 5, &Device::Cpu).unwrap();
    weights::save(&network, &HashMap::new(), DType::F32, &path).unwrap();
    path
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
    for (more, part) in [
        (["--crop", "50"], "a multiple of 4"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["--shift", "99"], "--shift is 99"),
    ] {
        let said = refusal(program(&workshop, "teacher.safetensors", &more), 2);
        assert!(said.contains(part), "{said}");
    }
    assert!(!workshop.path("small.safetensors").exists());
}
