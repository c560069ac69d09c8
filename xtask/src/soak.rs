//! `cargo xtask soak`: a live session for a long time.

use anyhow::{Context, Result};

use crate::{
    setup,
    shell::{self, cargo, step},
};

/// Where nothing is said.
const MINUTES: &str = "20";
/// Where every change waits for it.
const CI_MINUTES: &str = "1";
/// The same for the tests.
pub(crate) const CI_SOAK_SECONDS: &str = "60";

pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Runs the endurance test for as many minutes.
pub(crate) fn run(minutes: Option<&str>) -> Result<()> {
    let usual = if is_ci() { CI_MINUTES } else { MINUTES };
    let minutes: f64 = minutes.unwrap_or(usual).parse().context("the minutes are no number")?;
    let seconds = (60.0 * minutes).max(20.0).to_string();
    step("system packages", setup::run)?;
    step("release build", || shell::run(&mut cargo(&["build", "--release", "--workspace"])))?;
    step("soak", || {
        let test = ["test", "--release", "--workspace", "--test", "soak", "--", "--nocapture"];
        shell::run(cargo(&test).env("PASTICHE_SOAK_SECONDS", &seconds))
    })
}
