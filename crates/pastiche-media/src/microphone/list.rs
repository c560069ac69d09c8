//! Which microphones there are, and which one is meant.

use std::{convert::Infallible, fmt, str::FromStr};

use cpal::traits::{DeviceTrait, HostTrait};

use crate::{MediaError, error::Result};

/// Something that sound comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MicrophoneInfo {
    /// The system's name for it, by which it is found again.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// Which microphone is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MicrophoneChoice {
    /// The one that the system's settings say.
    #[default]
    System,
    /// The one with this id, else the first whose name has this in it, in any case.
    Named(String),
}

/// Lists what sound can be recorded from. None of it is opened, so some may turn out not to work.
///
/// # Errors
/// The system does not tell.
pub fn list_microphones() -> Result<Vec<MicrophoneInfo>> {
    quiet();
    let mut found = inputs(&host()?)?;
    found.retain(|(info, _)| is_for_people(&info.id));
    let mut infos: Vec<MicrophoneInfo> = Vec::new();
    // ALSA has the same device by several names; the first of them that is kept shares it with other programs.
    for (info, _) in found {
        if infos.iter().all(|known| known.name != info.name) {
            infos.push(info);
        }
    }
    Ok(infos)
}

impl MicrophoneChoice {
    /// The one that is meant, and what people call it.
    pub(super) fn find(&self) -> Result<(cpal::Device, String)> {
        let host = host()?;
        let missing = |found| MediaError::MicrophoneMissing { wanted: self.to_string(), found };
        let Self::Named(wanted) = self else {
            let device = host.default_input_device().ok_or_else(|| missing("none".to_owned()))?;
            return Ok((device, self.to_string()));
        };
        let mut devices = inputs(&host)?;
        let lower = wanted.to_lowercase();
        let by_name = |(info, _): &(MicrophoneInfo, _)| info.name.to_lowercase().contains(&lower);
        let by_id = |(info, _): &(MicrophoneInfo, _)| info.id == *wanted;
        match devices.iter().position(by_id).or_else(|| devices.iter().position(by_name)) {
            Some(index) => {
                let (info, device) = devices.swap_remove(index);
                Ok((device, info.name))
            }
            None => {
                let names: Vec<String> =
                    list_microphones()?.into_iter().map(|microphone| microphone.name).collect();
                Err(missing(if names.is_empty() { "none".to_owned() } else { names.join(", ") }))
            }
        }
    }
}

/// `system` means the one that the system's settings say, all else is an id or a name.
impl FromStr for MicrophoneChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "system" { Self::System } else { Self::Named(text.to_owned()) })
    }
}

impl fmt::Display for MicrophoneChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("the system's microphone"),
            Self::Named(name) => write!(f, "microphone {name:?}"),
        }
    }
}

fn host() -> Result<cpal::Host> {
    let id = cpal::available_hosts().into_iter().next();
    let none = || cpal::Error::from(cpal::ErrorKind::HostUnavailable);
    let host = id.ok_or_else(none).and_then(cpal::host_from_id);
    host.map_err(|error| MediaError::Microphones { reason: error.to_string() })
}

/// What gives sound, those first that share it with other programs.
fn inputs(host: &cpal::Host) -> Result<Vec<(MicrophoneInfo, cpal::Device)>> {
    let devices = host.input_devices();
    let devices = devices.map_err(|error| MediaError::Microphones { reason: error.to_string() })?;
    let mut found: Vec<_> = devices
        // One that is unplugged in this moment is none.
        .filter_map(|device| {
            let id = device.id().ok()?.id().to_owned();
            let name = device.description().ok()?.name().to_owned();
            Some((MicrophoneInfo { id, name }, device))
        })
        .collect();
    found.sort_by_key(|(info, _)| rank(&info.id));
    Ok(found)
}

/// ALSA lists every way to a device: shared, converted, and as it is, where one program has it alone.
#[cfg(target_os = "linux")]
fn rank(id: &str) -> u8 {
    const ORDER: [&str; 5] = ["default", "pipewire", "pulse", "sysdefault", "plughw"];
    let kind = id.split(':').next().unwrap_or(id);
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len()) as u8
}

#[cfg(not(target_os = "linux"))]
fn rank(_id: &str) -> u8 {
    0
}

/// Whether it is a device that people know. ALSA lists converters and file writers too, and the way to the system's own
/// microphone beside it.
#[cfg(target_os = "linux")]
fn is_for_people(id: &str) -> bool {
    id != "default" && (["pipewire", "pulse"].contains(&id) || id.contains("CARD="))
}

#[cfg(not(target_os = "linux"))]
fn is_for_people(_id: &str) -> bool {
    true
}

/// Lets ALSA keep what it says about devices that do not work, on this thread: it would tear a progress bar, and the error
/// that follows tells.
#[cfg(target_os = "linux")]
pub(super) fn quiet() {
    if let Err(error) = alsa::Output::local_error_handler() {
        log::debug!("ALSA tells its errors itself: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn quiet() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_is_no_name() {
        let parsed = |text: &str| text.parse::<MicrophoneChoice>().unwrap();
        assert_eq!(parsed("system"), MicrophoneChoice::System);
        assert_eq!(parsed("Systems Inc."), MicrophoneChoice::Named("Systems Inc.".to_owned()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shared_ways_to_a_device_come_before_those_that_one_program_has_alone() {
        let mut ids =
            ["hw:CARD=A,DEV=0", "plughw:CARD=A,DEV=0", "sysdefault:CARD=A", "default", "front:CARD=A"];
        ids.sort_by_key(|id| rank(id));
        assert_eq!(ids[..3], ["default", "sysdefault:CARD=A", "plughw:CARD=A,DEV=0"]);
        assert_eq!(
            ["null", "speexrate", "default", "pulse", "hw:CARD=A"].map(is_for_people),
            [false, false, false, true, true]
        );
    }
}
