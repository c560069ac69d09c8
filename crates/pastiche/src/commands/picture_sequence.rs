//! `pastiche video` into numbered pictures.

use anyhow::{Result, bail};
use pastiche_inference::Style;
use pastiche_media::PictureSequence;
use pastiche_pipeline::{SequenceJob, SequenceJobOptions, SequenceSummary};
use serde::Serialize;

use super::video::{VideoArgs, describe_damage};
use crate::{
    engine,
    failure::{Outcome, wrong_usage},
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::{remove_bar, tell},
};

/// The last line of `--progress json`.
#[derive(Serialize)]
struct SummaryEvent<'a> {
    event: &'static str,
    output: &'a str,
    frames: u64,
    width: u32,
    height: u32,
    /// Pictures have none.
    audio: &'static str,
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
    pub(super) fn run_to_pictures(&self, output: PictureSequence) -> Result<Outcome> {
        if output.would_replace(&self.input) {
            let output = self.output.display();
            return Err(wrong_usage(format!(
                "the output is the input itself; choose another name: {output}"
            )));
        }
        if let Some(existing) = output.existing().filter(|_| !self.overwrite.overwrite) {
            bail!("pictures of this name are there already; add -y to replace them: {}", existing.display());
        }
        let style = self.style.find()?;
        let interrupt = Interrupt::watch("finishing this picture")?;
        let job = SequenceJob::open(SequenceJobOptions {
            input: self.input.clone(),
            output: output.at_rate(self.fps),
            start: self.start,
            duration: self.duration,
            size: self.output_size()?,
            max_frame_rate: self.fps,
            hardware: self.hwaccel.into(),
        })?;
        if job.cropped() {
            let (width, height) = job.size();
            tell(format_args!("the video's size is odd; cut to {width}x{height}"));
        }
        let controls = self.controls.controls(Some(&self.smoothing));
        let process_size = self.process_size.process_size();
        let mut stylizer =
            engine::start(Style::load(&style)?, &self.device.beside_a_codec(), process_size, controls)?;
        let mut reporter = Reporter::new(self.progress, Unit::Frames);
        let result = job.run(&mut stylizer, |progress| reporter.update(progress), interrupt.cancel());
        remove_bar();
        let summary = result?;
        self.conclude_pictures(&summary, &reporter);
        Ok(match (summary.cancelled, summary.is_whole()) {
            (true, _) => Outcome::Interrupted,
            (false, true) => Outcome::Done,
            (false, false) => Outcome::DoneInPart,
        })
    }

    fn conclude_pictures(&self, summary: &SequenceSummary, reporter: &Reporter) {
        let seconds = summary.elapsed.as_secs_f64();
        let fps = summary.pictures as f64 / seconds.max(f64::EPSILON);
        reporter.event(&SummaryEvent {
            event: "summary",
            output: &self.output.to_string_lossy(),
            frames: summary.pictures,
            width: summary.width,
            height: summary.height,
            audio: "none",
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
            "{}{} of {}x{} in {seconds:.1} s ({fps:.1} fps), without sound: {}",
            if summary.cancelled { "stopped early, " } else { "" },
            engine::counted(summary.pictures, "picture"),
            summary.width,
            summary.height,
            self.output.display()
        ));
    }
}
