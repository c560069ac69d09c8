//! `pastiche styles`: what can be painted.

use anyhow::Result;
use clap::Args;
use pastiche_inference::{DeviceChoice, StyleLibrary};

use crate::{
    failure::Outcome,
    report::{print_json, print_lines},
};

/// List the styles that are installed.
#[derive(Args)]
pub(crate) struct StylesArgs {
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

impl StylesArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let library = StyleLibrary::discover(DeviceChoice::default());
        let styles = library.styles();
        if self.json {
            print_json(&styles)?;
        } else if styles.is_empty() {
            print_lines([
                "no style is installed; any .safetensors style file works with --style FILE".to_owned()
            ])?;
        } else {
            print_lines(styles.iter().map(|style| {
                let architectures = style.architectures.join(", ");
                let credit = style.credit.as_deref().unwrap_or_default();
                format!("{:20} {:32} {:24} {}", style.name, style.title, architectures, credit)
            }))?;
        }
        Ok(Outcome::Done)
    }
}
