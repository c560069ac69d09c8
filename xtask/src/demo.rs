//! `cargo xtask demo`: the demo clip, restyled.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    setup,
    shell::{self, cargo, command, step, target},
};

const CLIP: &str = "assets/harbour.mp4";

/// The style where none is named.
const STYLE: &str = "starry_night";

/// Restyles the demo clip with `style`, a bundled name or a path.
pub(crate) fn run(style: Option<&str>) -> Result<()> {
    let style = named_style(style.unwrap_or(STYLE))?;
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
