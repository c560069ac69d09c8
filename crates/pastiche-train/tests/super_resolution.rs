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
