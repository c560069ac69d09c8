//! How large the result is, and how large the network works.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use pastiche_inference::MIN_SIDE;
use pastiche_media::MAX_SIDE;
use pastiche_pipeline::OutputSize;

/// Width and height in pixels, written `640x360`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureSize {
    width: u32,
    height: u32,
}

impl PictureSize {
    /// Width and height.
    ///
    /// # Errors
    /// One of them is more or less than can be restyled and encoded.
    pub(crate) fn sides(self) -> Result<(u32, u32)> {
        check_sides(self.width, self.height)?;
        Ok((self.width, self.height))
    }
}

/// Refuses what is too small to be restyled or too large to be encoded.
pub(crate) fn check_sides(width: u32, height: u32) -> Result<()> {
    if [width, height].iter().any(|side| !(MIN_SIDE..=MAX_SIDE).contains(side)) {
        bail!("a picture of {width}x{height} does not work; give {MIN_SIDE} to {MAX_SIDE} pixels a side");
    }
    Ok(())
}

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        let (width, height) = sides.ok_or("not a size; give width and height, such as 640x360")?;
        Ok(Self { width, height })
    }
}

/// How large the result is.
#[derive(Debug, Args)]
pub(crate) struct SizeArgs {
    /// The result's width and height; the source's unless given.
    #[arg(long, value_name = "WxH")]
    size: Option<PictureSize>,

    /// The result's size as a multiple of the source's, such as 0.5.
    #[arg(long, value_name = "F", conflicts_with = "size", value_parser = parse_scale)]
    scale: Option<f64>,
}

/// How large the network works.
#[derive(Debug, Args)]
pub(crate) struct ProcessSizeArgs {
    /// The size that the network works at: smaller is faster and coarser; the result's size unless given.
    #[arg(long, value_name = "WxH")]
    process_size: Option<PictureSize>,
}

impl SizeArgs {
    /// The size asked for.
    pub(crate) fn output_size(&self) -> Result<OutputSize> {
        Ok(match (self.size, self.scale) {
            (Some(size), _) => {
                let (width, height) = size.sides()?;
                OutputSize::Exactly(width, height)
            }
            (None, Some(factor)) => OutputSize::Scaled(factor),
            (None, None) => OutputSize::Source,
        })
    }
}

impl ProcessSizeArgs {
    /// The size asked for.
    pub(crate) fn process_size(&self) -> Result<Option<(u32, u32)>> {
        self.process_size.map(PictureSize::sides).transpose()
    }
}

fn parse_scale(text: &str) -> Result<f64, String> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.01..=16.0;
    match text.parse() {
        Ok(scale) if RANGE.contains(&scale) => Ok(scale),
        _ => Err(format!("give a number from {} to {}, such as 0.5", RANGE.start(), RANGE.end())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_width_by_height_within_limits() {
        let sides = |text: &str| text.parse::<PictureSize>().unwrap().sides();
        assert_eq!(sides("640x360").unwrap(), (640, 360));
        assert_eq!(sides("16X16384").unwrap(), (16, 16_384));
        for text in ["15x64", "64x16385", "0x0"] {
            assert!(sides(text).is_err(), "{text:?}");
        }
        for text in ["", "640", "640x", "x360", "640x360x2", "-640x360", "640 x 360"] {
            assert!(text.parse::<PictureSize>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn scales_are_positive_and_bounded() {
        assert_eq!(parse_scale("0.5"), Ok(0.5));
        for text in ["0", "-1", "17", "nan", "inf", "half"] {
            assert!(parse_scale(text).is_err(), "{text:?}");
        }
    }
}
