//! `cargo xtask test`: everything that must hold before a change goes in.

use anyhow::Result;

use crate::{
    arrows, setup,
    shell::{self, cargo, step, succeeds},
    soak::{CI_SOAK_SECONDS, is_ci},
};

/// Runs every check, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    step("system packages", setup::run)?;
    step("format", || shell::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("crate arrows", arrows::check)?;
    step("licences, bans and sources", || {
        if !succeeds(&mut cargo(&["deny", "--version"])) {
            eprintln!("SKIPPED: cargo-deny is not installed (cargo install --locked cargo-deny)");
            return Ok(());
        }
        shell::run(&mut cargo(&["deny", "check", "licenses", "bans", "sources"]))
    })?;
    step("lints", || {
        shell::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    step("documentation", || {
        shell::run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("tests", || {
        let mut tests = cargo(&["test", "--workspace"]);
        if is_ci() {
            tests.env("PASTICHE_SOAK_SECONDS", CI_SOAK_SECONDS);
        }
        shell::run(&mut tests)
    })
}
