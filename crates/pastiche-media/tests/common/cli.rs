//! Fixtures made by the `ffmpeg` program, whose codecs and containers the crate under test has no part in writing.

use std::{path::Path, process::Command};

/// Runs `ffmpeg` in `folder` with these arguments, separated by single spaces.
pub(crate) fn ffmpeg(folder: &Path, arguments: &str) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("the ffmpeg program is needed for these tests; `cargo xtask test` installs it");
    assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
