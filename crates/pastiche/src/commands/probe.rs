//! `pastiche probe`: what a media file holds.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_frame::{ColorMatrix, ColorRange, Rational, Rotation};
use pastiche_media::{AudioInfo, MediaInfo, VideoInfo, probe};
use serde::Serialize;

use crate::{
    failure::Outcome,
    report::{print_json, print_lines},
};

/// Say what a video or sound file holds.
#[derive(Args)]
pub(crate) struct ProbeArgs {
    /// The file.
    file: PathBuf,

    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Contents {
    path: String,
    container: String,
    seconds: Option<f64>,
    bytes: u64,
    video: Option<Video>,
    audio: Vec<Audio>,
}

#[derive(Serialize)]
struct Video {
    codec: String,
    width: u32,
    height: u32,
    /// Exact, as a fraction.
    frame_rate: Option<String>,
    fps: Option<f64>,
    seconds: Option<f64>,
    frames: Option<u64>,
    pixel_format: String,
    color_matrix: &'static str,
    color_range: &'static str,
    /// The turn that makes the picture upright, in degrees clockwise; width and height are after it.
    rotation: u32,
    /// Whether left and right are exchanged before the turn.
    mirrored: bool,
}

#[derive(Serialize)]
struct Audio {
    codec: String,
    sample_rate_hz: u32,
    channels: u32,
    channel_layout: String,
}

impl ProbeArgs {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let contents = Contents::new(self.file.display().to_string(), probe(&self.file)?);
        if self.json {
            print_json(&contents)?;
        } else {
            print_lines(contents.lines())?;
        }
        Ok(Outcome::Done)
    }
}

impl Contents {
    fn new(path: String, info: MediaInfo) -> Self {
        Self {
            path,
            container: info.container,
            seconds: info.duration.map(|duration| duration.as_secs_f64()),
            bytes: info.bytes,
            video: info.video.map(Video::from),
            audio: info.audio.into_iter().map(Audio::from).collect(),
        }
    }

    fn lines(&self) -> Vec<String> {
        let seconds = self.seconds.map_or("unknown length".to_owned(), |seconds| format!("{seconds:.3} s"));
        let mut lines =
            vec![self.path.clone(), format!("  {}, {seconds}, {} bytes", self.container, self.bytes)];
        if let Some(video) = &self.video {
            let fps = video.fps.map(|fps| format!(", {fps:.3} fps")).unwrap_or_default();
            let frames = video.frames.map(|frames| format!(", {frames} frames")).unwrap_or_default();
            let turn =
                if video.rotation == 0 { String::new() } else { format!(", turned by {}°", video.rotation) };
            let mirror = if video.mirrored { ", mirrored" } else { "" };
            lines.push(format!(
                "  video: {} {}x{}{fps}{frames}, {} {} {}{mirror}{turn}",
                video.codec,
                video.width,
                video.height,
                video.pixel_format,
                video.color_matrix,
                video.color_range
            ));
        }
        lines.extend(self.audio.iter().map(|audio| {
            format!("  sound: {} {} Hz, {}", audio.codec, audio.sample_rate_hz, audio.channel_layout)
        }));
        lines
    }
}

impl From<VideoInfo> for Video {
    fn from(info: VideoInfo) -> Self {
        Self {
            codec: info.codec,
            width: info.width,
            height: info.height,
            frame_rate: info.frame_rate.map(|rate| rate.to_string()),
            fps: info.frame_rate.map(Rational::as_f64),
            seconds: info.duration.map(|duration| duration.as_secs_f64()),
            frames: info.frame_count,
            pixel_format: info.pixel_format,
            color_matrix: match info.color_space.matrix {
                ColorMatrix::Bt601 => "bt601",
                ColorMatrix::Bt709 => "bt709",
            },
            color_range: match info.color_space.range {
                ColorRange::Limited => "limited",
                ColorRange::Full => "full",
            },
            mirrored: info.mirrored,
            rotation: match info.rotation {
                Rotation::None => 0,
                Rotation::Clockwise90 => 90,
                Rotation::Half => 180,
                Rotation::Clockwise270 => 270,
            },
        }
    }
}

impl From<AudioInfo> for Audio {
    fn from(info: AudioInfo) -> Self {
        Self {
            codec: info.codec,
            sample_rate_hz: info.sample_rate_hz,
            channels: info.channels,
            channel_layout: info.channel_layout,
        }
    }
}
