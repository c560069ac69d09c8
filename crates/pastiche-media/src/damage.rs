//! What of a source could not be had.

use std::time::Duration;

/// What of a video could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Pieces of the file that are left out.
    pub skipped: u64,
    /// Frames of which parts are guessed.
    pub concealed: u64,
    /// How much is missing at the end, where the file is shorter than it says.
    pub missing: Option<Duration>,
    /// Whether the file breaks off in the middle, where it does not say how long it is to be.
    pub breaks_off: bool,
}

impl Damage {
    /// Whether there is any.
    pub fn is_some(self) -> bool {
        self != Self::default()
    }
}

/// What of the sound is not in the output as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoundDamage {
    /// Pieces that are damaged; those that had to be decoded are left out.
    pub damaged: u64,
    /// How much is missing at the end, where the file is shorter than it says.
    pub missing: Option<Duration>,
    /// Why it could not be read to its end.
    pub cut_short: Option<String>,
}

impl SoundDamage {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        *self != Self::default()
    }
}
