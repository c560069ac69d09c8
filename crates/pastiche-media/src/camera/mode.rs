//! Which of a camera's sizes, rates and formats to take.

use nokhwa::utils::{CameraFormat, FrameFormat};

/// Where nothing is asked for: what networks paint quickly.
const DEFAULT_SIZE: (u32, u32) = (640, 480);
const DEFAULT_FRAME_RATE: u32 = 30;
/// From this width on MJPEG comes first: cables carry too few uncompressed pictures of that size.
const COMPRESSED_FROM_WIDTH: u32 = 1280;

/// The mode nearest to what is asked for: by size, then by a rate that is not lower, then by format.
pub(super) fn nearest(
    modes: &[CameraFormat],
    size: Option<(u32, u32)>,
    frame_rate: Option<u32>,
) -> Option<CameraFormat> {
    let (width, height) = size.unwrap_or(DEFAULT_SIZE);
    let rate = frame_rate.unwrap_or(DEFAULT_FRAME_RATE);
    let distance = |mode: &CameraFormat| {
        let off = mode.width().abs_diff(width) + mode.height().abs_diff(height);
        let (too_slow, too_fast) =
            (rate.saturating_sub(mode.frame_rate()), mode.frame_rate().saturating_sub(rate));
        (off, too_slow, format_rank(mode), too_fast)
    };
    modes.iter().copied().min_by_key(distance)
}

fn format_rank(mode: &CameraFormat) -> u8 {
    let large = mode.width() >= COMPRESSED_FROM_WIDTH;
    match mode.format() {
        FrameFormat::MJPEG if large => 0,
        FrameFormat::YUYV | FrameFormat::NV12 => 1,
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => 2,
        FrameFormat::MJPEG => 3,
        FrameFormat::GRAY => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(width: u32, height: u32, format: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, format, rate)
    }

    /// What a usual webcam offers.
    fn modes() -> Vec<CameraFormat> {
        let mut modes = Vec::new();
        for (width, height, yuyv_rate) in [(320, 240, 30), (640, 480, 30), (1280, 720, 10), (1920, 1080, 5)] {
            modes.push(mode(width, height, FrameFormat::YUYV, yuyv_rate));
            modes.push(mode(width, height, FrameFormat::MJPEG, 30));
        }
        modes.push(mode(640, 480, FrameFormat::YUYV, 15));
        modes
    }

    #[test]
    fn large_pictures_are_taken_compressed_and_small_ones_as_they_are() {
        let nearest = |size, rate| super::nearest(&modes(), size, rate);
        assert_eq!(nearest(None, None), Some(mode(640, 480, FrameFormat::YUYV, 30)));
        assert_eq!(nearest(Some((1280, 720)), None), Some(mode(1280, 720, FrameFormat::MJPEG, 30)));
        assert_eq!(nearest(Some((1900, 1000)), Some(5)), Some(mode(1920, 1080, FrameFormat::MJPEG, 30)));
        assert_eq!(nearest(None, Some(15)), Some(mode(640, 480, FrameFormat::YUYV, 15)));
        assert_eq!(super::nearest(&[], None, None), None);
    }
}
