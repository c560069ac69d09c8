//! Draws the painting that the style `stained_glass` learned from, out of formulas alone.
//!
//! `pastiche-stained-glass OUT.png` renders it: [`window`] lays the panes and the lead, [`colour`] chooses the glass.

use std::{path::Path, process::ExitCode};

use anyhow::Context;

mod colour;
mod noise;
mod window;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out] = &arguments[..] else {
        eprintln!("usage: pastiche-stained-glass OUT.png");
        return ExitCode::from(2);
    };
    let side = window::SIDE as u32;
    let saved = image::save_buffer(Path::new(out), &window::draw(), side, side, image::ColorType::Rgb8);
    match saved.with_context(|| format!("cannot write {out}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
