//! Microphones.

mod capture;
mod clock;
mod list;
mod watch;

pub use capture::Sound;
pub use list::{MicrophoneChoice, MicrophoneInfo, list_microphones};
pub use watch::{Microphone, MicrophoneEvent};
