//! `cargo xtask demo`: the demo clip, restyled.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    setup,
    shell::{self, cargo, command, root, step, target},
};

const CLIP: &str = "assets/harbour.mp4";

/// Restyles the demo clip with `style`, a bundled name or a path, or with the first bundled style.
pub(crate) fn run(style: Option<&str>) -> Result<()> {
    let style = match style {
        Some(style) => named_style(style)?,
        None => first_bundled_style().context(
            "no style is bundled in models/ yet; name a style file: cargo xtask demo PATH/TO/STYLE.safetensors",
        )?,
    };
    let name = Path::new(&style).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let result = target().join("demo").join(format!("harbour-{name}.mp4"));
    let result_text = result.to_str().context("the target folder's path is not UTF-8")?;

    step("system packages", setup::run)?;
    step("release build", || shell::run(&mut cargo(&["build", "--release", "--package", "pastiche"])))?;
    step("demo clip", || {
        fs::create_dir_all(target().join("demo")).context("cannot make a folder for the result")?;
        let program = target().join("release").join("pastiche");
        let program = program.to_str().context("the target folder's path is not UTF-8")?;
        shell::run(&mut command(program, &["video", CLIP, "-o", result_text, "--style", &style, "-y"]))
    })?;
    println!("{result_text}");
    Ok(())
}

/// A bundled name as it is; a path from where the user is.
fn named_style(style: &str) -> Result<String> {
    let path = Path::new(style);
    if !path.is_file() {
        return Ok(style.to_owned());
    }
    let path = path.canonicalize().context("cannot find the style file")?;
    Ok(path.to_str().context("the style file's path is not UTF-8")?.to_owned())
}

/// The first style file in `models/`, by name.
fn first_bundled_style() -> Option<String> {
    let files = fs::read_dir(root().join("models")).ok()?;
    let mut styles: Vec<PathBuf> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .collect();
    styles.sort();
    styles.first()?.to_str().map(str::to_owned)
}
