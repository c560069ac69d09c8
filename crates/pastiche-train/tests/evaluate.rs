//! The measures of a style, and the slow method, as a user runs them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, process::Command};

use pastiche_nn::networks::VggNaming;
use serde_json::Value;
use support::{Workshop, failure, refusal, said};

fn evaluate(workshop: &Workshop, more: &[&str]) -> Command {
    let mut command = workshop.program();
    command.args(["evaluate", "a.safetensors", "--painting", "painting.png", "--photos", "photos"]);
    command.args(["--loss-net", "vgg.safetensors", "--device", "cpu", "--threads", "2"]).args(more);
    if !more.contains(&"--size") {
        command.args(["--size", "64"]);
    }
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

    support::picture(80, 96, 3).save(workshop.path("photos/9.png")).unwrap();
    let error = failure(evaluate(&workshop, &["--iterations", "0", "--frames", "photos"]));
    assert!(error.contains("80x96 and the first one 112x96") && error.ends_with("photos/9.png"), "{error}");
}

#[test]
fn what_was_measured_is_kept_and_not_measured_again() {
    let workshop = Workshop::new();
    let trained = workshop.style("a.safetensors", &["--steps", "1"]).output().unwrap();
    assert!(trained.status.success(), "{}", said(&trained));
    let measured = |more: &[&str]| -> Value {
        let options = [&["--iterations", "2,4", "--json"], more].concat();
        let output = evaluate(&workshop, &options).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let plain = measured(&["--count", "2"]);
    measured(&["--count", "1", "--keep", "kept.jsonl"]);
    let file = workshop.path("kept.jsonl");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
    let first = lines(&fs::read_to_string(&file).unwrap());
    assert_eq!(first.len(), 1);
    // Broken off in the middle of a line.
    fs::write(&file, format!("{}\n{}", first[0], &first[0][..40])).unwrap();
    let both = measured(&["--count", "2", "--keep", "kept.jsonl"]);
    let number = |json: &Value, key: &str| json[key].as_f64().unwrap();
    for key in ["content_image", "network", "network_style", "network_content"] {
        assert!((number(&plain, key) - number(&both, key)).abs() < 1e-9, "{plain} {both}");
    }
    assert_eq!(plain["optimiser"].as_object().unwrap().len(), 2);
    let second = lines(&fs::read_to_string(&file).unwrap());
    assert_eq!((second.len(), &second[0]), (3, &first[0]));

    // What is kept is believed; other settings are measured.
    let mut kept: Value = serde_json::from_str(&first[0]).unwrap();
    kept["objective"]["network"] = 1000.0.into();
    fs::write(&file, format!("{kept}\n")).unwrap();
    assert_eq!(number(&measured(&["--count", "1", "--keep", "kept.jsonl"]), "network"), 1000.0);
    let larger = measured(&["--count", "1", "--keep", "kept.jsonl", "--size", "72"]);
    assert!(number(&larger, "network") < 1000.0, "{larger}");
}

#[test]
fn speed_is_told_beside_the_optimiser_s() {
    let workshop = Workshop::new();
    let trained = workshop.style("a.safetensors", &["--steps", "1"]).output().unwrap();
    assert!(trained.status.success(), "{}", said(&trained));
    let timed = |more: &[&str]| {
        let mut command = workshop.program();
        command.args(["evaluate", "a.safetensors", "--painting", "painting.png", "--photos", "photos"]);
        command.args(["--loss-net", "vgg.safetensors", "--device", "cpu", "--threads", "2", "--speed"]);
        if !more.contains(&"--sizes") {
            command.args(["--sizes", "48,96"]);
        }
        command.args(more);
        command
    };
    let output = timed(&["--speed-iterations", "5,100", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["style"], &json["architecture"]), (&"a".into(), &"swift".into()));
    assert_eq!((&json["device"], &json["threads"]), (&"cpu".into(), &2.into()));
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{json}"));
    for (row, size) in json["speed"].as_array().unwrap().iter().zip([48, 96]) {
        assert_eq!(row["size"], size);
        let (network, iteration) = (number(&row["network_ms"]), number(&row["iteration_ms"]));
        assert!(network > 0.0 && iteration > 0.0 && number(&row["timed_iterations"]) >= 3.0, "{json}");
        for (count, times) in [("5", 5.0), ("100", 100.0)] {
            let optimiser = &row["optimiser"][count];
            assert!((number(&optimiser["ms"]) / (times * iteration) - 1.0).abs() < 1e-6, "{json}");
            let speed_up = number(&optimiser["ms"]) / network;
            assert!((number(&optimiser["speed_up"]) / speed_up - 1.0).abs() < 1e-6, "{json}");
        }
    }
    assert_eq!(json["speed"].as_array().unwrap().len(), 2);
    // A forward and a backward pass of the loss network take longer at four times as many pixels.
    assert!(number(&json["speed"][1]["iteration_ms"]) > number(&json["speed"][0]["iteration_ms"]), "{json}");

    let output = timed(&["--sizes", "48"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("optimiser,  500 iterations") && table.contains("then multiplied"), "{table}");
    let error = refusal(timed(&["--sizes", "50"]), 2);
    assert!(error.contains("--sizes is 50") && error.contains("multiple of 4"), "{error}");
    assert_eq!(timed(&["--size", "64"]).output().unwrap().status.code(), Some(2));
    let error = refusal(evaluate(&workshop, &["--size", "66"]), 2);
    assert!(error.contains("--size is 66"), "{error}");
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
