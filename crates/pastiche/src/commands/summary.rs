//! What is said when a video is restyled.

use std::path::Path;

use pastiche_inference::Stylizer;
use pastiche_media::AudioOutcome;
use pastiche_pipeline::{Losses, VideoSummary};
use serde::Serialize;

use crate::{engine::counted, failure::Outcome, report::Reporter, terminal::tell};

/// The last line of `--progress json`.
#[derive(Serialize)]
struct SummaryEvent<'a> {
    event: &'static str,
    output: &'a str,
    frames: u64,
    width: u32,
    height: u32,
    video_seconds: f64,
    bytes: u64,
    encoder: &'a str,
    /// `copied`, `converted` or `none`.
    audio: &'static str,
    audio_codec: Option<&'a str>,
    audio_source_codec: Option<&'a str>,
    device: &'a str,
    precision: &'a str,
    threads: usize,
    seconds: f64,
    fps: f64,
    cancelled: bool,
    /// Frames that an earlier job had done.
    frames_before: u64,
    #[serde(flatten)]
    losses: LossFigures<'a>,
}

/// What of the input is not in the output.
#[derive(Serialize)]
struct LossFigures<'a> {
    /// Pieces of the pictures that could not be decoded and are left out.
    skipped: u64,
    /// Frames of which parts are guessed.
    concealed: u64,
    /// What the pictures lack at their end.
    missing_seconds: Option<f64>,
    /// Whether the input, of which nobody knows how long it was, ends in the middle of something.
    breaks_off: bool,
    /// Why the input could not be read to its end.
    cut_short: Option<&'a str>,
    sound_damaged: u64,
    sound_missing_seconds: Option<f64>,
    sound_cut_short: Option<&'a str>,
    subtitles_cut_short: Option<&'a str>,
    /// Why the output's drive took no more.
    stopped: Option<&'a str>,
}

impl<'a> LossFigures<'a> {
    fn of(losses: &'a Losses) -> Self {
        let Losses { damage, cut_short, sound, subtitles_cut_short, stopped } = losses;
        Self {
            skipped: damage.skipped,
            concealed: damage.concealed,
            missing_seconds: damage.missing.map(|missing| missing.as_secs_f64()),
            breaks_off: damage.breaks_off,
            cut_short: cut_short.as_deref(),
            sound_damaged: sound.damaged,
            sound_missing_seconds: sound.missing.map(|missing| missing.as_secs_f64()),
            sound_cut_short: sound.cut_short.as_deref(),
            subtitles_cut_short: subtitles_cut_short.as_deref(),
            stopped: stopped.as_deref(),
        }
    }
}

/// Says what a job has done, and how the command ends.
pub(super) fn conclude(
    input: &Path,
    output: &Path,
    summary: &VideoSummary,
    stylizer: &Stylizer,
    reporter: &Reporter,
) -> Outcome {
    let seconds = summary.elapsed.as_secs_f64();
    let frames_now = summary.frames.saturating_sub(summary.pictures_before);
    let fps = frames_now as f64 / seconds.max(f64::EPSILON);
    let (audio, audio_codec, audio_source_codec) = match &summary.audio {
        AudioOutcome::None => ("none", None, None),
        AudioOutcome::Copied { codec } => ("copied", Some(*codec), Some(*codec)),
        AudioOutcome::Transcoded { from, to } => ("converted", Some(*to), Some(*from)),
    };
    reporter.event(&SummaryEvent {
        event: "summary",
        output: &output.to_string_lossy(),
        frames: summary.frames,
        width: summary.width,
        height: summary.height,
        video_seconds: summary.duration.as_secs_f64(),
        bytes: summary.bytes,
        encoder: &summary.encoder,
        audio,
        audio_codec,
        audio_source_codec,
        device: &summary.device,
        precision: stylizer.precision(),
        threads: stylizer.threads(),
        seconds,
        fps,
        cancelled: summary.cancelled,
        frames_before: summary.frames_before,
        losses: LossFigures::of(&summary.losses),
    });
    let whole = summary.losses.is_none();
    if !whole && !summary.cancelled {
        tell(format_args!("done in part: {}", describe_losses(&summary.losses, input)));
    }
    tell(format_args!(
        "{}{} of {}x{} in {seconds:.1} s ({fps:.1} fps), {}, {}: {}",
        if summary.cancelled { "stopped early, " } else { "" },
        counted(summary.frames, "frame"),
        summary.width,
        summary.height,
        summary.encoder,
        describe_audio(&summary.audio),
        output.display()
    ));
    match (summary.cancelled, whole) {
        (true, _) => Outcome::Interrupted,
        (false, true) => Outcome::Done,
        (false, false) => Outcome::DoneInPart,
    }
}

/// What of the input is not in the result, the path last.
fn describe_losses(losses: &Losses, input: &Path) -> String {
    let Losses { damage, cut_short, sound, subtitles_cut_short, stopped } = losses;
    let mut parts = Vec::new();
    if damage.skipped > 0 {
        parts.push(format!("{} could not be decoded", counted(damage.skipped, "piece")));
    }
    if damage.concealed > 0 {
        parts.push(format!("{} guessed in places", counted(damage.concealed, "frame")));
    }
    if let Some(missing) = damage.missing {
        parts.push(format!("the last {:.1} s are missing", missing.as_secs_f64()));
    }
    if damage.breaks_off {
        parts.push("the file breaks off".to_owned());
    }
    if sound.damaged > 0 {
        parts.push(format!("{} of the sound damaged", counted(sound.damaged, "piece")));
    }
    if let Some(missing) = sound.missing {
        parts.push(format!("the last {:.1} s of the sound are missing", missing.as_secs_f64()));
    }
    parts.extend(sound.cut_short.as_ref().map(|reason| format!("the sound ends early ({reason})")));
    parts.extend(subtitles_cut_short.as_ref().map(|reason| format!("the subtitles end early ({reason})")));
    // These end with a path of their own.
    parts.extend(cut_short.iter().chain(stopped).cloned());
    let told = parts.join(", ");
    if cut_short.is_some() || stopped.is_some() { told } else { format!("{told}: {}", input.display()) }
}

pub(super) fn describe_audio(outcome: &AudioOutcome) -> String {
    match outcome {
        AudioOutcome::None => "no sound".to_owned(),
        AudioOutcome::Copied { codec } => format!("sound copied ({codec})"),
        AudioOutcome::Transcoded { from, to } => {
            format!("sound converted from {from} to {}", if *to == "aac" { "AAC" } else { "Opus" })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pastiche_media::{Damage, SoundDamage};

    use super::*;

    #[test]
    fn losses_are_told_with_their_counts() {
        let missing = Some(Duration::from_millis(1250));
        let losses = Losses {
            damage: Damage { skipped: 1, concealed: 3, missing, breaks_off: false },
            sound: SoundDamage { damaged: 2, missing, cut_short: None },
            ..Losses::default()
        };
        assert_eq!(
            describe_losses(&losses, Path::new("in.mp4")),
            "1 piece could not be decoded, 3 frames guessed in places, the last 1.2 s are missing, \
             2 pieces of the sound damaged, the last 1.2 s of the sound are missing: in.mp4"
        );
        let losses = Losses {
            damage: Damage { breaks_off: true, ..Damage::default() },
            cut_short: Some("the drive is gone: in.mp4".to_owned()),
            sound: SoundDamage { cut_short: Some("gone".to_owned()), ..SoundDamage::default() },
            subtitles_cut_short: Some("gone".to_owned()),
            stopped: Some("no space left: out.mp4".to_owned()),
        };
        assert_eq!(
            describe_losses(&losses, Path::new("in.mp4")),
            "the file breaks off, the sound ends early (gone), the subtitles end early (gone), \
             the drive is gone: in.mp4, no space left: out.mp4"
        );
        assert!(Losses::default().is_none() && !losses.is_none());
    }
}
