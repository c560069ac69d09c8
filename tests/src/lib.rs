//! What the end-to-end tests share: running the built program, clips and a style to run it on, and reading results
//! without the program's help.

#![allow(clippy::unwrap_used, reason = "only tests use this crate, and a failed unwrap fails the test")]

mod assets;
mod clip;
mod files;
mod mp4;
mod program;
mod style;

pub use assets::{demo_clip, shared};
pub use clip::{Clip, Decoded, decode, mean_difference, write_clip, write_photo};
pub use files::file_names;
pub use mp4::sound_samples;
pub use program::{Run, ffmpeg, json, pastiche, preloaded, program, run_in, signal, summary};
pub use style::{BUNDLED_STYLES, write_style, write_upscaler};
