//! Paints the project's demo clip: a harbour on a summer evening, picture and sound, out of formulas alone.
//!
//! `pastiche-harbour OUT.mp4` renders the clip, `pastiche-harbour --still SECONDS OUT.png` one frame of it.
//!
//! [`scene`] answers what a ray sees, [`film`] turns rays into a frame, [`clip`] frames and [`sound`] into a file. The
//! rest is what there is to see: [`sky`], [`hills`], [`water`], [`town`], [`fleet`] and so on. Everything is a function
//! of the place and the time, so that a frame is the same whenever and however often it is rendered.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, ensure};

mod balls;
mod boat;
mod camera;
mod church;
mod clip;
mod facade;
mod film;
mod fleet;
mod gulls;
mod hills;
mod house;
mod hull;
mod light;
mod lighthouse;
mod noise;
mod quay;
mod rig;
mod sail;
mod scene;
mod shore;
mod sky;
mod smoke;
mod solid;
mod sound;
mod stroke;
mod town;
mod vector;
mod veil;
mod water;
mod wav;

const USAGE: &str = "usage: pastiche-harbour OUT.mp4\n       pastiche-harbour --still SECONDS OUT.png";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--still", seconds, out] => still(seconds, Path::new(out)),
        [out] if !out.starts_with('-') => whole_clip(Path::new(out)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn still(seconds: &str, out: &Path) -> anyhow::Result<()> {
    let time_s: f32 = seconds.parse().with_context(|| format!("{seconds} is no time in seconds"))?;
    ensure!(time_s.is_finite(), "{seconds} is no time in seconds");
    let picture = film::frame(&scene::Harbour::new(), clip::WIDTH, clip::HEIGHT, time_s);
    image::save_buffer(out, &picture, clip::WIDTH, clip::HEIGHT, image::ColorType::Rgb8)
        .with_context(|| format!("cannot write {}", out.display()))
}

fn whole_clip(out: &Path) -> anyhow::Result<()> {
    let summary = clip::render(out, |done, all| {
        if done % 25 == 0 {
            eprintln!("{done}/{all} frames");
        }
    })?;
    println!("{}: {} frames, {} bytes", out.display(), summary.frames, summary.bytes);
    Ok(())
}
