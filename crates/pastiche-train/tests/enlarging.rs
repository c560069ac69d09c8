//! Networks that enlarge, trained and measured: as small as they can be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::HashMap,
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use candle_core::Device;
use pastiche_nn::WeightsFile;
use pastiche_train::{
    photos::PhotoFolder,
    run::{Ending, RunOptions},
    super_resolution::{EnlargingConfig, EnlargingJob, EnlargingStep, train},
};
use serde_json::Value;
use support::{Workshop, failure, refusal, said};

fn config(steps: u64) -> EnlargingConfig {
    EnlargingConfig { width: Some(8), steps, batch: 2, patch: 48, ..EnlargingConfig::default() }
}

/// Trains until all steps are done, or `stop` of them.
fn trained(
    workshop: &Workshop,
    name: &str,
    steps: u64,
    stop: u64,
    resume: bool,
) -> (Ending, Vec<EnlargingStep>) {
    let job = EnlargingJob {
        config: config(steps).validate().unwrap(),
        from: None,
        photos: PhotoFolder::open(&workshop.path("photos")).unwrap(),
        features: None,
        device: Device::Cpu,
        options: RunOptions {
            about: HashMap::from([("pastiche.name".to_owned(), "Test".to_owned())]),
            ..workshop.options(name, resume)
        },
    };
    let (cancel, mut reports) = (AtomicBool::new(false), Vec::new());
    let ending = train(job, &cancel, &mut |step| {
        reports.push(*step);
        cancel.store(step.step == stop, Ordering::Relaxed);
    });
    (ending.unwrap(), reports)
}

#[test]
fn a_training_gets_better_and_one_that_goes_on_ends_where_a_straight_one_does() {
    let workshop = Workshop::new();
    let (ending, straight) = trained(&workshop, "straight.safetensors", 40, 40, false);
    assert_eq!((ending, straight.len()), (Ending::Finished, 40));
    let gain = |steps: &[EnlargingStep]| -> f32 {
        steps.iter().map(|step| step.psnr - step.bicubic_psnr).sum::<f32>() / steps.len() as f32
    };
    let (first, last) = (gain(&straight[..5]), gain(&straight[35..]));
    assert!(last > first + 1.0, "{first:.2} dB over bicubic at first, {last:.2} in the end");

    let (ending, before) = trained(&workshop, "broken.safetensors", 40, 15, false);
    assert_eq!((ending, before.len()), (Ending::Interrupted { steps: 15 }, 15));
    assert!(!workshop.path("broken.safetensors").exists());
    let (ending, after) = trained(&workshop, "broken.safetensors", 40, 40, true);
    assert_eq!((ending, after.len()), (Ending::Finished, 25));
    let losses = |steps: &[EnlargingStep]| steps.iter().map(|step| step.loss).collect::<Vec<f32>>();
    assert_eq!(losses(&straight), [losses(&before), losses(&after)].concat());
    assert!(workshop.weights("straight.safetensors") == workshop.weights("broken.safetensors"));

    let file = WeightsFile::open(&workshop.path("straight.safetensors")).unwrap();
    assert_eq!(file.metadata("pastiche.architecture"), Some("super_res_x4"));
    assert_eq!(file.metadata("pastiche.name"), Some("Test"));
    let told: Value = serde_json::from_str(file.metadata("pastiche.trained_with").unwrap()).unwrap();
    assert_eq!((&told["steps_done"], &told["recipe"]["base"]), (&40.into(), &"bicubic".into()));
    let report = fs::read_to_string(workshop.path("straight.run/report.html")).unwrap();
    assert!(report.contains("Step 40 of 40") && report.contains("samples/step-0000040.png"));
}

fn super_resolution(workshop: &Workshop, output: &str, more: &[&str]) -> Command {
    let mut command = workshop.program();
    command.args(["super-resolution", "--photos", "photos", "-o", output, "--device", "cpu", "--steps", "3"]);
    command.args(["--batch", "1", "--log-every", "1"]).args(more);
    command
}

#[test]
fn every_network_and_loss_is_trained_and_measured_by_the_program() {
    let workshop = Workshop::new();
    for (output, more) in [
        ("pixel.safetensors", &["--patch", "32", "--width", "4"][..]),
        ("srcnn.safetensors", &["--patch", "32", "--network", "srcnn"]),
        (
            "feature.safetensors",
            &["--patch", "32", "--width", "4", "--loss", "feature", "--loss-net", "vgg.safetensors"],
        ),
    ] {
        let run = super_resolution(&workshop, output, more).output().unwrap();
        assert!(run.status.success() && said(&run).contains("step 3 of 3"), "{}", said(&run));
    }
    let measures = ["evaluate", "--super-resolution", "photos", "--factor", "4", "--blur", "1", "--json"];
    let networks = ["--network", "pixel.safetensors", "srcnn.safetensors", "--match-histograms"];
    let grid = ["--grid", "grid.png", "--grid-rows", "2"];
    let run = workshop.program().args(measures).args(networks).args(grid).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert_eq!(names, ["bicubic", "pixel", "pixel, matched", "srcnn", "srcnn, matched"]);
    assert!(rows.iter().all(|row| row["psnr"].as_f64().unwrap() > 5.0), "{json}");
    assert_ne!(rows[1]["psnr"], rows[0]["psnr"], "the network says something");
    let grid = image::open(workshop.path("grid.png")).unwrap();
    assert_eq!((grid.width(), grid.height()), (6 * 246 - 6, 4 * 246 - 6));

    let other =
        ["evaluate", "--super-resolution", "photos", "--factor", "8", "--network", "pixel.safetensors"];
    let mut command = workshop.program();
    command.args(other);
    let error = refusal(command, 2);
    assert!(error.contains("--factor is 8") && error.contains("4, by which pixel enlarges"), "{error}");
    let mut command = workshop.program();
    command.args(["evaluate", "--super-resolution", "photos", "--network", "vgg.safetensors"]);
    let error = failure(command);
    assert!(error.contains("does not enlarge") && error.ends_with("vgg.safetensors"), "{error}");
}

#[test]
fn the_loss_of_features_starts_from_what_the_loss_of_pixels_has_learned() {
    let workshop = Workshop::new();
    let small = ["--patch", "32", "--width", "4"];
    let run = super_resolution(&workshop, "pixel.safetensors", &small).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
    // With steps that small it ends where it began.
    let feature = ["--loss", "feature", "--loss-net", "vgg.safetensors", "--learning-rate", "1e-9"];
    let from = ["--seed", "5", "--from", "pixel.safetensors"];
    let options = [&small[..], &feature, &from].concat();
    let run = super_resolution(&workshop, "feature.safetensors", &options).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
    let of = |name: &str| workshop.weights(name);
    for (was, is) in
        of("pixel.safetensors").values().flatten().zip(of("feature.safetensors").values().flatten())
    {
        assert!((was - is).abs() <= 1e-3 * was.abs() + 1e-5, "{was} {is}");
    }
    let chance = [&small[..], &feature, &from[..2]].concat();
    let run = super_resolution(&workshop, "chance.safetensors", &chance).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
    assert!(of("chance.safetensors") != of("feature.safetensors"), "the comparison can fail");

    // Going on from another file, or from chance, is another training.
    fs::remove_file(workshop.path("feature.safetensors")).unwrap();
    let without = [&options[..options.len() - 2], &["--resume"]].concat();
    let error = failure(super_resolution(&workshop, "feature.safetensors", &without));
    assert!(error.contains("from was"), "{error}");
    let wider = ["--patch", "32", "--width", "8", "--from", "pixel.safetensors"];
    let error = failure(super_resolution(&workshop, "wider.safetensors", &wider));
    assert!(error.contains("cannot be used") && error.contains("--width"), "{error}");
    let nowhere = ["--patch", "32", "--width", "8", "--from", "nowhere.safetensors"];
    let error = failure(super_resolution(&workshop, "wider.safetensors", &nowhere));
    assert!(error.contains("cannot be read") && error.contains("nowhere"), "{error}");
}

#[test]
fn photographs_smaller_than_a_patch_are_passed_over_and_none_large_enough_is_an_error() {
    let workshop = Workshop::new();
    // The workshop's are 112x96.
    let patches = ["--patch", "160", "--width", "2"];
    let error = failure(super_resolution(&workshop, "a.safetensors", &patches));
    assert!(error.contains("100 photographs in a row") && error.contains("too small"), "{error}");
    for name in ["large", "larger"] {
        support::picture(200, 160, 5).save(workshop.path(&format!("photos/{name}.png"))).unwrap();
    }
    let run = super_resolution(&workshop, "b.safetensors", &patches).output().unwrap();
    assert!(run.status.success(), "{}", said(&run));
}

#[test]
fn single_layers_are_shown_side_by_side_behind_the_picture() {
    let workshop = Workshop::new();
    for kind in ["--content-only", "--style-only"] {
        let mut command = workshop.program();
        command.args(["optimize", "photos/0.png", kind, "relu1_1,relu2_2", "-o", "layers.png", "-y"]);
        command.args([
            "--loss-net",
            "vgg.safetensors",
            "--iterations",
            "3",
            "--size",
            "48",
            "--device",
            "cpu",
        ]);
        let run = command.output().unwrap();
        assert!(run.status.success() && said(&run).contains("relu2_2 after 3 iterations"), "{}", said(&run));
        let sheet = image::open(workshop.path("layers.png")).unwrap();
        assert_eq!((sheet.width(), sheet.height()), (3 * 56, 48), "{kind}");
    }
    let mut command = workshop.program();
    command.args(["optimize", "photos/0.png", "-o", "layers.png"]);
    assert_eq!(command.output().unwrap().status.code(), Some(2), "neither a painting nor layers");
}
