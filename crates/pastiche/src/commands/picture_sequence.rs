//! `pastiche video` into numbered pictures.

use anyhow::{Result, bail};
use pastiche_media::{DecodeOptions, PictureSequence};
use pastiche_pipeline::{Painters, SequenceJob};

use super::{
    summary::conclude,
    video::{VideoArgs, tell_size},
};
use crate::{
    failure::Outcome,
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::remove_bar,
};

impl VideoArgs {
    pub(super) fn run_to_pictures(&self, output: PictureSequence) -> Result<Outcome> {
        if output.would_replace(&self.input) {
            bail!("the output is the input itself; choose another name: {}", self.output.display());
        }
        if let Some(existing) = output.existing().filter(|_| !self.overwrite.overwrite) {
            bail!("pictures of this name are there already; add -y to replace them: {}", existing.display());
        }
        let (style, upscaler) = (self.style.find(self.device.choice())?, self.upscale.find()?);
        let interrupt = Interrupt::watch("finishing this picture")?;
        let options = DecodeOptions {
            start: self.start,
            duration: self.duration,
            size: self.output_size()?,
            max_frame_rate: self.fps,
            hardware: self.hwaccel.into(),
        };
        // Before the job, which makes the folder.
        let mut stylizer = self.start_engine(&style)?;
        let mut upscaler = self.start_upscaler(upscaler)?;
        let job = SequenceJob::open(self.input.clone(), &options, output.at_rate(self.fps))?;
        tell_size(job.cropped(), job.size());
        let mut reporter = Reporter::new(self.progress, Unit::Frames);
        let painters = Painters { stylizer: &mut stylizer, upscaler: upscaler.as_mut() };
        let result = job.run(painters, |progress| reporter.update(progress), interrupt.cancel());
        remove_bar();
        Ok(conclude(&self.input, &self.output, &result?, &stylizer, &reporter))
    }
}
