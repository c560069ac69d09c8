//! A video file, restyled into another.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pastiche_frame::{Frame, Rational};
use pastiche_media::{
    AudioMode, AudioOutcome, AudioRequest, DecodeOptions, EncodeOptions, EncodeSummary, Extras,
    HardwareDecoding, MediaError, VideoDecoder, VideoEncoder,
};

use crate::{
    Cancel, Ending, Losses, PipelineError, Progress, Sink, StageNames, VideoSummary,
    error::Result,
    progress::ProgressMeter,
    reader::FrameReader,
    restyle::{Painters, Restyler},
    run_stages,
};

pub(crate) const STAGES: StageNames = StageNames { source: "decode", transform: "restyle", sink: "encode" };

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
    /// Width and height of the result, before it is enlarged; the source's where nothing is said.
    pub size: Option<(u32, u32)>,
    /// How many times as wide and high an upscaler is to make the result.
    pub upscale: Option<u32>,
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

impl VideoJobOptions {
    pub(crate) fn decode_options(&self) -> DecodeOptions {
        DecodeOptions {
            start: self.start,
            duration: self.duration,
            size: self.size,
            max_frame_rate: self.frame_rate,
            hardware: self.hardware,
        }
    }

    /// How to encode what `decoder` gives.
    pub(crate) fn encode_options(&self, decoder: &VideoDecoder) -> EncodeOptions {
        let (width, height) = decoder.size();
        let factor = self.upscale.unwrap_or(1);
        let (width, height) = (width.saturating_mul(factor), height.saturating_mul(factor));
        EncodeOptions {
            width,
            height,
            time_base: decoder.time_base(),
            frame_rate: decoder.info().frame_rate,
            constant_frame_rate: self.frame_rate,
            color_space: decoder.info().color_space,
            encoder: self.encoder.clone(),
            crf: self.crf,
            preset: self.preset.clone(),
            audio: self.audio.map(|mode| AudioRequest {
                source: self.input.clone(),
                mode,
                start: self.start,
                duration: self.duration,
            }),
        }
    }

    pub(crate) fn extras(&self) -> Extras {
        Extras { source: self.input.clone(), start: self.start, duration: self.duration }
    }
}

/// A video file that is about to be restyled into another: both are open, nothing is read yet.
pub struct VideoJob {
    options: VideoJobOptions,
    reader: FrameReader,
    encoder: VideoEncoder,
}

impl VideoJob {
    /// Opens both files.
    ///
    /// # Errors
    /// The input holds no video that can be decoded or ends before the start asked for, or the output cannot be written
    /// as asked.
    pub fn open(options: VideoJobOptions) -> Result<Self> {
        let reader = FrameReader::open(&options.input, &options.decode_options())?;
        let encode_options = options.encode_options(reader.decoder());
        let encoder = VideoEncoder::create_with(&options.output, &encode_options, Some(&options.extras()))?;
        Ok(Self { options, reader, encoder })
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
        self.encoder.encoder_name()
    }

    /// What becomes of the sound.
    pub fn audio(&self) -> &AudioOutcome {
        self.encoder.audio()
    }

    /// Restyles every frame, on this thread, while others decode and encode. `on_progress` is called after each.
    ///
    /// A cancelled job stops reading, keeps the frames that are restyled, and closes the file so that it plays. So does
    /// one whose input cannot be read any further, or whose output's drive takes no more, once there is a frame to keep.
    ///
    /// # Errors
    /// Reading, restyling or writing failed, or there was nothing to write. The output is then not touched.
    pub fn run<'p>(
        self,
        painters: impl Into<Painters<'p>>,
        mut on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<VideoSummary> {
        let Self { options, mut reader, encoder } = self;
        let mut painters = painters.into();
        let (width, height) = painters.size_of(reader.decoder().size());
        let mut meter = ProgressMeter::start(reader.decoder().expected_frames());
        let written = AtomicU64::new(0);
        let encoder_name = encoder.encoder_name().to_owned();
        let audio = encoder.audio().clone();
        let recorder = Recorder { encoder, written: &written, options: &options, cancel, broken_off: false };
        let (encoded, ending) = run_stages(
            STAGES,
            || reader.next_frame(),
            Restyler::new(painters.lent(), || on_progress(&meter.at(written.load(Ordering::Relaxed)))),
            recorder,
            cancel,
        )?;
        on_progress(&meter.at(encoded.frames));
        Ok(VideoSummary {
            frames: encoded.frames,
            width,
            height,
            duration: encoded.duration,
            bytes: encoded.bytes,
            encoder: encoder_name,
            audio,
            device: painters.stylizer.device_id(),
            elapsed: meter.elapsed(),
            cancelled: ending == Ending::Cancelled,
            frames_before: 0,
            pictures_before: 0,
            losses: losses(reader, encoded),
        })
    }
}

/// What neither the reader nor the encoder had to give.
pub(crate) fn losses(reader: FrameReader, encoded: EncodeSummary) -> Losses {
    Losses {
        damage: reader.decoder().damage(),
        cut_short: reader.into_cut_short().map(|error| error.to_string()),
        sound: encoded.sound,
        subtitles_cut_short: encoded.subtitles_cut_short,
        stopped: encoded.stopped,
    }
}

/// The encoder as the last stage.
struct Recorder<'a> {
    encoder: VideoEncoder,
    /// Frames written, for others to read.
    written: &'a AtomicU64,
    options: &'a VideoJobOptions,
    cancel: &'a Cancel,
    /// Whether it was cancelled while it filled a gap.
    broken_off: bool,
}

impl Sink<Frame, PipelineError> for Recorder<'_> {
    type Output = (EncodeSummary, Ending);

    fn write(&mut self, frame: Frame) -> Result<ControlFlow<()>> {
        match self.encoder.write_unless(&frame, &|| self.cancel.is_cancelled()) {
            // Closing the file tells whether there is something to keep.
            Err(MediaError::Drive { .. }) => return Ok(ControlFlow::Break(())),
            written => self.broken_off = !written?,
        }
        if self.broken_off {
            return Ok(ControlFlow::Break(()));
        }
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self, ending: Ending) -> Result<Self::Output> {
        let ending = if self.broken_off { Ending::Cancelled } else { ending };
        let nothing = self.written.load(Ordering::Relaxed) == 0;
        let encoded = match ending {
            Ending::Complete if nothing => {
                return Err(PipelineError::NoFrames { path: self.options.input.clone() });
            }
            Ending::Cancelled if nothing => {
                return Err(PipelineError::NothingDone { path: self.options.output.clone() });
            }
            Ending::Complete => self.encoder.finish()?,
            Ending::Cancelled | Ending::Stopped => self.encoder.finish_early()?,
        };
        Ok((encoded, ending))
    }
}
