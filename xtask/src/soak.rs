//! `cargo xtask soak`: the endurance test, for longer than the other tests have time for.

use anyhow::{Context, Result, ensure};

use crate::{
    setup,
    shell::{self, cargo},
};

/// Runs the endurance test for that many minutes.
pub(crate) fn run(minutes: &str) -> Result<()> {
    let minutes: f64 = minutes.parse().with_context(|| format!("not a number of minutes: {minutes}"))?;
    ensure!(
        minutes.is_finite() && minutes >= 0.3,
        "the least that tells something is 0.3 minutes: {minutes}"
    );
    setup::run()?;
    let seconds = (60.0 * minutes).round().to_string();
    let test = ["test", "--workspace", "--test", "soak", "--", "--nocapture"];
    shell::run(cargo(&test).env("PASTICHE_SOAK_SECONDS", seconds))
}
