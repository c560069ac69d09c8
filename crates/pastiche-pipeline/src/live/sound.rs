//! The microphone's side of a recording: its sound at its time, silence for what is missing, and the count of that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pastiche_frame::{Rational, Timestamp};
use pastiche_media::{MediaError, Microphone, MicrophoneChoice, MicrophoneEvent, Sound, VideoEncoder};

use super::{LiveEvent, shared::Shared};

/// How long after a picture its sound may come; then there is silence in its place. Microphones need this long to open.
const PATIENCE: Duration = Duration::from_secs(1);
/// A gap between two pieces of sound that is longer than this was heard by nobody.
const GAP: Duration = Duration::from_millis(20);

/// A microphone that is recorded.
pub(super) struct RecordedSound {
    microphone: Microphone,
    shared: Arc<Shared>,
    /// The end of the last piece.
    heard_until: Option<Instant>,
    /// How much silence there is in the place of sound.
    lost: Duration,
    /// Why it gives no sound, where it gives none.
    reason: Option<String>,
}

impl RecordedSound {
    /// Begins to listen, so that the microphone is open when the first picture comes.
    pub(super) fn start(choice: MicrophoneChoice, shared: &Arc<Shared>) -> Result<Self, MediaError> {
        Ok(Self {
            microphone: Microphone::start(choice)?,
            shared: Arc::clone(shared),
            heard_until: None,
            lost: Duration::ZERO,
            reason: None,
        })
    }

    /// Writes what was heard. `begun` is the recording's time zero, and `until` that of its newest picture.
    pub(super) fn write(
        &mut self,
        encoder: &mut VideoEncoder,
        begun: Instant,
        until: Instant,
    ) -> Result<(), MediaError> {
        while let Some(event) = self.microphone.next_event() {
            match event {
                MicrophoneEvent::Sound(sound) => self.write_piece(encoder, begun, &sound)?,
                MicrophoneEvent::Running { name } => {
                    if self.reason.take().is_some() {
                        self.shared.tell(LiveEvent::SoundBack { name });
                    }
                }
                MicrophoneEvent::Lost(error) => {
                    let reason = error.to_string();
                    if self.reason.as_ref() != Some(&reason) {
                        self.shared.tell(LiveEvent::SoundLost { reason: reason.clone() });
                        self.reason = Some(reason);
                    }
                }
            }
        }
        match until.checked_sub(PATIENCE) {
            Some(due) => encoder.fill_sound_until(time_of(due, begun)),
            None => Ok(()),
        }
    }

    fn write_piece(
        &mut self,
        encoder: &mut VideoEncoder,
        begun: Instant,
        sound: &Sound,
    ) -> Result<(), MediaError> {
        self.note_gap(begun, sound.at, if self.heard_until.is_some() { GAP } else { PATIENCE });
        let length = Duration::from_secs_f64(sound.samples.len() as f64 / f64::from(sound.rate_hz));
        self.heard_until = Some(sound.at + length);
        encoder.write_sound(sound, time_of(sound.at, begun))
    }

    /// Counts what was not heard before `now`, where it is more than `allowed`.
    fn note_gap(&mut self, begun: Instant, now: Instant, allowed: Duration) {
        let gap = now.saturating_duration_since(self.heard_until.unwrap_or(begun).max(begun));
        if gap > allowed {
            self.lost += gap;
        }
    }

    /// How much was lost of a recording from `begun` to `now`.
    pub(super) fn lost_until(mut self, begun: Instant, now: Instant) -> Duration {
        // One that said that it cannot be heard is not waited for.
        let was_waited_for = self.heard_until.is_some() || self.reason.is_none();
        self.note_gap(begun, now, if was_waited_for { PATIENCE } else { Duration::ZERO });
        self.lost
    }
}

/// A time on the recording's clock; before its start it is below zero.
fn time_of(at: Instant, begun: Instant) -> Timestamp {
    let micros = |duration: Duration| duration.as_micros() as i64;
    let after = micros(at.saturating_duration_since(begun));
    Timestamp::new(after - micros(begun.saturating_duration_since(at)), Rational::MICROSECONDS)
}
