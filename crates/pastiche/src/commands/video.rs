//! `pastiche video`: a video file, restyled into another.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Args, ValueEnum};
use pastiche_frame::Rational;
use pastiche_inference::{MIN_SIDE, Style, Stylizer};
use pastiche_media::{
    AudioMode, AudioOutcome, Damage, HardwareDecoding, MAX_SIDE, PictureSequence, SEQUENCE_RATE,
    is_picture_sequence, probe,
};
use pastiche_pipeline::{OutputSize, VideoJob, VideoJobOptions, VideoSummary};
use serde::Serialize;

use crate::{
    args::{
        ControlArgs, DeviceArgs, OverwriteArgs, ProcessSizeArgs, ProgressMode, SizeArgs, SmoothingArgs,
        StyleArgs, parse_frame_rate, parse_time, refuse_existing, refuse_input,
    },
    engine,
    failure::{Outcome, wrong_usage},
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::{remove_bar, tell},
};

/// Restyle a video file, sound included.
///
/// The result appears under its name when it is whole. The first Ctrl-C finishes it where it is, so that it plays.
#[derive(Args)]
pub(crate) struct VideoArgs {
    /// The video to restyle; or numbered pictures, such as frames/%04d.png, the first of them, or their folder.
    pub(super) input: PathBuf,

    /// The file to write, of the kind that its ending says: .mp4, .m4v, .mov, .mkv or .webm. A name with a number's place,
    /// such as frames/%05d.png, or a folder's with a / at its end, gives a picture for each frame.
    #[arg(short, long, value_name = "OUT.mp4")]
    pub(super) output: PathBuf,

    #[command(flatten)]
    pub(super) overwrite: OverwriteArgs,

    #[command(flatten)]
    pub(super) style: StyleArgs,

    #[command(flatten)]
    pub(super) controls: ControlArgs,

    #[command(flatten)]
    pub(super) smoothing: SmoothingArgs,

    #[command(flatten)]
    size: SizeArgs,

    #[command(flatten)]
    pub(super) process_size: ProcessSizeArgs,

    /// Leave out what comes before this time: 90, 1:30 or 1:02:03.5.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) start: Option<Duration>,

    /// Stop after this much of the video.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) duration: Option<Duration>,

    /// A constant frame rate, such as 30 or 30000/1001; the source's frames at their own times unless given, numbered
    /// pictures at 25.
    #[arg(long, value_name = "F", value_parser = parse_frame_rate)]
    pub(super) fps: Option<Rational>,

    /// The video encoder (see `pastiche devices`); the best that works here unless given.
    #[arg(long, value_name = "NAME")]
    encoder: Option<String>,

    /// Constant quality: lower is better and larger.
    #[arg(long, value_name = "N")]
    crf: Option<u8>,

    /// The encoder's balance of speed and size, such as veryfast or slow.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// What becomes of the sound: copy takes it over untouched where the result can hold it, else converts it; aac
    /// converts it (to Opus in .webm); none leaves it out; a number takes that one of several, counted from 1.
    #[arg(long, value_name = "copy|aac|none|N", default_value = "copy", value_parser = parse_sound)]
    audio: Sound,

    #[command(flatten)]
    pub(super) device: DeviceArgs,

    /// What decodes the video.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = HwAccel::Auto)]
    pub(super) hwaccel: HwAccel,

    /// How progress is told.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::Auto)]
    pub(super) progress: ProgressMode,
}

/// What decodes a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HwAccel {
    /// An NVIDIA card where there is one that can, else the processor.
    Auto,
    /// The processor.
    None,
}

impl From<HwAccel> for HardwareDecoding {
    fn from(hwaccel: HwAccel) -> Self {
        match hwaccel {
            HwAccel::Auto => Self::Auto,
            HwAccel::None => Self::None,
        }
    }
}

/// What becomes of the sound; none of it without a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sound(Option<AudioMode>);

fn parse_sound(text: &str) -> Result<Sound, String> {
    match text {
        "copy" => Ok(Sound(Some(AudioMode::Copy))),
        "aac" => Ok(Sound(Some(AudioMode::Aac))),
        "none" => Ok(Sound(None)),
        number => match number.parse() {
            Ok(number) if number > 0 => Ok(Sound(Some(AudioMode::Track(number)))),
            _ => Err("give copy, aac, none, or the number of a sound, counted from 1".to_owned()),
        },
    }
}

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
    /// Pieces of the input that could not be decoded and are left out.
    skipped: u64,
    /// Frames of which parts are guessed.
    concealed: u64,
    /// What the input lacks at its end.
    missing_seconds: Option<f64>,
    /// Why the input could not be read to its end.
    cut_short: Option<&'a str>,
}

impl VideoArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        if self.duration.is_some_and(|duration| duration.is_zero()) {
            return Err(wrong_usage("a duration of 0 leaves nothing to restyle; give a longer one"));
        }
        refuse_input(&self.input, &self.output)?;
        refuse_existing(&self.output, self.overwrite.overwrite)?;
        if is_picture_sequence(&self.input) && self.fps.is_none() {
            tell(format_args!(
                "numbered pictures, taken at {} a second; --fps says otherwise",
                SEQUENCE_RATE.numerator()
            ));
        }
        if let Some(output) = PictureSequence::of(&self.output) {
            return self.run_to_pictures(output);
        }
        let style = self.style.find()?;
        let size = self.output_size()?;

        let interrupt = Interrupt::watch("finishing the file so that it plays")?;
        let job = VideoJob::open(self.job_options(size))?;
        interrupt.begin(Some(job.partial_path().to_owned()));
        if job.cropped() {
            let (width, height) = job.size();
            tell(format_args!(
                "the video's size is odd, which encoders cannot take; cut to {width}x{height}"
            ));
        }
        let controls = self.controls.controls(Some(&self.smoothing));
        let process_size = self.process_size.process_size();
        let mut stylizer =
            engine::start(Style::load(&style)?, &self.device.beside_a_codec(), process_size, controls)?;
        tell(format_args!("encoder {}, {}", job.encoder_name(), describe_audio(job.audio())));

        let mut reporter = Reporter::new(self.progress, Unit::Frames);
        let result = job.run(&mut stylizer, |progress| reporter.update(progress), interrupt.cancel());
        remove_bar();
        let summary = result?;
        self.conclude(&summary, &stylizer, &reporter);
        Ok(match (summary.cancelled, summary.is_whole()) {
            (true, _) => Outcome::Interrupted,
            (false, true) => Outcome::Done,
            (false, false) => Outcome::DoneInPart,
        })
    }

    /// The result's width and height where they differ from the source's; even, as encoders need them.
    pub(super) fn output_size(&self) -> Result<Option<(u32, u32)>> {
        match self.size.output_size() {
            OutputSize::Source => Ok(None),
            OutputSize::Exactly(width, height) if (width | height).is_multiple_of(2) => {
                Ok(Some((width, height)))
            }
            OutputSize::Exactly(width, height) => Err(wrong_usage(format!(
                "a video of {width}x{height} cannot be encoded, sides must be even; try {}x{}",
                width.next_multiple_of(2),
                height.next_multiple_of(2)
            ))),
            scale @ OutputSize::Scaled(_) => {
                // Without a picture to scale, opening the job says what is wrong.
                let Some(source) = probe(&self.input)?.video else { return Ok(None) };
                let (width, height) = scale.even_of(source.width, source.height);
                if [width, height].iter().any(|side| !(MIN_SIDE..=MAX_SIDE).contains(side)) {
                    return Err(wrong_usage(format!(
                        "at this scale the video becomes {width}x{height}; {MIN_SIDE} to {MAX_SIDE} pixels a side work"
                    )));
                }
                Ok(Some((width, height)))
            }
        }
    }

    fn job_options(&self, size: Option<(u32, u32)>) -> VideoJobOptions {
        VideoJobOptions {
            input: self.input.clone(),
            output: self.output.clone(),
            start: self.start,
            duration: self.duration,
            size,
            frame_rate: self.fps,
            encoder: self.encoder.clone(),
            crf: self.crf,
            preset: self.preset.clone(),
            audio: self.audio.0,
            hardware: self.hwaccel.into(),
        }
    }

    fn conclude(&self, summary: &VideoSummary, stylizer: &Stylizer, reporter: &Reporter) {
        let seconds = summary.elapsed.as_secs_f64();
        let fps = summary.frames as f64 / seconds.max(f64::EPSILON);
        let (audio, audio_codec, audio_source_codec) = match &summary.audio {
            AudioOutcome::None => ("none", None, None),
            AudioOutcome::Copied { codec } => ("copied", Some(*codec), Some(*codec)),
            AudioOutcome::Transcoded { from, to } => ("converted", Some(*to), Some(*from)),
        };
        reporter.event(&SummaryEvent {
            event: "summary",
            output: &self.output.to_string_lossy(),
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
            skipped: summary.damage.skipped,
            concealed: summary.damage.concealed,
            missing_seconds: summary.damage.missing.map(|missing| missing.as_secs_f64()),
            cut_short: summary.cut_short.as_deref(),
        });
        if !summary.is_whole() && !summary.cancelled {
            let what = describe_damage(summary.damage, summary.cut_short.as_deref());
            tell(format_args!("done in part: {what}: {}", self.input.display()));
        }
        tell(format_args!(
            "{}{} of {}x{} in {seconds:.1} s ({fps:.1} fps), {}, {}: {}",
            if summary.cancelled { "stopped early, " } else { "" },
            engine::counted(summary.frames, "frame"),
            summary.width,
            summary.height,
            summary.encoder,
            describe_audio(&summary.audio),
            self.output.display()
        ));
    }
}

/// What of the input is not in the result.
pub(super) fn describe_damage(damage: Damage, cut_short: Option<&str>) -> String {
    let mut parts = Vec::new();
    if damage.skipped > 0 {
        parts.push(format!("{} could not be decoded", engine::counted(damage.skipped, "piece")));
    }
    if damage.concealed > 0 {
        parts.push(format!("{} guessed in places", engine::counted(damage.concealed, "frame")));
    }
    if let Some(missing) = damage.missing {
        parts.push(format!("the last {:.1} s are missing", missing.as_secs_f64()));
    }
    parts.extend(cut_short.map(str::to_owned));
    parts.join(", ")
}

fn describe_audio(outcome: &AudioOutcome) -> String {
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
    use super::*;

    #[test]
    fn the_sound_is_a_mode_or_a_number() {
        let read = |text| parse_sound(text).map(|sound| sound.0);
        assert_eq!(read("copy"), Ok(Some(AudioMode::Copy)));
        assert_eq!(read("none"), Ok(None));
        assert_eq!(read("2"), Ok(Some(AudioMode::Track(2))));
        for text in ["0", "-1", "", "second"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn damage_is_told_with_its_counts() {
        let damage = Damage { skipped: 1, concealed: 3, missing: Some(Duration::from_millis(1250)) };
        assert_eq!(
            describe_damage(damage, None),
            "1 piece could not be decoded, 3 frames guessed in places, the last 1.2 s are missing"
        );
        assert_eq!(describe_damage(Damage::default(), Some("the drive is gone")), "the drive is gone");
    }
}
