//! `cargo xtask check-cuda`: builds what is for CUDA cards, lints it, and looks at what it links to. No card is needed.

mod symbols;
mod toolkit;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::shell::{self, cargo, step, target};
use toolkit::Toolkit;

/// The crates that have something for cards.
const CRATES: [&str; 4] = ["pastiche-nn", "pastiche-inference", "pastiche-train", "pastiche-cuda"];
const FEATURES: &str = "cuda,cudnn";
/// What is linked, and then looked at.
const LINKED: [&str; 3] = ["libpastiche_cuda.so", "bench-gpu", "pastiche-train"];
/// Candle's kernels are compiled for these cards and later ones; ours, by their own build, from 7.5 on.
const COMPUTE_CAPABILITY: &str = "80";

/// Checks everything, with the toolkit in `folder`, where it is installed first unless it is there.
pub(crate) fn run(folder: Option<&str>) -> Result<()> {
    let build = target().join("cuda");
    let folder = folder.map_or_else(|| build.join("toolkit"), PathBuf::from);
    let mut toolkit = None;
    step("CUDA toolkit", || {
        toolkit = Some(Toolkit::install(&folder)?);
        Ok(())
    })?;
    let Some(toolkit) = toolkit else { unreachable!("a step that has not failed has done its work") };
    step("lints", || {
        let arguments = arguments("clippy", &["--all-targets"]);
        shell::run(with_cuda(&mut cargo(&arguments), &toolkit, &build).args(["--", "-D", "warnings"]))
    })?;
    step("build", || shell::run(with_cuda(&mut cargo(&arguments("build", &[])), &toolkit, &build)))?;
    step("symbols", || {
        let known = toolkit.symbols()?;
        LINKED.iter().try_for_each(|name| symbols::check(&build.join("debug").join(name), &known))
    })
}

fn arguments<'a>(what: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let packages = CRATES.iter().flat_map(|name| ["--package", *name]);
    [what].into_iter().chain(packages).chain(["--features", FEATURES]).chain(more.iter().copied()).collect()
}

/// Lets a cargo build for cards, into a folder of its own.
fn with_cuda<'a>(command: &'a mut Command, toolkit: &Toolkit, build: &Path) -> &'a mut Command {
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| COMPUTE_CAPABILITY.to_owned());
    for (name, value) in toolkit.environment() {
        command.env(name, value);
    }
    command.env("CUDA_COMPUTE_CAP", capability).env("CARGO_TARGET_DIR", build)
}
