//! The user's own styles, found by name. Where they are is told by a variable that only Linux knows.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pastiche_e2e::{Run, json, program, write_style};
use serde_json::{Value, json};

/// A data folder with one style, `stippled_night`, and the style's file.
fn data_folder() -> (tempfile::TempDir, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let styles = data.path().join("pastiche/styles");
    fs::create_dir_all(&styles).unwrap();
    let style = styles.join("stippled_night.transformer_net.safetensors");
    write_style(&style);
    (data, style)
}

fn run(data: &Path, line: &str) -> Run {
    Command::new(program()).args(line.split(' ')).env("XDG_DATA_HOME", data).output().unwrap().into()
}

#[test]
fn the_user_s_styles_are_listed_with_all_that_is_known_of_them() {
    let (data, file) = data_folder();
    let styles = json(&run(data.path(), "styles --json").done());
    let own: Vec<&Value> =
        styles.as_array().unwrap().iter().filter(|style| style["bundled"] == false).collect();
    let expected = json!({
        "name": "stippled_night",
        "title": "stippled night",
        "credit": "no painter",
        "license": null,
        "architectures": ["transformer_net"],
        "path": file,
        "bundled": false,
        "bytes": fs::metadata(&file).unwrap().len(),
    });
    assert_eq!(own, [&expected]);
}

#[test]
fn a_style_s_name_is_enough_and_a_misspelt_one_is_told_the_nearest() {
    let (data, _) = data_folder();
    let bench = |style| run(data.path(), &format!("bench --style {style} --size 32x24 --frames 1 --json"));
    let measured = json(&bench("stippled_night").done());
    assert_eq!(
        (&measured["style"], &measured["architecture"]),
        (&"stippled_night".into(), &"transformer_net".into())
    );
    let misspelt = bench("stipled_nihgt");
    let error = misspelt.error(1);
    assert!(error.contains("did you mean stippled_night"), "{error}");
}
