//! `pastiche video`: a video file, restyled into another.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::{Args, ValueEnum};
use pastiche_frame::Rational;
use pastiche_inference::{Style, Stylizer, Upscaler};
use pastiche_media::{
    AudioMode, HardwareDecoding, PictureSequence, SEQUENCE_RATE, is_picture_sequence, probe,
};
use pastiche_pipeline::{OutputSize, Painters, VideoJob, VideoJobOptions};

use super::summary::{conclude, describe_audio};
use crate::{
    args::{
        ControlArgs, DeviceArgs, OverwriteArgs, ProcessSizeArgs, ProgressMode, SizeArgs, SmoothingArgs,
        StyleArgs, UpscaleArgs, check_sides, parse_frame_rate, parse_time, refuse_existing, refuse_input,
    },
    engine,
    failure::{Outcome, wrong_usage},
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::{remove_bar, tell},
};

/// Restyle a video file, sound included.
///
/// The result appears under its name when it is whole. The first Ctrl-C finishes it where it is, so that it plays; with
/// --resume it keeps what is finished, and the same command goes on from there.
#[derive(Args)]
pub(crate) struct VideoArgs {
    /// The video to restyle; or numbered pictures, such as frames/%04d.png, the first of them, or their folder.
    pub(super) input: PathBuf,

    /// The file to write, of the kind that its ending says: .mp4, .m4v, .mov, .mkv or .webm. A name with a number's place,
    /// such as frames/%05d.png, or a folder's with a / at its end, gives a picture for each frame; with -y they take the places
    /// of those that are there, and more that were there stay behind them.
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

    #[command(flatten)]
    pub(super) upscale: UpscaleArgs,

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

    /// Work in pieces that are kept in OUT.mp4.pastiche-part when the job is stopped or killed, or its drive is full, and go on
    /// with those that are there.
    #[arg(long)]
    resume: bool,

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

impl VideoArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        if self.duration.is_some_and(|duration| duration.is_zero()) {
            return Err(wrong_usage("a duration of 0 leaves nothing to restyle; give a longer one"));
        }
        if self.output.is_dir() && PictureSequence::of(&self.output).is_none() {
            let output = self.output.display();
            return Err(wrong_usage(format!(
                "the output is a folder; name a file in it, or put a / at its end for a picture of each frame: {output}"
            )));
        }
        refuse_input(&self.input, &self.output)?;
        refuse_existing(&self.output, self.overwrite.overwrite)?;
        if is_picture_sequence(&self.input) && self.fps.is_none() {
            tell(format_args!(
                "numbered pictures, taken at {} a second; --fps says otherwise",
                SEQUENCE_RATE.numerator()
            ));
        }
        if self.resume && (is_picture_sequence(&self.input) || PictureSequence::of(&self.output).is_some()) {
            return Err(wrong_usage(
                "--resume is for video files; numbered pictures are each whole as they are",
            ));
        }
        if let Some(output) = PictureSequence::of(&self.output) {
            return self.run_to_pictures(output);
        }
        let (style, upscaler) = (self.style.find(self.device.choice())?, self.upscale.find()?);
        let factor = upscaler.as_ref().map(|(factor, _)| *factor);
        let options = self.job_options(self.output_size()?, factor);
        if self.resume {
            return self.run_in_parts(options, &style, upscaler);
        }
        let interrupt = Interrupt::watch("finishing the file so that it plays")?;
        let job = VideoJob::open(options)?;
        tell_size(job.cropped(), job.size());
        let mut stylizer = self.start_engine(&style)?;
        let mut upscaler = self.start_upscaler(upscaler)?;
        tell(format_args!("encoder {}, {}", job.encoder_name(), describe_audio(job.audio())));

        let mut reporter = Reporter::new(self.progress, Unit::Frames);
        let painters = Painters { stylizer: &mut stylizer, upscaler: upscaler.as_mut() };
        let result = job.run(painters, |progress| reporter.update(progress), interrupt.cancel());
        remove_bar();
        Ok(conclude(&self.input, &self.output, &result?, &stylizer, &reporter))
    }

    /// Puts the style on its device.
    pub(super) fn start_engine(&self, style: &Path) -> Result<Stylizer> {
        let controls = self.controls.controls(Some(&self.smoothing));
        let process_size = self.process_size.process_size()?;
        engine::start(Style::load(style)?, &self.device.beside_a_codec(), process_size, controls)
    }

    /// Puts what enlarges on its device, where something is to.
    pub(super) fn start_upscaler(&self, upscaler: Option<(u32, PathBuf)>) -> Result<Option<Upscaler>> {
        let start = |(factor, file): (u32, PathBuf)| {
            engine::start_upscaler(&file, factor, &self.device.beside_a_codec())
        };
        upscaler.map(start).transpose()
    }

    /// The result's width and height where they differ from the source's; even, as encoders need them.
    pub(super) fn output_size(&self) -> Result<Option<(u32, u32)>> {
        match self.size.output_size()? {
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
                check_sides(width, height)?;
                Ok(Some((width, height)))
            }
        }
    }

    fn job_options(&self, size: Option<(u32, u32)>, upscale: Option<u32>) -> VideoJobOptions {
        VideoJobOptions {
            input: self.input.clone(),
            output: self.output.clone(),
            start: self.start,
            duration: self.duration,
            size,
            upscale,
            frame_rate: self.fps,
            encoder: self.encoder.clone(),
            crf: self.crf,
            preset: self.preset.clone(),
            audio: self.audio.0,
            hardware: self.hwaccel.into(),
        }
    }
}

/// Says what an odd-sized video loses.
pub(super) fn tell_size(cropped: bool, (width, height): (u32, u32)) {
    if cropped {
        tell(format_args!("the video's size is odd, which encoders cannot take; cut to {width}x{height}"));
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
}
