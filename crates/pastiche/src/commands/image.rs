//! `pastiche image`: photographs, restyled.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use pastiche_frame::Frame;
use pastiche_inference::{Controls, Style};
use pastiche_media::{IMAGE_ENDINGS, is_written_image, write_image};
use pastiche_pipeline::{Progress, restyle_image};
use serde::Serialize;

use crate::{
    args::{
        ControlArgs, DeviceArgs, OptionalStyleArgs, OverwriteArgs, ProcessSizeArgs, ProgressMode, SizeArgs,
        UpscaleArgs, refuse_existing, refuse_input, refuse_inputs,
    },
    commands::{folder, names::output_names},
    engine,
    failure::{Outcome, one_line, wrong_usage},
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::{remove_bar, tell},
};

/// Restyle photographs (PNG, JPEG, WebP, TIFF, BMP).
///
/// Several, or those of a folder and the folders in it, are written into a folder, under their own names; one that fails is
/// told and counted, and the others go on.
#[derive(Args)]
pub(crate) struct ImageArgs {
    /// The images to restyle, or folders of them.
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,

    /// The PNG or JPEG file to write, or the folder to write into.
    #[arg(short, long, value_name = "OUT|DIR")]
    output: PathBuf,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    #[command(flatten)]
    style: OptionalStyleArgs,

    #[command(flatten)]
    controls: ControlArgs,

    #[command(flatten)]
    size: SizeArgs,

    #[command(flatten)]
    process_size: ProcessSizeArgs,

    #[command(flatten)]
    upscale: UpscaleArgs,

    #[command(flatten)]
    device: DeviceArgs,

    /// How progress is told.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::Auto)]
    progress: ProgressMode,
}

/// One image's way.
struct Errand {
    input: PathBuf,
    output: PathBuf,
}

/// What became of one image, in `--progress json`.
#[derive(Serialize)]
struct ImageEvent<'a> {
    event: &'static str,
    input: &'a str,
    output: &'a str,
    width: Option<u32>,
    height: Option<u32>,
    error: Option<String>,
}

/// The last line of `--progress json`.
#[derive(Serialize)]
struct SummaryEvent {
    event: &'static str,
    done: u64,
    failed: u64,
    total: u64,
    seconds: f64,
    cancelled: bool,
}

/// Counts what became of the images.
struct Tally {
    started: Instant,
    total: u64,
    done: u64,
    failed: u64,
    cancelled: bool,
}

impl ImageArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let errands = self.errands()?;
        let (style, upscaler) = (self.style.find(self.device.choice())?, self.upscale.find()?);
        let size = self.size.output_size()?;
        let controls = self.controls.controls(None);
        let process_size = self.process_size.process_size()?;
        if style.is_none() && (controls != Controls::default() || process_size.is_some()) {
            return Err(wrong_usage(
                "--strength, --keep-colors and --process-size are about a painting; name its --style, or leave them out",
            ));
        }
        let mut reporter = Reporter::new(self.progress, Unit::Images);
        let mut tally = Tally::new(errands.len() as u64);

        // What can be seen to fail is told before the heavy work begins.
        let check = |errand: &Errand| match self.check(errand) {
            Ok(()) => true,
            Err(error) => {
                tally.fail(errand, &error, &reporter);
                false
            }
        };
        let errands: Vec<Errand> = errands.into_iter().filter(check).collect();
        if !errands.is_empty() {
            let interrupt = Interrupt::watch("finishing this image")?;
            let start =
                |style: PathBuf| engine::start(Style::load(&style)?, &self.device, process_size, controls);
            let mut stylizer = style.map(start).transpose()?;
            let start = |(factor, file): (u32, PathBuf)| engine::start_upscaler(&file, factor, &self.device);
            let mut upscaler = upscaler.map(start).transpose()?;
            for errand in &errands {
                if interrupt.cancel().is_cancelled() {
                    tally.cancelled = true;
                    break;
                }
                let mut on_part = |part| reporter.update(&tally.progress(part));
                let (stylizer, upscaler) = (stylizer.as_mut(), upscaler.as_mut());
                let restyled = restyle_image(&errand.input, size, stylizer, upscaler, &mut on_part);
                match restyled.map_err(Into::into).and_then(|picture| self.write(errand, &picture)) {
                    Ok(size) => tally.succeed(errand, size, &reporter),
                    Err(error) => tally.fail(errand, &error, &reporter),
                }
                reporter.update(&tally.progress(0.0));
            }
        }
        remove_bar();
        tally.conclude(&reporter);
        Ok(tally.outcome())
    }

    /// Whether the output names a file, not a folder.
    fn output_is_file(&self) -> bool {
        is_written_image(&self.output) && !self.output.is_dir()
    }

    /// Where each image goes.
    fn errands(&self) -> Result<Vec<Errand>> {
        if let ([input], true) = (&self.inputs[..], self.output_is_file())
            && !input.is_dir()
        {
            refuse_input(input, &self.output)?;
            return Ok(vec![Errand { input: input.clone(), output: self.output.clone() }]);
        }
        if self.output_is_file() {
            return Err(wrong_usage(format!(
                "several images need a folder to go into, not a file: {}",
                self.output.display()
            )));
        }
        let one_file = self.inputs.len() == 1 && !self.inputs[0].is_dir();
        if one_file && !self.output.is_dir() && !is_folder_name(&self.output) {
            return Err(wrong_usage(format!(
                "the output is neither a folder nor a .png or .jpg file; name one of these, a new folder with a / at its end: {}",
                self.output.display()
            )));
        }
        let (inputs, names): (Vec<_>, Vec<_>) = self.inputs_with_names()?.into_iter().unzip();
        let (names, renamed) = output_names(&names);
        if renamed > 0 {
            let images = engine::counted(renamed as u64, "image");
            tell(format_args!("{images} written under another name, since one of the others has it"));
        }
        let errand = |(input, name)| Errand { input, output: self.output.join::<PathBuf>(name) };
        let errands: Vec<Errand> = inputs.into_iter().zip(names).map(errand).collect();
        let paths = |path: fn(&Errand) -> &Path| errands.iter().map(path).collect::<Vec<_>>();
        errands.iter().try_for_each(|errand| refuse_input(&errand.input, &errand.output))?;
        refuse_inputs(&paths(|errand| &errand.input), &paths(|errand| &errand.output))?;
        Ok(errands)
    }

    /// Every image, those of folders included, and its path from the folder that is named.
    fn inputs_with_names(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let mut found = Vec::new();
        for input in &self.inputs {
            if !input.is_dir() {
                found.push((input.clone(), PathBuf::from(input.file_name().unwrap_or_default())));
                continue;
            }
            let images = folder::images(input, &self.output);
            if images.is_empty() {
                bail!(
                    "there are no images in this folder ({}); choose another: {}",
                    IMAGE_ENDINGS.join(", "),
                    input.display()
                );
            }
            found.extend(images);
        }
        Ok(found)
    }

    /// Writes a picture, and makes its folder before; one that is named as the output's is the user's to make. Returns the
    /// picture's width and height.
    fn write(&self, errand: &Errand, picture: &Frame) -> Result<(u32, u32)> {
        if let Some(folder) = errand.output.parent().filter(|_| !self.output_is_file()) {
            fs::create_dir_all(folder).map_err(|error| {
                anyhow!("the folder cannot be made ({error}); choose another place: {}", folder.display())
            })?;
        }
        write_image(&errand.output, picture)?;
        Ok((picture.width(), picture.height()))
    }

    fn check(&self, errand: &Errand) -> Result<()> {
        if !errand.input.exists() {
            bail!("there is no such file; check the name: {}", errand.input.display());
        }
        refuse_existing(&errand.output, self.overwrite.overwrite)
    }
}

impl Tally {
    fn new(total: u64) -> Self {
        Self { started: Instant::now(), total, done: 0, failed: 0, cancelled: false }
    }

    fn succeed(&mut self, errand: &Errand, (width, height): (u32, u32), reporter: &Reporter) {
        self.done += 1;
        reporter.event(&ImageEvent {
            event: "image",
            input: &errand.input.to_string_lossy(),
            output: &errand.output.to_string_lossy(),
            width: Some(width),
            height: Some(height),
            error: None,
        });
        log::info!("{width}x{height}: {}", errand.output.display());
    }

    fn fail(&mut self, errand: &Errand, error: &anyhow::Error, reporter: &Reporter) {
        self.failed += 1;
        let error = one_line(error);
        tell(format_args!("error: {error}"));
        reporter.event(&ImageEvent {
            event: "image",
            input: &errand.input.to_string_lossy(),
            output: &errand.output.to_string_lossy(),
            width: None,
            height: None,
            error: Some(error),
        });
    }

    /// How far it is, with this part of the image in hand.
    fn progress(&self, part: f64) -> Progress {
        let elapsed = self.started.elapsed();
        let finished = (self.done + self.failed) as f64 + part;
        let left = (self.total as f64 - finished).max(0.0) / finished;
        Progress {
            frames_done: self.done + self.failed,
            frames_total: Some(self.total),
            frames_per_second: finished / elapsed.as_secs_f64().max(f64::EPSILON),
            elapsed,
            time_left: left.is_finite().then(|| elapsed.mul_f64(left)),
        }
    }

    /// Says what became of all of them.
    fn conclude(&self, reporter: &Reporter) {
        let seconds = self.started.elapsed().as_secs_f64();
        reporter.event(&SummaryEvent {
            event: "summary",
            done: self.done,
            failed: self.failed,
            total: self.total,
            seconds,
            cancelled: self.cancelled,
        });
        if self.done > 0 || self.total > 1 {
            let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
            let done = engine::counted(self.done, "image");
            tell(format_args!("{done} done in {seconds:.1} s{failed}"));
        }
    }

    /// How the command ends.
    fn outcome(&self) -> Outcome {
        match (self.cancelled, self.done, self.failed) {
            (true, ..) => Outcome::Interrupted,
            (false, _, 0) => Outcome::Done,
            (false, 0, _) => Outcome::Failed,
            (false, ..) => Outcome::DoneInPart,
        }
    }
}

/// Whether a path that may not exist is meant as a folder: `out/`.
fn is_folder_name(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_image_counts_for_the_time_that_is_left() {
        let tally = Tally { done: 1, ..Tally::new(2) };
        assert_eq!(tally.progress(0.5).frames_done, 1);
        let Progress { elapsed, time_left, .. } = tally.progress(0.5);
        assert!((time_left.unwrap().as_secs_f64() - elapsed.as_secs_f64() / 3.0).abs() < 1e-6);
        assert_eq!(Tally::new(2).progress(0.0).time_left, None);
        assert_eq!(tally.progress(1.0).time_left, Some(std::time::Duration::ZERO));
    }

    #[test]
    fn a_tally_ends_as_its_counts_say() {
        let outcome = |done, failed, cancelled| Tally { done, failed, cancelled, ..Tally::new(3) }.outcome();
        assert_eq!(outcome(3, 0, false), Outcome::Done);
        assert_eq!(outcome(2, 1, false), Outcome::DoneInPart);
        assert_eq!(outcome(0, 3, false), Outcome::Failed);
        assert_eq!(outcome(1, 0, true), Outcome::Interrupted);
    }
}
