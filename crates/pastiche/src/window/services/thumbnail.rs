//! Previews of styles: one frame of the demo clip in each.

use std::path::Path;

use anyhow::{Context, Result};
use pastiche_frame::{Frame, FramePool, PixelFormat};
use pastiche_inference::{ComputeDevice, DeviceChoice, Style, Stylizer, StylizerOptions};
use pastiche_media::{DecodeOptions, VideoDecoder};

/// Twice the size at which it is shown, for screens with many pixels.
const SIZE: (u32, u32) = (160, 120);

/// Paints previews. One thread of the processor is enough, and leaves the others to the live picture.
pub(super) struct ThumbnailPainter {
    subject: Frame,
    stylizer: Option<Stylizer>,
}

impl ThumbnailPainter {
    /// Takes a frame of the clip as the subject.
    pub(super) fn new(clip: &Path) -> Result<Self> {
        let options = DecodeOptions { size: Some(SIZE), ..DecodeOptions::default() };
        let frame = VideoDecoder::open(clip, &options)?.next_frame(&FramePool::new(1))?;
        Ok(Self { subject: frame.context("the clip has no picture")?, stylizer: None })
    }

    /// The subject in the style of this file.
    pub(super) fn paint(&mut self, style: &Path) -> Result<Frame> {
        let style = Style::load(style)?;
        let stylizer = match self.stylizer.as_mut() {
            Some(stylizer) => {
                stylizer.set_style(style)?;
                stylizer
            }
            None => {
                let device = ComputeDevice::open(DeviceChoice::Cpu)?;
                let options = StylizerOptions { threads: Some(1), ..StylizerOptions::default() };
                self.stylizer.insert(Stylizer::new(style, &device, &options)?)
            }
        };
        let pixels = self.subject.data().to_vec();
        let (width, height) = (self.subject.width(), self.subject.height());
        Ok(stylizer.stylize(Frame::from_data(width, height, PixelFormat::Rgb8, pixels))?)
    }
}
