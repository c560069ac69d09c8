//! Sound within what encoders take.

use ffmpeg::{Error, frame};
use ffmpeg_next as ffmpeg;

use crate::raw;

/// Brings every sample of a frame of `f32` into -1..1, and makes silence of what is no number. Damaged sound has samples
/// beyond all measure, on which FFmpeg's AAC encoder comes to no end.
pub(super) fn limit(frame: &mut frame::Audio) -> Result<(), Error> {
    let planes = 0..frame.planes();
    // Hardly ever does anything change, and then a buffer that a decoder still holds need not be copied.
    if planes.clone().all(|plane| frame.plane::<f32>(plane).iter().copied().all(is_within)) {
        return Ok(());
    }
    raw::make_writable(frame)?;
    for plane in planes {
        frame.plane_mut::<f32>(plane).iter_mut().for_each(|sample| *sample = limited(*sample));
    }
    Ok(())
}

fn is_within(sample: f32) -> bool {
    sample.abs() <= 1.0
}

fn limited(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffmpeg::{
        ChannelLayout,
        format::{Sample, sample::Type},
    };

    #[test]
    fn every_sample_of_every_channel_is_brought_in() {
        let (odd, even) = ([f32::NAN, 1e30, -0.5, f32::NEG_INFINITY], [0.25, -1.0, f32::INFINITY, -1.5]);
        let mut planar = frame::Audio::new(Sample::F32(Type::Planar), 4, ChannelLayout::STEREO);
        planar.plane_mut::<f32>(0).copy_from_slice(&odd);
        planar.plane_mut::<f32>(1).copy_from_slice(&even);
        limit(&mut planar).unwrap();
        assert_eq!(planar.plane::<f32>(0), [0.0, 1.0, -0.5, -1.0]);
        assert_eq!(planar.plane::<f32>(1), [0.25, -1.0, 1.0, -1.0]);

        let mut packed = frame::Audio::new(Sample::F32(Type::Packed), 4, ChannelLayout::STEREO);
        packed.plane_mut::<f32>(0).copy_from_slice(&[odd, even].concat());
        limit(&mut packed).unwrap();
        assert_eq!(packed.plane::<f32>(0), [0.0, 1.0, -0.5, -1.0, 0.25, -1.0, 1.0, -1.0]);
    }
}
