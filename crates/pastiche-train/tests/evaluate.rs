//! The measures of a style, and the slow method, as a user runs them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, process::Command};

use pastiche_nn::networks::VggNaming;
use serde_json::Value;
use support::{Workshop, failure, said};

fn evaluate(workshop: &Workshop, more: &[&str]) -> Command {
    let mut command = workshop.program();
    command.args(["evaluate", "a.safetensors", "--painting", "painting.png", "--photos", "photos"]);
    command.args(["--loss-net", "vgg.safetensors", "--device", "cpu", "--threads", "2", "--size", "64"]);
    command.args(more);
    command
}

#[test]
fn a_style_is_measured_beside_the_photo_and_the_optimiser() {
    let workshop = Workshop::new();
    let trained = workshop.style("a.safetensors", &["--steps", "3"]).output().unwrap();
    assert!(trained.status.success(), "{}", said(&trained));
    let measures = ["--count", "2", "--iterations", "3,12", "--stability", "--frames", "photos", "--json"];
    let measures = [&measures[..], &["--plot", "figure.svg"]].concat();
    let output = evaluate(&workshop, &measures).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["style"], "a");
    assert_eq!(json["photos"], serde_json::json!(["0", "1"]));
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{json}"));
    // What was trained for three steps only is worse than what the optimiser goes down to.
    let (few, many) = (number(&json["optimiser"]["3"]), number(&json["optimiser"]["12"]));
    assert!(many < few && many < number(&json["network"]), "{json}");
    // The photo as it is keeps all of the content, so that its objective is style and smoothness.
    assert!(number(&json["content_image"]) > 0.0);
    assert!(number(&json["noise_gain"]) > 0.0 && number(&json["frame_difference"]) > 0.0);
    let figure = fs::read_to_string(workshop.path("figure.svg")).unwrap();
    assert!(figure.starts_with("<svg") && figure.contains("the network"), "{figure}");

    let table = evaluate(&workshop, &["--count", "1", "--iterations", "0"]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("the network") && !table.contains("optimiser"), "{table}");
}

#[test]
fn the_optimiser_paints_and_starts_where_it_is_told() {
    let workshop = Workshop::new();
    let start = |from: &str| {
        let mut command = workshop.program();
        command.args(["optimize", "photos/1.png", "--painting", "painting.png", "-o", "out.png", "-y"]);
        command.args(["--loss-net", "vgg.safetensors", "--style-layers", "relu1_2,relu2_2"]);
        command.args(["--content-layers", "relu2_2", "--size", "48", "--iterations", "8", "--from", from]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let values = said(&output);
        let values = values.lines().filter(|line| line.starts_with("equation 5"));
        values.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect::<Vec<f64>>()
    };
    let (noise, content) = (start("noise"), start("content"));
    assert!(noise[1] < noise[0] && content[1] < content[0], "{noise:?} {content:?}");
    assert_ne!(noise[0], content[0]);
    let picture = image::open(workshop.path("out.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (56, 48));
}

#[test]
fn what_cannot_be_measured_is_told() {
    let workshop = Workshop::new();
    let error = failure(evaluate(&workshop, &[]));
    assert!(error.contains("a.safetensors"), "{error}");
    fs::write(workshop.path("a.safetensors"), "not a style").unwrap();
    let error = failure(evaluate(&workshop, &[]));
    assert!(error.contains("not a readable .safetensors file"), "{error}");
}

#[test]
fn another_painting_than_the_style_s_is_told() {
    let workshop = Workshop::new();
    let trained = workshop.style("a.safetensors", &["--steps", "1"]).output().unwrap();
    assert!(trained.status.success(), "{}", said(&trained));
    let quick = ["--count", "1", "--iterations", "0"];
    let right = evaluate(&workshop, &quick).output().unwrap();
    assert!(!said(&right).contains("warning"), "{}", said(&right));
    support::picture(70, 70, 1).save(workshop.path("painting.png")).unwrap();
    let other = evaluate(&workshop, &quick).output().unwrap();
    assert!(said(&other).contains("trained with another painting"), "{}", said(&other));
}

#[test]
fn a_training_step_is_timed_as_json() {
    let workshop = Workshop::new();
    let bench = |loss_net: &str| {
        let mut command = workshop.program();
        command.args(["bench", "--loss-net", loss_net, "--width", "2", "--crop", "32", "--steps", "3"]);
        command
    };
    // The usual layers go further than this loss network.
    let error = failure(bench("vgg.safetensors"));
    assert!(error.contains("its layers go to relu2_2"), "{error}");
    let input = [("input", "caffe")];
    support::loss_net(&workshop.path("deep.safetensors"), "relu4_1", VggNaming::Blocks, &input);
    let output = bench("deep.safetensors").output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [min, median, p95] = ["min", "median", "p95"].map(|key| json["ms"][key].as_f64().unwrap());
    assert!(0.0 < min && min <= median && median <= p95, "{json}");
}
