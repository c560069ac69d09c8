//! A video file, restyled into another.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pastiche_frame::{Frame, FramePool, Rational};
use pastiche_inference::Stylizer;
use pastiche_media::{
    AudioMode, AudioOutcome, AudioRequest, Damage, DecodeOptions, EncodeOptions, EncodeSummary, Extras,
    HardwareDecoding, MediaError, VideoDecoder, VideoEncoder, VideoInfo,
};

use crate::{
    Cancel, Ending, PipelineError, Progress, Sink, StageNames, error::Result, progress::ProgressMeter,
    restyle::Restyler, run_stages,
};

const STAGES: StageNames = StageNames { source: "decode", transform: "restyle", sink: "encode" };

/// Buffers that go round in one job: those in two queues, one in each stage's hands, one more under way, and one to spare.
const POOLED_FRAMES: usize = 9;

/// What a video job reads, and what it makes of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VideoJobOptions {
    /// The video to restyle.
    pub input: PathBuf,
    /// The file to write; it appears under this name when it is whole.
    pub output: PathBuf,
    /// Leaves out what comes before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
    /// Width and height of the result; the source's where nothing is said.
    pub size: Option<(u32, u32)>,
    /// A constant frame rate; the source's own times where nothing is said.
    pub frame_rate: Option<Rational>,
    /// The video encoder by name; the best that works here where nothing is said.
    pub encoder: Option<String>,
    /// The encoder's constant quality; lower is better.
    pub crf: Option<u8>,
    /// The encoder's balance of speed and size.
    pub preset: Option<String>,
    /// How to take over the sound; `None` leaves it out.
    pub audio: Option<AudioMode>,
    /// What decodes the video.
    pub hardware: HardwareDecoding,
}

/// A video file that is about to be restyled into another: both are open, nothing is read yet.
pub struct VideoJob {
    options: VideoJobOptions,
    decoder: VideoDecoder,
    encoder: VideoEncoder,
}

/// What a video job has done.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSummary {
    /// Frames in the output.
    pub frames: u64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The output's length in time.
    pub duration: Duration,
    /// The output's length in bytes.
    pub bytes: u64,
    /// The video encoder.
    pub encoder: String,
    /// What became of the sound.
    pub audio: AudioOutcome,
    /// The device that ran the network.
    pub device: String,
    /// How long the job took.
    pub elapsed: Duration,
    /// Whether it was cancelled; the output then holds what was done, and plays.
    pub cancelled: bool,
    /// What of the input could not be decoded.
    pub damage: Damage,
    /// Why the input could not be read to its end; the output then holds what came before, and plays.
    pub cut_short: Option<String>,
}

impl VideoSummary {
    /// Whether the output holds all that was asked for.
    pub fn is_whole(&self) -> bool {
        !self.damage.is_some() && self.cut_short.is_none()
    }
}

impl VideoJob {
    /// Opens both files.
    ///
    /// # Errors
    /// The input holds no video that can be decoded or ends before the start asked for, or the output cannot be written
    /// as asked.
    pub fn open(options: VideoJobOptions) -> Result<Self> {
        let decoder = VideoDecoder::open(
            &options.input,
            &DecodeOptions {
                start: options.start,
                duration: options.duration,
                size: options.size,
                max_frame_rate: options.frame_rate,
                hardware: options.hardware,
            },
        )?;
        let (width, height) = decoder.size();
        let audio = options.audio.map(|mode| AudioRequest {
            source: options.input.clone(),
            mode,
            start: options.start,
            duration: options.duration,
        });
        let extras =
            Extras { source: options.input.clone(), start: options.start, duration: options.duration };
        let encoder = VideoEncoder::create_with(
            &options.output,
            &EncodeOptions {
                width,
                height,
                time_base: decoder.time_base(),
                frame_rate: decoder.info().frame_rate,
                constant_frame_rate: options.frame_rate,
                color_space: decoder.info().color_space,
                encoder: options.encoder.clone(),
                crf: options.crf,
                preset: options.preset.clone(),
                audio,
            },
            Some(&extras),
        )?;
        Ok(Self { options, decoder, encoder })
    }

    /// What the input holds.
    pub fn source(&self) -> &VideoInfo {
        self.decoder.info()
    }

    /// Width and height of the result.
    pub fn size(&self) -> (u32, u32) {
        self.decoder.size()
    }

    /// Whether the last column or row of an odd-sized video is left out.
    pub fn cropped(&self) -> bool {
        self.decoder.cropped()
    }

    /// The video encoder.
    pub fn encoder_name(&self) -> &str {
        self.encoder.encoder_name()
    }

    /// Where the output is written until it is whole.
    pub fn partial_path(&self) -> &Path {
        self.encoder.partial_path()
    }

    /// What becomes of the sound.
    pub fn audio(&self) -> &AudioOutcome {
        self.encoder.audio()
    }

    /// Restyles every frame, on this thread, while others decode and encode. `on_progress` is called after each.
    ///
    /// A cancelled job stops reading, keeps the frames that are restyled, and closes the file so that it plays. So does
    /// one whose input cannot be read any further, once there is a frame to keep.
    ///
    /// # Errors
    /// Reading, restyling or writing failed, or there was nothing to write. The output is then not touched.
    pub fn run(
        self,
        stylizer: &mut Stylizer,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<VideoSummary> {
        let Self { options, mut decoder, encoder } = self;
        let (width, height) = decoder.size();
        let mut meter = ProgressMeter::start(decoder.expected_frames());
        let pool = FramePool::new(POOLED_FRAMES);
        let written = AtomicU64::new(0);
        let encoder_name = encoder.encoder_name().to_owned();
        let audio = encoder.audio().clone();

        // Written by the decoding thread, read when that has ended.
        let mut cut_short = None;
        let mut frames_read = 0_u64;
        let recorder = Recorder { encoder, written: &written, options: &options };
        let recording = run_stages(
            STAGES,
            || match decoder.next_frame(&pool) {
                Err(error @ (MediaError::Read { .. } | MediaError::Convert { .. })) if frames_read > 0 => {
                    cut_short = Some(error.to_string());
                    Ok(None)
                }
                Ok(frame) => {
                    frames_read += u64::from(frame.is_some());
                    Ok(frame)
                }
                Err(error) => Err(error.into()),
            },
            Restyler::new(stylizer, || on_progress(&meter.at(written.load(Ordering::Relaxed)))),
            recorder,
            cancel,
        )?;
        on_progress(&meter.at(recording.encoded.frames));
        Ok(VideoSummary {
            frames: recording.encoded.frames,
            width,
            height,
            duration: recording.encoded.duration,
            bytes: recording.encoded.bytes,
            encoder: encoder_name,
            audio,
            device: stylizer.device_id(),
            elapsed: meter.elapsed(),
            cancelled: recording.cancelled,
            damage: decoder.damage(),
            cut_short,
        })
    }
}

/// The encoder as the last stage.
struct Recorder<'a> {
    encoder: VideoEncoder,
    /// Frames written, for others to read.
    written: &'a AtomicU64,
    options: &'a VideoJobOptions,
}

struct Recording {
    encoded: EncodeSummary,
    cancelled: bool,
}

impl Sink<Frame, PipelineError> for Recorder<'_> {
    type Output = Recording;

    fn write(&mut self, frame: Frame) -> Result<()> {
        self.encoder.write(&frame)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn finish(self, ending: Ending) -> Result<Recording> {
        let nothing = self.written.load(Ordering::Relaxed) == 0;
        let encoded = match ending {
            Ending::Complete if nothing => {
                return Err(PipelineError::NoFrames { path: self.options.input.clone() });
            }
            Ending::Cancelled if nothing => {
                return Err(PipelineError::NothingDone { path: self.options.output.clone() });
            }
            Ending::Complete => self.encoder.finish()?,
            Ending::Cancelled => self.encoder.finish_early()?,
        };
        Ok(Recording { encoded, cancelled: ending == Ending::Cancelled })
    }
}
