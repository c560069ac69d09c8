//! `pastiche devices`: what the network and the encoder can run on, and the cameras and microphones.

use anyhow::Result;
use clap::Args;
use pastiche_inference::{DeviceInfo, compute_devices};
use pastiche_media::{
    CameraInfo, EncoderInfo, MicrophoneInfo, available_encoders, list_cameras, list_microphones,
};
use serde::Serialize;

use crate::{
    failure::Outcome,
    report::{print_json, print_lines},
};

/// List the devices that run networks, the cameras, the microphones, and the video encoders that work here.
#[derive(Args)]
pub(crate) struct DevicesArgs {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Devices {
    compute: Vec<DeviceInfo>,
    cameras: Vec<Camera>,
    microphones: Vec<Microphone>,
    encoders: Vec<Encoder>,
}

#[derive(Serialize)]
struct Camera {
    id: u32,
    name: String,
}

#[derive(Serialize)]
struct Microphone {
    id: String,
    name: String,
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
            cameras: list_cameras()?.into_iter().map(Camera::from).collect(),
            // Without a sound system there is none, and all else works.
            microphones: list_microphones()
                .inspect_err(|error| log::info!("{error}"))
                .unwrap_or_default()
                .into_iter()
                .map(Microphone::from)
                .collect(),
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
            let memory = device.memory_bytes.map(|bytes| format!("; {:.1} GB", bytes as f64 / 1e9));
            let driver = device.driver.as_ref().map(|version| format!(", CUDA {version}"));
            let state = [Some(state), memory, driver].into_iter().flatten().collect::<String>();
            format!("  {:12} {} ({state})", device.id, device.name)
        });
        let cameras = self.cameras.iter().map(|camera| format!("  {:12} {}", camera.id, camera.name));
        let microphones =
            self.microphones.iter().map(|microphone| format!("  {} ({})", microphone.name, microphone.id));
        let encoders =
            self.encoders.iter().map(|encoder| format!("  {:12} {}", encoder.name, encoder.description));
        let heading = |text: &str| std::iter::once(text.to_owned());
        let cameras =
            heading(if self.cameras.is_empty() { "cameras: none" } else { "cameras" }).chain(cameras);
        let title = if self.microphones.is_empty() { "microphones: none listed" } else { "microphones" };
        let microphones = heading(title).chain(microphones);
        let encoders = heading("encoders").chain(encoders);
        heading("compute").chain(compute).chain(cameras).chain(microphones).chain(encoders).collect()
    }
}

impl From<CameraInfo> for Camera {
    fn from(info: CameraInfo) -> Self {
        Self { id: info.id, name: info.name }
    }
}

impl From<MicrophoneInfo> for Microphone {
    fn from(info: MicrophoneInfo) -> Self {
        Self { id: info.id, name: info.name }
    }
}

impl From<EncoderInfo> for Encoder {
    fn from(info: EncoderInfo) -> Self {
        Self { name: info.name.to_string(), description: info.description }
    }
}
