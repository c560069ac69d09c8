//! Any bytes as a video or a picture: refused, or read to the end as a job does.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../crates/pastiche-media/tests/common/exercise.rs"]
mod exercise;
#[path = "../file.rs"]
mod file;

fuzz_target!(|bytes: &[u8]| exercise::read(&file::of(bytes, "video")));
