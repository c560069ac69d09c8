//! What a job has done, and what its result lacks.

use std::time::Duration;

use pastiche_media::{AudioOutcome, Damage, SoundDamage};

/// What a job has done.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSummary {
    /// Frames in the output.
    pub frames: u64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The output's length in time.
    pub duration: Duration,
    /// The output's length in bytes.
    pub bytes: u64,
    /// The video encoder, or the kind of numbered pictures.
    pub encoder: String,
    /// What became of the sound.
    pub audio: AudioOutcome,
    /// The device that ran the network.
    pub device: String,
    /// How long the job took.
    pub elapsed: Duration,
    /// Whether it was cancelled; the output then holds what was done, and plays.
    pub cancelled: bool,
    /// Frames of the input that an earlier job had done, which this one went on from.
    pub frames_before: u64,
    /// Of the frames in the output, those that are of that job.
    pub pictures_before: u64,
    /// What of the input is not in the output.
    pub losses: Losses,
}

/// What of an input is not in the output, which holds the rest, and plays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Losses {
    /// What of the pictures could not be decoded.
    pub damage: Damage,
    /// Why the input could not be read to its end.
    pub cut_short: Option<String>,
    /// What of the sound could not be read or decoded.
    pub sound: SoundDamage,
    /// Why the subtitles could not be read to their end.
    pub subtitles_cut_short: Option<String>,
    /// Why the output's drive took no more.
    pub stopped: Option<String>,
}

impl Losses {
    /// Whether the output holds all that was asked for.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
