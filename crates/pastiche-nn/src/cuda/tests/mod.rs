//! Compiled networks, and each kernel, run by the processor and compared with plain loops and with the plan for it.

pub(crate) mod emulated;
mod kernels;
mod networks;

use std::{
    env,
    io::{Write, stderr},
    path::{Path, PathBuf},
};

/// Numbers between -1 and 1, the same on every machine.
fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(next).collect()
}

/// A file of the shared test assets; says visibly that the test skips, and gives nothing, where it is absent.
fn shared(file: &str) -> Option<PathBuf> {
    let root = env::var_os("PASTICHE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(file);
    if path.exists() {
        return Some(path);
    }
    say(&format!("SKIPPED: no {file} (set PASTICHE_SHARED to the folder of shared test assets)"));
    None
}

/// Says it even where the test passes.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
