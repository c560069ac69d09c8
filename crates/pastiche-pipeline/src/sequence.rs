//! A video, restyled into numbered pictures.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pastiche_frame::{Frame, FramePool, Rational};
use pastiche_inference::Stylizer;
use pastiche_media::{Damage, DecodeOptions, HardwareDecoding, MediaError, PictureSequence, VideoDecoder};

use crate::{
    Cancel, Ending, PipelineError, Progress, Sink, StageNames, error::Result, progress::ProgressMeter,
    restyle::Restyler, run_stages,
};

const STAGES: StageNames = StageNames { source: "decode", transform: "restyle", sink: "pictures" };

/// Buffers that go round: those in two queues, one in each stage's hands, one more under way, and one to spare.
const POOLED_FRAMES: usize = 9;

/// What to read, and where the pictures go.
#[derive(Debug)]
pub struct SequenceJobOptions {
    /// The video to restyle.
    pub input: PathBuf,
    /// The pictures to write.
    pub output: PictureSequence,
    /// Leaves out what comes before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
    /// Width and height of the result; the source's where nothing is said.
    pub size: Option<(u32, u32)>,
    /// Leaves out frames that come faster than this.
    pub max_frame_rate: Option<Rational>,
    /// What decodes the video.
    pub hardware: HardwareDecoding,
}

/// What a job has done.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceSummary {
    /// Pictures that are written.
    pub pictures: u64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How long the job took.
    pub elapsed: Duration,
    /// Whether it was cancelled; what was done is there, each picture whole.
    pub cancelled: bool,
    /// What of the input could not be decoded.
    pub damage: Damage,
    /// Why the input could not be read to its end.
    pub cut_short: Option<String>,
}

impl SequenceSummary {
    /// Whether all that was asked for is written.
    pub fn is_whole(&self) -> bool {
        !self.damage.is_some() && self.cut_short.is_none()
    }
}

/// A video that is about to be restyled into numbered pictures, one a frame.
pub struct SequenceJob {
    input: PathBuf,
    output: PictureSequence,
    decoder: VideoDecoder,
}

impl SequenceJob {
    /// Opens the video and makes the folder.
    ///
    /// # Errors
    /// The input holds no video that can be decoded or ends before the start asked for, or the folder cannot be made.
    pub fn open(options: SequenceJobOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(
            &options.input,
            &DecodeOptions {
                start: options.start,
                duration: options.duration,
                size: options.size,
                max_frame_rate: options.max_frame_rate,
                hardware: options.hardware,
            },
        )?;
        options.output.prepare()?;
        Ok(Self { input: options.input, output: options.output, decoder })
    }

    /// Whether the last column or row of an odd-sized video is left out.
    pub fn cropped(&self) -> bool {
        self.decoder.cropped()
    }

    /// Width and height of the pictures.
    pub fn size(&self) -> (u32, u32) {
        self.decoder.size()
    }

    /// Restyles every frame, on this thread, while others decode and write. `on_progress` is called after each.
    ///
    /// # Errors
    /// Restyling or writing failed, or there was nothing to write. The pictures that are written by then stay.
    pub fn run(
        self,
        stylizer: &mut Stylizer,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<SequenceSummary> {
        let Self { input, output, mut decoder } = self;
        let (width, height) = decoder.size();
        let mut meter = ProgressMeter::start(decoder.expected_frames());
        let pool = FramePool::new(POOLED_FRAMES);
        let written = AtomicU64::new(0);
        let mut cut_short = None;
        let writer = Writer { output, written: &written };
        let (pictures, ending) = run_stages(
            STAGES,
            || match decoder.next_frame(&pool) {
                Err(error @ (MediaError::Read { .. } | MediaError::Convert { .. })) => {
                    cut_short = Some(error.to_string());
                    Ok(None)
                }
                result => Ok(result?),
            },
            Restyler::new(stylizer, || on_progress(&meter.at(written.load(Ordering::Relaxed)))),
            writer,
            cancel,
        )?;
        let cancelled = ending == Ending::Cancelled;
        if pictures == 0 {
            let path = input;
            return Err(if cancelled {
                PipelineError::NothingDone { path }
            } else {
                PipelineError::NoFrames { path }
            });
        }
        on_progress(&meter.at(pictures));
        Ok(SequenceSummary {
            pictures,
            width,
            height,
            elapsed: meter.elapsed(),
            cancelled,
            damage: decoder.damage(),
            cut_short,
        })
    }
}

/// The pictures as the last stage.
struct Writer<'a> {
    output: PictureSequence,
    /// Pictures written, for others to read.
    written: &'a AtomicU64,
}

impl Sink<Frame, PipelineError> for Writer<'_> {
    type Output = (u64, Ending);

    fn write(&mut self, frame: Frame) -> Result<()> {
        self.output.write(&frame)?;
        self.written.store(self.output.written(), Ordering::Relaxed);
        Ok(())
    }

    fn finish(self, ending: Ending) -> Result<Self::Output> {
        Ok((self.output.finish()?, ending))
    }
}
