//! A video, restyled into numbered pictures.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pastiche_frame::{Frame, Timestamp};
use pastiche_media::{AudioOutcome, DecodeOptions, MediaError, PictureSequence, SoundDamage};

use crate::{
    Cancel, Ending, Losses, PipelineError, Progress, Sink, StageNames, VideoSummary,
    error::Result,
    progress::ProgressMeter,
    reader::FrameReader,
    restyle::{Painters, Restyler},
    run_stages,
};

const STAGES: StageNames = StageNames { source: "decode", transform: "restyle", sink: "pictures" };

/// A video that is about to be restyled into numbered pictures, one a frame.
pub struct SequenceJob {
    input: PathBuf,
    output: PictureSequence,
    kind: &'static str,
    reader: FrameReader,
}

impl SequenceJob {
    /// Opens the video.
    ///
    /// # Errors
    /// The input holds no video that can be decoded or ends before the start asked for, or such pictures are not written.
    pub fn open(input: PathBuf, options: &DecodeOptions, output: PictureSequence) -> Result<Self> {
        let reader = FrameReader::open(&input, options)?;
        let kind = output.kind()?;
        Ok(Self { input, output, kind, reader })
    }

    /// Whether the last column or row of an odd-sized video is left out.
    pub fn cropped(&self) -> bool {
        self.reader.decoder().cropped()
    }

    /// Width and height of the pictures, before they are enlarged.
    pub fn size(&self) -> (u32, u32) {
        self.reader.decoder().size()
    }

    /// Restyles every frame, on this thread, while others decode and write. `on_progress` is called after each.
    ///
    /// A drive that takes no more ends the job; the pictures that are written by then are its result.
    ///
    /// # Errors
    /// Restyling or writing failed, or there was nothing to write. The pictures that are written by then stay.
    pub fn run<'p>(
        self,
        painters: impl Into<Painters<'p>>,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<VideoSummary> {
        let Self { input, output, kind, mut reader } = self;
        let mut painters = painters.into();
        let (width, height) = painters.size_of(reader.decoder().size());
        let mut meter = ProgressMeter::start(reader.decoder().expected_frames());
        let written = AtomicU64::new(0);
        let writer = Writer {
            output,
            written: &written,
            end: Timestamp::ZERO,
            stopped: None,
            cancel,
            broken_off: false,
        };
        let (writer, ending) = run_stages(
            STAGES,
            || reader.next_frame(),
            Restyler::new(painters.lent(), || on_progress(&meter.at(written.load(Ordering::Relaxed)))),
            writer,
            cancel,
        )?;
        let cancelled = ending == Ending::Cancelled;
        let pictures = writer.output.written();
        if pictures == 0 {
            return Err(if cancelled {
                PipelineError::NothingDone { path: writer.output.path(1) }
            } else {
                PipelineError::NoFrames { path: input }
            });
        }
        on_progress(&meter.at(pictures));
        Ok(VideoSummary {
            frames: pictures,
            width,
            height,
            duration: Duration::try_from_secs_f64(writer.end.as_secs_f64()).unwrap_or_default(),
            bytes: writer.output.bytes(),
            encoder: kind.to_owned(),
            audio: AudioOutcome::None,
            device: painters.stylizer.device_id(),
            elapsed: meter.elapsed(),
            cancelled,
            frames_before: 0,
            pictures_before: 0,
            losses: Losses {
                damage: reader.decoder().damage(),
                cut_short: reader.into_cut_short().map(|error| error.to_string()),
                sound: SoundDamage::default(),
                subtitles_cut_short: None,
                stopped: writer.stopped,
            },
        })
    }
}

/// The pictures as the last stage.
struct Writer<'a> {
    output: PictureSequence,
    /// Pictures written, for others to read.
    written: &'a AtomicU64,
    /// When the last frame ends that is written.
    end: Timestamp,
    /// Why the drive takes no more.
    stopped: Option<String>,
    cancel: &'a Cancel,
    /// Whether it was cancelled while it filled a gap.
    broken_off: bool,
}

impl Writer<'_> {
    /// Takes a drive that takes no more for the end, where there are pictures already.
    fn up_to_a_full_drive(&mut self, result: Result<(), MediaError>) -> Result<ControlFlow<()>> {
        match result.map_err(PipelineError::from) {
            Err(error) if error.is_of_output_drive() && self.output.written() > 0 => {
                self.stopped = Some(error.to_string());
                Ok(ControlFlow::Break(()))
            }
            result => result.map(ControlFlow::Continue),
        }
    }
}

impl Sink<Frame, PipelineError> for Writer<'_> {
    type Output = (Self, Ending);

    fn write(&mut self, frame: Frame) -> Result<ControlFlow<()>> {
        let result = self.output.write_unless(&frame, &|| self.cancel.is_cancelled());
        self.broken_off = matches!(result, Ok(false));
        let mut flow = self.up_to_a_full_drive(result.map(drop))?;
        if self.broken_off {
            flow = ControlFlow::Break(());
        }
        if flow.is_continue() {
            let ticks = frame.timestamp.ticks.saturating_add(frame.duration_ticks.unwrap_or(0));
            self.end = Timestamp::new(ticks, frame.timestamp.time_base);
        }
        self.written.store(self.output.written(), Ordering::Relaxed);
        Ok(flow)
    }

    fn finish(mut self, ending: Ending) -> Result<Self::Output> {
        if self.broken_off {
            return Ok((self, Ending::Cancelled));
        }
        if ending != Ending::Stopped {
            let result = self.output.finish();
            let _stopped_or_not = self.up_to_a_full_drive(result)?;
        }
        Ok((self, ending))
    }
}
