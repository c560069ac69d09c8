//! What is chosen in the window, and remembered from one start to the next.

use std::path::PathBuf;

use pastiche_inference::{Controls, DeviceChoice, MIN_SIDE};
use pastiche_media::{AudioMode, CameraInfo, MicrophoneChoice, MicrophoneInfo};
use pastiche_pipeline::live::ProcessSize;
use serde::{Deserialize, Serialize};

use super::text;
use crate::args::UPSCALE_FACTORS;

/// What is remembered from one start to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) source: SourceChoice,
    /// The style's name.
    pub(crate) style: Option<String>,
    pub(crate) strength: f32,
    pub(crate) keep_colors: bool,
    pub(crate) smoothing: f32,
    pub(crate) resolution: Resolution,
    /// The device's id, as on the command line.
    pub(crate) device: String,
    pub(crate) mirror: bool,
    pub(crate) compare: bool,
    /// Where the source ends and the painting begins, from 0 to 1.
    pub(crate) split: f32,
    /// Whether speed and latency are shown.
    pub(crate) overlay: bool,
    pub(crate) theme: ThemeChoice,
    pub(crate) microphone: MicrophoneSetting,
    /// Where recordings, snapshots and exports go.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) export_size: ExportSize,
    pub(crate) export_upscale: ExportUpscale,
    pub(crate) quality: Quality,
    /// The video encoder by name; the best that works here where nothing is said.
    pub(crate) encoder: Option<String>,
    pub(crate) audio: AudioChoice,
    /// Whether the greeting has been read.
    pub(crate) welcomed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: SourceChoice::default(),
            style: None,
            strength: 1.0,
            keep_colors: false,
            smoothing: 0.0,
            resolution: Resolution::Auto,
            device: "auto".to_owned(),
            mirror: false,
            compare: false,
            split: 0.5,
            overlay: false,
            theme: ThemeChoice::Dark,
            microphone: MicrophoneSetting::Off,
            folder: None,
            export_size: ExportSize::Source,
            export_upscale: ExportUpscale::Off,
            quality: Quality::High,
            encoder: None,
            audio: AudioChoice::Keep,
            welcomed: false,
        }
    }
}

impl Settings {
    /// The device; one that is not known any more is as good as none chosen.
    pub(crate) fn device_choice(&self) -> DeviceChoice {
        self.device.parse().unwrap_or(DeviceChoice::Auto)
    }

    /// The same with every number in its range: the file may have been edited by hand.
    pub(crate) fn in_range(mut self) -> Self {
        let fraction =
            |value: f32, default: f32| if value.is_finite() { value.clamp(0.0, 1.0) } else { default };
        self.strength = fraction(self.strength, 1.0);
        self.smoothing = fraction(self.smoothing, 0.0);
        self.split = fraction(self.split, 0.5);
        if self.export_upscale.factor().is_some_and(|factor| !UPSCALE_FACTORS.contains(&factor)) {
            self.export_upscale = ExportUpscale::Off;
        }
        self
    }

    /// How the painting is mixed.
    pub(crate) fn controls(&self) -> Controls {
        Controls { strength: self.strength, keep_colors: self.keep_colors, smoothing: self.smoothing }
    }
}

/// Where the pictures come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(crate) enum SourceChoice {
    /// The first camera, or the demo clip where there is none.
    #[default]
    Any,
    /// The camera of this name; of several, that with this number. Without a name, the one with the number.
    Camera { name: String, id: Option<u32> },
    /// The clip that comes with the program.
    Demo,
    /// A video in a loop.
    Video(PathBuf),
    /// A photograph.
    Still(PathBuf),
}

impl From<&CameraInfo> for SourceChoice {
    fn from(camera: &CameraInfo) -> Self {
        Self::Camera { name: camera.name.clone(), id: Some(camera.id) }
    }
}

/// What is heard in recordings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MicrophoneSetting {
    /// Nothing: nobody is recorded without having asked for it.
    Off,
    /// The microphone that the system's settings say.
    System,
    /// The one of this id, and of this name to people.
    Named { id: String, name: String },
}

impl MicrophoneSetting {
    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Off => text::MICROPHONE_OFF,
            Self::System => text::MICROPHONE_SYSTEM,
            Self::Named { name, .. } => name,
        }
    }

    /// As a recording takes it.
    pub(crate) fn choice(&self) -> Option<MicrophoneChoice> {
        match self {
            Self::Off => None,
            Self::System => Some(MicrophoneChoice::System),
            Self::Named { id, .. } => Some(MicrophoneChoice::Named(id.clone())),
        }
    }
}

impl From<&MicrophoneInfo> for MicrophoneSetting {
    fn from(info: &MicrophoneInfo) -> Self {
        Self::Named { id: info.id.clone(), name: info.name.clone() }
    }
}

impl From<MicrophoneChoice> for MicrophoneSetting {
    fn from(choice: MicrophoneChoice) -> Self {
        match choice {
            MicrophoneChoice::System => Self::System,
            MicrophoneChoice::Named(name) => Self::Named { id: name.clone(), name },
        }
    }
}

/// How large the network works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Resolution {
    Auto,
    Source,
    Fixed(u32, u32),
}

impl Resolution {
    /// What an export works at; the video's own size where nothing is said, since an export has time for every pixel.
    pub(crate) const fn of_export(self) -> Option<(u32, u32)> {
        match self {
            Self::Fixed(width, height) => Some((width, height)),
            Self::Auto | Self::Source => None,
        }
    }
}

impl From<Resolution> for ProcessSize {
    fn from(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Auto => Self::Auto,
            Resolution::Source => Self::Source,
            Resolution::Fixed(width, height) => Self::Fixed(width, height),
        }
    }
}

impl From<ProcessSize> for Resolution {
    fn from(size: ProcessSize) -> Self {
        match size {
            ProcessSize::Auto => Self::Auto,
            ProcessSize::Source => Self::Source,
            ProcessSize::Fixed(width, height) => Self::Fixed(width, height),
        }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ThemeChoice {
    Dark,
    Light,
}

/// How large an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ExportSize {
    Source,
    Half,
    /// This many lines.
    Height(u32),
}

impl ExportSize {
    /// Those that are offered.
    pub(crate) const ALL: [Self; 5] =
        [Self::Source, Self::Half, Self::Height(1080), Self::Height(720), Self::Height(480)];

    /// Width and height for a source of `width` x `height`, even as encoders need them; `None`: the source's own.
    pub(crate) fn of(self, width: u32, height: u32) -> Option<(u32, u32)> {
        let even = |side: f64| ((side / 2.0).round() as u32 * 2).max(MIN_SIDE);
        let scaled = |factor: f64| (even(f64::from(width) * factor), even(f64::from(height) * factor));
        match self {
            Self::Source => None,
            Self::Half => Some(scaled(0.5)),
            Self::Height(lines) => Some(scaled(f64::from(lines) / f64::from(height.max(1)))),
        }
    }

    /// Width and height as they are encoded: an odd source loses a row or a column.
    pub(crate) fn encoded(self, width: u32, height: u32) -> (u32, u32) {
        self.of(width, height).unwrap_or((width & !1, height & !1))
    }
}

/// Whether an export is enlarged once it is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ExportUpscale {
    Off,
    /// So many times as wide and high.
    Times(u32),
}

impl ExportUpscale {
    /// As a job takes it.
    pub(crate) const fn factor(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::Times(factor) => Some(factor),
        }
    }
}

/// How good an export looks, and how large its file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Quality {
    Best,
    High,
    Medium,
    Small,
}

impl Quality {
    pub(crate) const ALL: [Self; 4] = [Self::Best, Self::High, Self::Medium, Self::Small];

    /// The encoder's constant rate factor.
    pub(crate) const fn crf(self) -> u8 {
        match self {
            Self::Best => 14,
            Self::High => 18,
            Self::Medium => 23,
            Self::Small => 28,
        }
    }
}

/// What becomes of the sound in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AudioChoice {
    Keep,
    Aac,
    Leave,
}

impl AudioChoice {
    pub(crate) const ALL: [Self; 3] = [Self::Keep, Self::Aac, Self::Leave];

    /// As a job takes it.
    pub(crate) const fn mode(self) -> Option<AudioMode> {
        match self {
            Self::Keep => Some(AudioMode::Copy),
            Self::Aac => Some(AudioMode::Aac),
            Self::Leave => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn export_sizes_keep_the_shape_and_are_even() {
        assert_eq!(ExportSize::Source.of(641, 480), None);
        assert_eq!(ExportSize::Source.encoded(641, 480), (640, 480));
        assert_eq!(ExportSize::Half.of(1280, 718), Some((640, 360)));
        assert_eq!(ExportSize::Height(720).of(1920, 1080), Some((1280, 720)));
        assert_eq!(ExportSize::Height(480).of(854, 480), Some((854, 480)));
    }

    #[test]
    fn settings_survive_the_file_and_odd_numbers_do_not() {
        let settings = Settings { style: Some("wave".into()), split: 0.25, ..Settings::default() };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
        let partial: Settings = serde_json::from_str(r#"{"strength": 7.0, "unknown": 1}"#).unwrap();
        assert_eq!(partial.in_range(), Settings::default());
        let enlarged = |text: &str| serde_json::from_str::<Settings>(text).unwrap().in_range().export_upscale;
        assert_eq!(enlarged(r#"{"export_upscale": {"Times": 8}}"#), ExportUpscale::Times(8));
        assert_eq!(enlarged(r#"{"export_upscale": {"Times": 3}}"#), ExportUpscale::Off);
    }
}
