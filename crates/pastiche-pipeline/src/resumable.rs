//! A video job that can be taken up again: it works in parts that are kept, and joins them at the end.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use pastiche_frame::Frame;
use pastiche_inference::{Past, Stylizer};
use pastiche_media::{AudioOutcome, EncodeOptions, JoinOptions, MediaError, VideoEncoder, join_parts};

use crate::{
    Cancel, Ending, PipelineError, Progress, Sink, VideoJobOptions, VideoSummary,
    error::Result,
    parts::{PartsFolder, Settings, source_settings},
    progress::ProgressMeter,
    reader::FrameReader,
    run_stages,
    video::{STAGES, losses},
};

/// Frames in a part: few enough to lose when a job is stopped, enough that the parts' first pictures, which need more
/// space than others, do not show.
const PART_FRAMES: u64 = 250;

/// A video job that leaves what is done when it is stopped, and goes on from there.
pub struct ResumableJob {
    options: VideoJobOptions,
    reader: FrameReader,
    encode_options: EncodeOptions,
    audio: AudioOutcome,
}

/// How a job ended that can be taken up again.
#[derive(Debug, Clone, PartialEq)]
pub enum Resumable {
    /// The output is written.
    Done(Box<VideoSummary>),
    /// The output is not written yet; the parts are kept.
    Kept {
        /// Frames in the parts.
        frames: u64,
        /// Frames that there will be, as far as the input tells.
        frames_total: Option<u64>,
        /// Where the parts are.
        folder: PathBuf,
        /// Why the drive takes no more; nothing where the job was cancelled.
        stopped: Option<String>,
    },
}

impl ResumableJob {
    /// Opens the input, and checks that the output can be written as asked.
    ///
    /// # Errors
    /// As [`crate::VideoJob::open`].
    pub fn open(options: VideoJobOptions) -> Result<Self> {
        let reader = FrameReader::open(&options.input, &options.decode_options())?;
        let mut encode_options = options.encode_options(reader.decoder());
        // The whole is encoded by what goes into the output's container, whatever a part's would take.
        let whole = VideoEncoder::create_with(&options.output, &encode_options, Some(&options.extras()))?;
        encode_options.encoder = Some(whole.encoder_name().to_owned());
        Ok(Self { audio: whole.audio().clone(), options, reader, encode_options })
    }

    /// Width and height of the result.
    pub fn size(&self) -> (u32, u32) {
        self.reader.decoder().size()
    }

    /// Whether the last column or row of an odd-sized video is left out.
    pub fn cropped(&self) -> bool {
        self.reader.decoder().cropped()
    }

    /// The video encoder.
    pub fn encoder_name(&self) -> &str {
        self.encode_options.encoder.as_deref().unwrap_or_default()
    }

    /// What becomes of the sound.
    pub fn audio(&self) -> &AudioOutcome {
        &self.audio
    }

    /// Restyles every frame that no finished part holds, as [`crate::VideoJob::run`] does, and joins the parts. `style` is
    /// something that no other style has, such as a checksum of its file; `process_size` that of `stylizer`.
    ///
    /// # Errors
    /// The parts that are there are of another job; or reading, restyling or writing failed. Finished parts stay.
    pub fn run(
        self,
        stylizer: &mut Stylizer,
        style: &str,
        process_size: Option<(u32, u32)>,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<Resumable> {
        let settings = self.settings(stylizer, style, process_size);
        let Self { options, mut reader, encode_options, audio } = self;
        let (width, height) = reader.decoder().size();
        let frames_total = reader.decoder().expected_frames();
        let folder = PartsFolder::open(PartsFolder::path_for(&options.output), settings)?;
        let mut meter = ProgressMeter::start(frames_total);
        let frames_before = folder.frames();
        stylizer.reset();
        if stylizer.controls().smoothing > 0.0
            && let Some(past) = folder.past()?
        {
            stylizer.set_past(past);
        }

        let part_options = EncodeOptions { audio: None, ..encode_options.clone() };
        let mut encoder = VideoEncoder::create(&folder.next_part_path(), &part_options)?;
        for _ in 0..frames_before {
            if cancel.is_cancelled() {
                break;
            }
            let Some(frame) = reader.skip_frame()? else {
                let reason = "the source holds fewer frames than are done".to_owned();
                return Err(PipelineError::PartsUnusable { reason, folder: folder.path().to_owned() });
            };
            encoder.pass(frame);
        }
        let written = AtomicU64::new(frames_before);
        let writer = PartWriter {
            folder,
            encoder: Some(encoder),
            options: &part_options,
            frames_in_part: 0,
            past: None,
            stopped: None,
            written: &written,
        };
        let mut painted = frames_before;
        let (writer, ending) = run_stages(
            STAGES,
            || reader.next_frame(),
            |frame| {
                let frame = stylizer.stylize(frame)?;
                painted += 1;
                let ends_part = (painted - frames_before).is_multiple_of(PART_FRAMES);
                on_progress(&meter.at(written.load(Ordering::Relaxed)));
                Ok::<_, PipelineError>((frame, if ends_part { stylizer.past() } else { None }))
            },
            writer,
            cancel,
        )?;
        let PartWriter { folder, stopped, .. } = writer;
        let frames = folder.frames();
        if ending != Ending::Complete || stopped.is_some() {
            return kept(folder, frames_total, stopped, options.output);
        }
        if frames == 0 {
            folder.remove();
            return Err(PipelineError::NoFrames { path: options.input });
        }
        let joined = join_parts(
            &options.output,
            &folder.parts()?,
            &JoinOptions {
                frame_rate: encode_options.constant_frame_rate.or(encode_options.frame_rate),
                audio: encode_options.audio.clone(),
                extras: Some(options.extras()),
            },
        );
        let joined = match joined {
            Err(error @ MediaError::Drive { .. }) => {
                return kept(folder, frames_total, Some(error.into()), options.output);
            }
            joined => joined?,
        };
        on_progress(&meter.at(frames));
        if joined.stopped.is_none() {
            folder.remove();
        }
        Ok(Resumable::Done(Box::new(VideoSummary {
            frames: joined.frames,
            width,
            height,
            duration: joined.duration,
            bytes: joined.bytes,
            encoder: encode_options.encoder.unwrap_or_default(),
            audio,
            device: stylizer.device_id(),
            elapsed: meter.elapsed(),
            cancelled: false,
            frames_before,
            losses: losses(reader, joined),
        })))
    }

    /// All that pictures depend on.
    fn settings(&self, stylizer: &Stylizer, style: &str, process_size: Option<(u32, u32)>) -> Settings {
        let size = |(width, height): (u32, u32)| format!("{width}x{height}");
        let VideoJobOptions { start, duration, frame_rate, crf, preset, .. } = &self.options;
        let controls = stylizer.controls();
        let mut settings = source_settings(&self.options.input);
        let optional = [
            ("--start", start.map(|start| format!("{} s", start.as_secs_f64()))),
            ("--duration", duration.map(|duration| format!("{} s", duration.as_secs_f64()))),
            ("--fps", frame_rate.map(|rate| rate.to_string())),
            ("--crf", crf.map(|crf| crf.to_string())),
            ("--preset", preset.clone()),
            ("--process-size", process_size.map(size)),
        ];
        settings.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        settings.extend(
            [
                ("the style", style.to_owned()),
                ("the size", size(self.size())),
                ("the encoder", self.encoder_name().to_owned()),
                ("the device", stylizer.device_id()),
                ("the precision", stylizer.precision().to_owned()),
                ("--strength", controls.strength.to_string()),
                ("--keep-colors", controls.keep_colors.to_string()),
                ("--smoothing", controls.smoothing.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        settings
    }
}

/// The ending of a job whose parts wait for another; without any there is nothing to wait for.
fn kept(
    folder: PartsFolder,
    frames_total: Option<u64>,
    stopped: Option<PipelineError>,
    output: PathBuf,
) -> Result<Resumable> {
    let frames = folder.frames();
    if frames > 0 {
        let stopped = stopped.map(|error| error.to_string());
        return Ok(Resumable::Kept { frames, frames_total, folder: folder.path().to_owned(), stopped });
    }
    folder.remove();
    Err(stopped.unwrap_or(PipelineError::NothingDone { path: output }))
}

/// The parts as the last stage.
struct PartWriter<'a> {
    folder: PartsFolder,
    /// Of the part that is being written; none any more once that has failed.
    encoder: Option<VideoEncoder>,
    options: &'a EncodeOptions,
    /// Frames in the part that is being written.
    frames_in_part: u64,
    /// What smoothing knows behind the last frame of that part, once it is there.
    past: Option<Past>,
    /// Why the drive takes no more.
    stopped: Option<PipelineError>,
    /// Frames written, for others to read.
    written: &'a AtomicU64,
}

impl PartWriter<'_> {
    fn write_frame(&mut self, frame: &Frame) -> Result<()> {
        if self.frames_in_part == PART_FRAMES
            && let Some(encoder) = self.encoder.take()
        {
            let (summary, clock) = encoder.finish_part(Some(frame.timestamp))?;
            self.folder.add(self.frames_in_part, &summary, self.past.take().as_ref())?;
            self.frames_in_part = 0;
            let following = VideoEncoder::create(&self.folder.next_part_path(), self.options)?;
            self.encoder = Some(following.after(clock));
        }
        if let Some(encoder) = &mut self.encoder {
            encoder.write(frame)?;
        }
        self.frames_in_part += 1;
        Ok(())
    }

    fn finish_last(&mut self) -> Result<()> {
        if let Some(encoder) = self.encoder.take().filter(|_| self.frames_in_part > 0) {
            let (summary, _) = encoder.finish_part(None)?;
            self.folder.push(self.frames_in_part, &summary);
        }
        Ok(())
    }

    /// Takes a drive that takes no more for the end.
    fn up_to_a_full_drive(&mut self, result: Result<()>) -> Result<ControlFlow<()>> {
        match result {
            Err(
                error @ (PipelineError::PartsNotWritable { .. }
                | PipelineError::Media(
                    MediaError::Drive { .. } | MediaError::OutputNotWritable { .. },
                )),
            ) => {
                self.stopped = Some(error);
                Ok(ControlFlow::Break(()))
            }
            result => result.map(ControlFlow::Continue),
        }
    }
}

impl Sink<(Frame, Option<Past>), PipelineError> for PartWriter<'_> {
    type Output = (Self, Ending);

    fn write(&mut self, (frame, past): (Frame, Option<Past>)) -> Result<ControlFlow<()>> {
        let written = self.write_frame(&frame);
        self.past = past.or(self.past.take());
        self.written.fetch_add(1, Ordering::Relaxed);
        self.up_to_a_full_drive(written)
    }

    fn finish(mut self, ending: Ending) -> Result<Self::Output> {
        if ending == Ending::Complete {
            let finished = self.finish_last();
            let _stopped_or_not = self.up_to_a_full_drive(finished)?;
        }
        // A part that is not finished is done again.
        self.encoder = None;
        Ok((self, ending))
    }
}
