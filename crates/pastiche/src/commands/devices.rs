//! `pastiche devices`: what the network, and the encoder, can run on.

use anyhow::Result;
use clap::Args;
use pastiche_inference::{DeviceInfo, compute_devices};
use pastiche_media::{EncoderInfo, available_encoders};
use serde::Serialize;

use crate::{
    failure::Outcome,
    report::{print_json, print_lines},
};

/// List the devices that run networks, and the video encoders that work here.
#[derive(Args)]
pub(crate) struct DevicesArgs {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Devices {
    compute: Vec<DeviceInfo>,
    /// Cameras are read by live sessions only; a file job has none.
    cameras: [(); 0],
    encoders: Vec<Encoder>,
}

#[derive(Serialize)]
struct Encoder {
    name: String,
    description: String,
}

impl DevicesArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let encoders = available_encoders();
        let devices = Devices {
            compute: compute_devices(),
            cameras: [],
            encoders: encoders.into_iter().map(Encoder::from).collect(),
        };
        if self.json {
            print_json(&devices)?;
        } else {
            print_lines(devices.lines())?;
        }
        Ok(Outcome::Done)
    }
}

impl Devices {
    fn lines(&self) -> Vec<String> {
        let compute = self.compute.iter().map(|device| {
            let state = match &device.reason {
                Some(reason) if !device.usable => format!("not usable: {reason}"),
                _ => device.precisions.join(", "),
            };
            format!("  {:12} {} ({state})", device.id, device.name)
        });
        let encoders =
            self.encoders.iter().map(|encoder| format!("  {:12} {}", encoder.name, encoder.description));
        let heading = |text: &str| std::iter::once(text.to_owned());
        heading("compute").chain(compute).chain(heading("encoders")).chain(encoders).collect()
    }
}

impl From<EncoderInfo> for Encoder {
    fn from(info: EncoderInfo) -> Self {
        Self { name: info.name.to_string(), description: info.description }
    }
}
