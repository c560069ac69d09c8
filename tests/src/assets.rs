//! Files that tests look at but do not make.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file of the shared test assets: in `$PASTICHE_SHARED`, else in `shared` beside the workspace. Says visibly that a
/// test skips it where it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("PASTICHE_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    present(folder.join("assets").join(name), name)
}

/// The project's demo clip; skipped as visibly.
pub fn demo_clip() -> Option<PathBuf> {
    present(workspace().join("assets/harbour.mp4"), "assets/harbour.mp4")
}

fn present(path: PathBuf, name: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    // Written past the capture of test output, so that it shows in a run that passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not here");
    None
}
