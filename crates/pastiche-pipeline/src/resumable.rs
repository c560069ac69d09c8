//! A video job that can be taken up again: it works in parts that are kept, and joins them at the end.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use pastiche_frame::Frame;
use pastiche_inference::{Past, Stylizer};
use pastiche_media::{
    AudioOutcome, EncodeOptions, EncodeSummary, JoinOptions, MediaError, VideoEncoder, join_parts,
};

use crate::{
    Cancel, Ending, PipelineError, Progress, Sink, VideoJobOptions, VideoSummary,
    error::Result,
    parts::{PartsFolder, Settings, source_settings},
    progress::ProgressMeter,
    reader::FrameReader,
    restyle::{Painters, PartRestyler},
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

/// What tells a job's networks from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSums {
    /// Of the style.
    pub style: String,
    /// Of what enlarges, where something does.
    pub upscaler: Option<String>,
}

/// How a job ended that can be taken up again.
#[derive(Debug, Clone, PartialEq)]
pub enum Resumable {
    /// The output is written.
    Done {
        /// What is in it.
        summary: Box<VideoSummary>,
        /// Where the parts still are, since another job may get further.
        kept: Option<PathBuf>,
    },
    /// The output is not written yet; the parts are kept.
    Kept {
        /// Frames in the parts.
        frames: u64,
        /// Frames that there will be, as far as the input tells.
        frames_total: Option<u64>,
        /// Where the parts are.
        folder: PathBuf,
        /// Why a drive takes or gives no more; nothing where the job was cancelled.
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

    /// Width and height of the result, before it is enlarged.
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

    /// Restyles every frame that no finished part holds, as [`crate::VideoJob::run`] does, and joins the parts. `networks` is
    /// something that no other style and upscaler have, such as checksums of their files; `process_size` the stylizer's.
    ///
    /// # Errors
    /// The parts that are there are of another job; or reading, restyling or writing failed. Finished parts stay.
    pub fn run<'p>(
        self,
        painters: impl Into<Painters<'p>>,
        networks: &NetworkSums,
        process_size: Option<(u32, u32)>,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<Resumable> {
        let mut painters = painters.into();
        let settings = self.settings(painters.stylizer, networks, process_size);
        let Self { options, mut reader, encode_options, audio } = self;
        let (width, height) = painters.size_of(reader.decoder().size());
        let frames_total = reader.decoder().expected_frames();
        let folder = PartsFolder::open(PartsFolder::path_for(&options.output), settings)?;
        let (frames_before, pictures_before) = (folder.frames(), folder.pictures());
        let mut meter = ProgressMeter::start(frames_total);
        prepare(painters.stylizer, &folder)?;

        let part_options = EncodeOptions { audio: None, ..encode_options.clone() };
        let mut encoder = VideoEncoder::create(&folder.next_part_path(), &part_options)?;
        let passed = pass(&mut reader, &mut encoder, frames_before, cancel, |frames| {
            on_progress(&meter.pass(frames));
        })?;
        if passed < frames_before && !cancel.is_cancelled() {
            let Some(error) = reader.into_cut_short() else {
                let reason = "the source holds fewer frames than are done".to_owned();
                return Err(PipelineError::PartsUnusable { reason, folder: folder.path().to_owned() });
            };
            return unfinished(&folder, frames_total, Some(error.into()), options.output);
        }
        let written = AtomicU64::new(frames_before);
        let (mut writer, ending) = run_stages(
            STAGES,
            || reader.next_frame(),
            PartRestyler::new(painters.lent(), PART_FRAMES, || {
                on_progress(&meter.at(written.load(Ordering::Relaxed)));
            }),
            PartWriter::new(folder, encoder, &part_options, &written),
            cancel,
        )?;
        if ending == Ending::Complete {
            writer.finish_last(reader.is_cut_short())?;
        }
        let PartWriter { folder, stopped, .. } = writer;
        if ending != Ending::Complete || stopped.is_some() {
            return unfinished(&folder, frames_total, stopped, options.output);
        }
        let joined = match join(&folder, &options, &encode_options) {
            Err(PipelineError::Media(error @ MediaError::Drive { .. })) => {
                return unfinished(&folder, frames_total, Some(error.into()), options.output);
            }
            joined => joined?,
        };
        on_progress(&meter.at(written.load(Ordering::Relaxed)));
        let may_get_further = joined.stopped.is_some() || reader.is_cut_short();
        let kept = (folder.frames() > 0 && may_get_further).then(|| folder.path().to_owned());
        if kept.is_none() {
            folder.remove();
        }
        let summary = VideoSummary {
            frames: joined.frames,
            width,
            height,
            duration: joined.duration,
            bytes: joined.bytes,
            encoder: encode_options.encoder.unwrap_or_default(),
            audio,
            device: painters.stylizer.device_id(),
            elapsed: meter.elapsed(),
            cancelled: false,
            frames_before,
            pictures_before,
            losses: losses(reader, joined),
        };
        Ok(Resumable::Done { summary: Box::new(summary), kept })
    }

    /// All that pictures depend on.
    fn settings(
        &self,
        stylizer: &Stylizer,
        networks: &NetworkSums,
        process_size: Option<(u32, u32)>,
    ) -> Settings {
        let size = |(width, height): (u32, u32)| format!("{width}x{height}");
        let VideoJobOptions { start, duration, upscale, frame_rate, crf, preset, .. } = &self.options;
        let controls = stylizer.controls();
        let mut settings = source_settings(&self.options.input);
        let optional = [
            ("--start", start.map(|start| format!("{} s", start.as_secs_f64()))),
            ("--duration", duration.map(|duration| format!("{} s", duration.as_secs_f64()))),
            ("--fps", frame_rate.map(|rate| rate.to_string())),
            ("--crf", crf.map(|crf| crf.to_string())),
            ("--preset", preset.clone()),
            ("--process-size", process_size.map(size)),
            ("--upscale", upscale.map(|factor| factor.to_string())),
            ("the upscaler", networks.upscaler.clone()),
        ];
        settings.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        settings.extend(
            [
                ("the style", networks.style.clone()),
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

/// Nothing of another video will shine through, but what is in the parts.
fn prepare(stylizer: &mut Stylizer, folder: &PartsFolder) -> Result<()> {
    stylizer.reset();
    if stylizer.controls().smoothing > 0.0
        && let Some(past) = folder.past()?
    {
        stylizer.set_past(past);
    }
    Ok(())
}

/// Goes past frames that are in finished parts; how many there were.
fn pass(
    reader: &mut FrameReader,
    encoder: &mut VideoEncoder,
    frames: u64,
    cancel: &Cancel,
    mut on_frame: impl FnMut(u64),
) -> Result<u64> {
    for passed in 0..frames {
        if cancel.is_cancelled() {
            return Ok(passed);
        }
        let Some(frame) = reader.skip_frame()? else { return Ok(passed) };
        encoder.pass(frame);
        on_frame(passed + 1);
    }
    Ok(frames)
}

/// Joins the parts, if there are any.
fn join(
    folder: &PartsFolder,
    options: &VideoJobOptions,
    encode_options: &EncodeOptions,
) -> Result<EncodeSummary> {
    let parts = folder.parts()?;
    if parts.is_empty() {
        return Err(PipelineError::NoFrames { path: options.input.clone() });
    }
    let join_options = JoinOptions {
        frame_rate: encode_options.constant_frame_rate.or(encode_options.frame_rate),
        audio: encode_options.audio.clone(),
        extras: Some(options.extras()),
    };
    Ok(join_parts(&options.output, &parts, &join_options)?)
}

/// The ending of a job whose parts wait for another; without any there is nothing to wait for.
fn unfinished(
    folder: &PartsFolder,
    frames_total: Option<u64>,
    stopped: Option<PipelineError>,
    output: PathBuf,
) -> Result<Resumable> {
    let frames = folder.frames();
    if frames > 0 {
        let stopped = stopped.map(|error| error.to_string());
        return Ok(Resumable::Kept { frames, frames_total, folder: folder.path().to_owned(), stopped });
    }
    Err(stopped.unwrap_or(PipelineError::NoPart { frames: PART_FRAMES, path: output }))
}

/// The parts as the last stage.
struct PartWriter<'a> {
    /// Of the part that is being written; none any more once that has failed. Before the folder in this list, so that its
    /// file is closed before the folder is removed.
    encoder: Option<VideoEncoder>,
    folder: PartsFolder,
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

impl<'a> PartWriter<'a> {
    fn new(
        folder: PartsFolder,
        encoder: VideoEncoder,
        options: &'a EncodeOptions,
        written: &'a AtomicU64,
    ) -> Self {
        Self {
            encoder: Some(encoder),
            folder,
            options,
            frames_in_part: 0,
            past: None,
            stopped: None,
            written,
        }
    }

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

    /// Closes the part that is being written, where the source ends or could not be read on.
    fn finish_last(&mut self, broken_off: bool) -> Result<()> {
        let Some(encoder) = self.encoder.take().filter(|_| self.frames_in_part > 0) else { return Ok(()) };
        let frames = self.frames_in_part;
        let finished = encoder.finish_part(None).map_err(PipelineError::from).and_then(|(summary, _)| {
            if broken_off {
                self.folder.add_broken_off(frames, &summary);
                return Ok(());
            }
            self.folder.add_end(frames, &summary)
        });
        let _stopped_or_not = self.up_to_a_full_drive(finished)?;
        Ok(())
    }

    /// Takes a drive that takes no more for the end.
    fn up_to_a_full_drive(&mut self, result: Result<()>) -> Result<ControlFlow<()>> {
        match result {
            Err(error) if error.is_of_output_drive() => {
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
        if ending != Ending::Complete {
            // A part that is not finished is done again.
            self.encoder = None;
        }
        Ok((self, ending))
    }
}
