//! `pastiche video --resume`: a job that can be taken up again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow};
use pastiche_pipeline::{NetworkSums, Painters, Resumable, ResumableJob, VideoJobOptions};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    summary::{conclude, describe_audio},
    video::{VideoArgs, tell_size},
};
use crate::{
    engine::counted,
    failure::Outcome,
    interrupt::Interrupt,
    report::{Reporter, Unit},
    terminal::{remove_bar, tell},
};

/// The last line of `--progress json` where the output is not written yet.
#[derive(Serialize)]
struct KeptEvent<'a> {
    event: &'static str,
    /// None yet.
    output: Option<&'a str>,
    /// Frames that are kept.
    frames: u64,
    frames_total: Option<u64>,
    /// Where they are.
    parts: &'a str,
    cancelled: bool,
    /// Why a drive takes or gives no more.
    stopped: Option<&'a str>,
}

impl VideoArgs {
    pub(super) fn run_in_parts(
        &self,
        options: VideoJobOptions,
        style: &Path,
        upscaler: Option<(u32, PathBuf)>,
    ) -> Result<Outcome> {
        let interrupt = Interrupt::watch("keeping what is finished")?;
        let job = ResumableJob::open(options)?;
        tell_size(job.cropped(), job.size());
        let process_size = self.process_size.process_size()?;
        let enlarging = upscaler.as_ref().map(|(_, file)| checksum(file)).transpose()?;
        let networks = NetworkSums { style: checksum(style)?, upscaler: enlarging };
        let mut stylizer = self.start_engine(style)?;
        let mut upscaler = self.start_upscaler(upscaler)?;
        tell(format_args!("encoder {}, {}", job.encoder_name(), describe_audio(job.audio())));

        let mut reporter = Reporter::new(self.progress, Unit::Frames);
        let ended = job.run(
            Painters { stylizer: &mut stylizer, upscaler: upscaler.as_mut() },
            &networks,
            process_size,
            |progress| reporter.update(progress),
            interrupt.cancel(),
        );
        remove_bar();
        match ended? {
            Resumable::Done { summary, kept } => {
                let outcome = conclude(&self.input, &self.output, &summary, &stylizer, &reporter);
                if let Some(folder) = kept {
                    tell(format_args!(
                        "the finished frames are kept, and the same command with -y may get further: {}",
                        folder.display()
                    ));
                }
                Ok(outcome)
            }
            Resumable::Kept { frames, frames_total, folder, stopped } => {
                reporter.event(&KeptEvent {
                    event: "summary",
                    output: None,
                    frames,
                    frames_total,
                    parts: &folder.to_string_lossy(),
                    cancelled: stopped.is_none(),
                    stopped: stopped.as_deref(),
                });
                let total = frames_total.map_or_else(String::new, |total| format!(" of {total}"));
                let done = counted(frames, "frame");
                let (why, outcome) = match stopped {
                    Some(reason) => (format!("done in part: {reason}; "), Outcome::DoneInPart),
                    None => ("stopped early, ".to_owned(), Outcome::Interrupted),
                };
                tell(format_args!(
                    "{why}{done}{total} are kept, and the same command goes on from there: {}",
                    folder.display()
                ));
                Ok(outcome)
            }
        }
    }
}

/// What no other network has.
fn checksum(network: &Path) -> Result<String> {
    let bytes = fs::read(network).map_err(|error| {
        anyhow!("the network cannot be read ({error}); check that it may be: {}", network.display())
    })?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
