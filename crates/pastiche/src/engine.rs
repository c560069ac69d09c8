//! Starting the engine as the command line asks.

use std::path::Path;

use anyhow::Result;
use pastiche_inference::{ComputeDevice, Controls, Style, Stylizer, StylizerOptions, Upscaler};

use crate::{args::DeviceArgs, terminal::tell};

/// Puts a style on a device, and says on standard error what runs.
pub(crate) fn start(
    style: Style,
    device: &DeviceArgs,
    process_size: Option<(u32, u32)>,
    controls: Controls,
) -> Result<Stylizer> {
    let opened = ComputeDevice::open(device.choice())?;
    let options = StylizerOptions { threads: device.threads(), precision: device.precision, process_size };
    let style_text = format!("style {} ({})", style.name(), style.architecture());
    let mut stylizer = Stylizer::new(style, &opened, &options)?;
    stylizer.set_controls(controls)?;
    match (stylizer.take_warning(), opened.note()) {
        (Some(warning), _) => log::warn!("{warning}"),
        (None, Some(note)) => log::info!("{note}"),
        (None, None) => {}
    }
    let instructions = stylizer.instructions().map_or_else(String::new, |set| format!(", {set}"));
    tell(format_args!(
        "{style_text} on {}: {}; {}{instructions}, {}",
        stylizer.device_id(),
        stylizer.device().name(),
        stylizer.precision(),
        counted(stylizer.threads() as u64, "thread"),
    ));
    Ok(stylizer)
}

/// Puts a network that enlarges on a device, and says so on standard error.
pub(crate) fn start_upscaler(path: &Path, factor: u32, device: &DeviceArgs) -> Result<Upscaler> {
    let opened = ComputeDevice::open(device.choice())?;
    let options =
        StylizerOptions { threads: device.threads(), precision: device.precision, process_size: None };
    let mut upscaler = Upscaler::load(path, factor, &opened, &options)?;
    if let Some(warning) = upscaler.take_warning() {
        log::warn!("{warning}");
    }
    tell(format_args!("enlarging {factor} times by {} on {}", upscaler.name(), upscaler.device_id()));
    Ok(upscaler)
}

/// A number and what it counts.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
