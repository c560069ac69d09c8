//! Moving pictures that FFmpeg does not read, or not well: numbered stills, and WebP, animated or of one picture.

use std::path::{Path, PathBuf};

use ffmpeg::{format::Pixel, frame};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorSpace, Rational, Rotation};

use crate::{
    MediaError, VideoInfo,
    animation::{Animation, is_webp_at},
    error::Result,
    input::check_readable,
    raw, sequence,
    still::read_image,
};

/// The clock of animated WebP, whose times are in milliseconds.
const MILLISECONDS: Rational = Rational::MILLISECONDS;

/// The codec's name, animated or not.
const WEBP: &str = "webp";

/// Pictures in RGB with times of their own, one after the other.
pub(crate) struct RgbPictures {
    path: PathBuf,
    source: Source,
    info: VideoInfo,
    picture: frame::Video,
    pts_ticks: i64,
    duration_ticks: i64,
    next_pts_ticks: i64,
    skipped: u64,
}

enum Source {
    Stills { pictures: Vec<PathBuf>, next: usize },
    Animation(Animation),
}

impl RgbPictures {
    /// The pictures that a path names; `None` where it is a file for FFmpeg. Stills come at `rate`.
    pub(crate) fn open(path: &Path, rate: Option<Rational>) -> Result<Option<Self>> {
        if let Some(pictures) = sequence::pictures(path)? {
            return Self::stills(path, "image sequence", pictures, rate).map(Some);
        }
        if Animation::is_at(path) {
            return Self::animation(path).map(Some);
        }
        // FFmpeg 5.1's decoder ends the program where bytes follow the picture.
        let is_webp = is_webp_at(path);
        is_webp.then(|| Self::stills(path, WEBP, vec![path.to_owned()], rate)).transpose()
    }

    fn stills(path: &Path, codec: &str, pictures: Vec<PathBuf>, rate: Option<Rational>) -> Result<Self> {
        let rate = rate.unwrap_or(sequence::SEQUENCE_RATE);
        let count = pictures.len() as u64;
        // The first that can be read tells the size of all.
        let mut first = Err(MediaError::NoSequence { path: path.to_owned() });
        for picture in &pictures {
            first = read_image(picture);
            if first.is_ok() {
                break;
            }
        }
        let first = first?;
        let info = VideoInfo {
            frame_rate: Some(rate),
            frame_count: Some(count),
            ..info(codec, (first.width(), first.height()), rate.recip(), count as i64)
        };
        Ok(Self::new(path, Source::Stills { pictures, next: 0 }, info))
    }

    fn animation(path: &Path) -> Result<Self> {
        check_readable(path)?;
        let animation = Animation::open(path)
            .map_err(|error| MediaError::Animation { path: path.to_owned(), reason: error.to_string() })?;
        let count = animation.count();
        let milliseconds = i64::try_from(animation.milliseconds()).unwrap_or(i64::MAX);
        let rate = i32::try_from(milliseconds).ok().zip(i32::try_from(count).ok());
        let rate =
            rate.and_then(|(milliseconds, count)| Rational::new(count.checked_mul(1000)?, milliseconds).ok());
        let info = VideoInfo {
            frame_rate: rate,
            frame_count: Some(count as u64),
            ..info(WEBP, animation.size(), MILLISECONDS, milliseconds)
        };
        Ok(Self::new(path, Source::Animation(animation), info))
    }

    fn new(path: &Path, source: Source, info: VideoInfo) -> Self {
        Self {
            path: path.to_owned(),
            source,
            info,
            picture: frame::Video::empty(),
            pts_ticks: 0,
            duration_ticks: 1,
            next_pts_ticks: 0,
            skipped: 0,
        }
    }

    pub(crate) fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Passes over the stills before this time, without reading them.
    pub(crate) fn skip_to(&mut self, ticks: i64) {
        if let Source::Stills { next, .. } = &mut self.source {
            *next = usize::try_from(ticks).unwrap_or(0);
            self.next_pts_ticks = ticks.max(0);
        }
    }

    pub(crate) fn picture(&self) -> &frame::Video {
        &self.picture
    }

    pub(crate) fn pts_ticks(&self) -> i64 {
        self.pts_ticks
    }

    pub(crate) fn duration_ticks(&self) -> i64 {
        self.duration_ticks
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Reads the next picture; `false` at the end. One that cannot be read is told, counted and left out.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        match &mut self.source {
            Source::Stills { pictures, next } => {
                while let Some(path) = pictures.get(*next) {
                    *next += 1;
                    self.pts_ticks = self.next_pts_ticks;
                    self.next_pts_ticks += 1;
                    match read_image(path) {
                        Ok(still) => {
                            let size = (still.width(), still.height());
                            fill(&mut self.picture, Pixel::RGB24, size, still.data(), &self.path)?;
                            return Ok(true);
                        }
                        Err(error) => {
                            log::warn!("{error}");
                            self.skipped += 1;
                        }
                    }
                }
                Ok(false)
            }
            Source::Animation(animation) => {
                let milliseconds = match animation.advance() {
                    Ok(Some(milliseconds)) => milliseconds,
                    Ok(None) => return Ok(false),
                    // Each picture is painted over the one before, so nothing behind it can be right.
                    Err(error) => {
                        log::warn!("the animation breaks off ({error}): {}", self.path.display());
                        self.skipped += 1;
                        return Ok(false);
                    }
                };
                fill(&mut self.picture, Pixel::RGBA, animation.size(), animation.canvas(), &self.path)?;
                self.pts_ticks = self.next_pts_ticks;
                self.duration_ticks = i64::from(milliseconds);
                self.next_pts_ticks = self.next_pts_ticks.saturating_add(self.duration_ticks);
                Ok(true)
            }
        }
    }
}

/// Copies rows without gaps into a picture of FFmpeg's.
fn fill(picture: &mut frame::Video, pixel: Pixel, size: (u32, u32), data: &[u8], path: &Path) -> Result<()> {
    if (picture.format(), picture.width(), picture.height()) != (pixel, size.0, size.1) {
        *picture = raw::new_picture(pixel, size.0, size.1)
            .map_err(|source| MediaError::Convert { path: path.to_owned(), source })?;
    }
    let row_bytes = data.len() / size.1.max(1) as usize;
    let stride_bytes = picture.stride(0);
    for (row, copied) in data.chunks(row_bytes.max(1)).zip(picture.data_mut(0).chunks_mut(stride_bytes)) {
        copied[..row.len()].copy_from_slice(row);
    }
    Ok(())
}

fn info(codec: &str, (width, height): (u32, u32), time_base: Rational, ticks: i64) -> VideoInfo {
    VideoInfo {
        codec: codec.to_owned(),
        width,
        height,
        frame_rate: None,
        time_base,
        duration: crate::probe::duration(ticks, time_base),
        frame_count: None,
        pixel_format: "rgb24".to_owned(),
        color_space: ColorSpace::guess_from_height(height),
        rotation: Rotation::None,
        mirrored: false,
    }
}

/// Whether a path names pictures without anything beside them, which FFmpeg does not open.
pub(crate) fn is_pictures_alone(path: &Path) -> bool {
    sequence::is_picture_sequence(path) || is_webp_at(path)
}
