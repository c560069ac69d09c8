//! The protocol of super-resolution, proved by bicubic rows that Pillow and scikit-image gave.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use pastiche_train::{
    evaluate::{Enlargers, Reduction, super_resolution},
    photos::PhotoFolder,
};
use serde_json::Value;
use support::{Workshop, failure, said, shared};

/// Folder, factor, blur, PSNR in decibels, SSIM.
const ROWS: [(&str, u32, f64, f64, f64); 8] = [
    ("Set5", 4, 0.0, 28.43, 0.811),
    ("Set14", 4, 0.0, 26.09, 0.705),
    ("BSD100", 4, 0.0, 25.96, 0.668),
    ("Set5", 8, 0.0, 24.40, 0.658),
    ("Set14", 8, 0.0, 23.19, 0.567),
    ("BSD100", 8, 0.0, 23.67, 0.544),
    ("Set5", 4, 1.0, 27.91, 0.797),
    ("Set5", 8, 1.0, 24.31, 0.655),
];

#[test]
fn bicubic_rows_are_those_of_an_independent_run() {
    for (set, factor, blur, psnr, ssim) in ROWS {
        let Some(folder) = shared(&format!("assets/super_resolution/{set}")) else { return };
        let pictures = PhotoFolder::open(&folder).unwrap();
        let report =
            super_resolution(&pictures, Reduction { factor, blur }, &Enlargers::default(), &mut |_| {})
                .unwrap();
        let row = &report.rows[0];
        println!("{set} x{factor} blur {blur}: {:.3} dB, {:.4}", row.psnr, row.ssim);
        assert!((row.psnr - psnr).abs() <= 0.05, "{set} x{factor} blur {blur}: {row:?}, expected {psnr}");
        assert!((row.ssim - ssim).abs() <= 0.003, "{set} x{factor} blur {blur}: {row:?}, expected {ssim}");
    }
}

fn evaluate(workshop: &Workshop, more: &[&str]) -> Command {
    let mut command = workshop.program();
    command.arg("evaluate").args(more);
    command
}

#[test]
fn the_program_prints_the_rows_as_json() {
    let workshop = Workshop::new();
    let measures = ["--super-resolution", "photos", "--factor", "8", "--blur", "0.5", "--json"];
    let output = evaluate(&workshop, &measures).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["factor"], &json["blur"], &json["pictures"]), (&8.into(), &0.5.into(), &8.into()));
    let row = &json["rows"][0];
    assert_eq!(row["method"], "bicubic");
    assert!(row["psnr"].as_f64().unwrap() > 5.0 && row["ssim"].as_f64().unwrap() < 1.0, "{json}");
}

#[test]
fn the_paper_s_rows_stand_beside_those_of_its_sets_and_of_no_others() {
    let workshop = Workshop::new();
    std::fs::rename(workshop.path("photos"), workshop.path("set14")).unwrap();
    let report = |factor: &str, more: &[&str]| {
        let measures = [&["--super-resolution", "set14", "--factor", factor], more].concat();
        let output = evaluate(&workshop, &measures).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json = |factor: &str| serde_json::from_str::<Value>(&report(factor, &["--json"])).unwrap();
    let by_4 = json("4");
    assert_eq!(by_4["rows"].as_array().unwrap().len(), 1, "what is measured is by itself: {by_4}");
    let paper = &by_4["paper"];
    assert_eq!(paper["set"], "Set14");
    assert_eq!(paper["rows"][1], serde_json::json!({ "method": "pixel", "psnr": 25.75, "ssim": 0.6994 }));
    assert!(paper["note"].as_str().unwrap().contains("--blur 0"), "{paper}");
    let by_8 = json("8");
    assert_eq!(
        by_8["paper"]["rows"][2],
        serde_json::json!({ "method": "feature", "psnr": 21.64, "ssim": null })
    );
    assert_eq!(json("2")["paper"], Value::Null);
    let table = report("4", &[]);
    assert!(
        table.contains("the paper's rows for Set14") && table.contains("27.49 dB   SSIM 0.7503"),
        "{table}"
    );
    std::fs::rename(workshop.path("set14"), workshop.path("photos")).unwrap();
    let other = evaluate(&workshop, &["--super-resolution", "photos"]).output().unwrap();
    assert!(!String::from_utf8(other.stdout).unwrap().contains("paper"));
}

#[test]
fn pictures_too_small_to_compare_are_told() {
    let workshop = Workshop::new();
    let folder = workshop.path("small");
    std::fs::create_dir(&folder).unwrap();
    image::RgbImage::new(30, 17).save(folder.join("stamp.png")).unwrap();
    let error = failure(evaluate(&workshop, &["--super-resolution", "small"]));
    assert!(error.contains("30x17") && error.contains("20 on the shorter side"), "{error}");
    let neither = evaluate(&workshop, &["--factor", "8"]).output().unwrap();
    assert_eq!(neither.status.code(), Some(2));
    assert!(said(&neither).contains("--super-resolution"), "{}", said(&neither));
}
