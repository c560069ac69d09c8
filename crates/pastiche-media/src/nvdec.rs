//! Videos decoded by an NVIDIA card, and their pictures brought into main memory.
//!
//! What the card does not decode (a profile that it lacks, say), FFmpeg's own decoder does, which is opened in any case. Where
//! no card is, the tests reach the failure to open one; where one is, every test that decodes goes through here.
#![allow(unsafe_code, reason = "FFmpeg's hardware frames, which ffmpeg-next does not wrap")]

use std::ptr::NonNull;

use ffmpeg::{Codec, Error, codec, ffi, format::Pixel, frame};
use ffmpeg_next as ffmpeg;

use crate::hardware::{Kind, check, open_device};

/// What decodes videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HardwareDecoding {
    /// An NVIDIA card where one opens and knows the codec, else the processor.
    #[default]
    Auto,
    /// The processor.
    None,
}

impl HardwareDecoding {
    /// Lets a decoder that is yet to be opened use a card, where there is one, and says which it is to be.
    pub(crate) fn prepare(self, decoder: &mut codec::decoder::Decoder) {
        let known = ffmpeg::decoder::find(decoder.id()).is_some_and(|codec| is_known(&codec));
        if self == Self::None || !known {
            return;
        }
        match open_device(Kind::Cuda) {
            Ok(device) => {
                log::info!("videos are decoded by the NVIDIA card, as far as it can");
                // SAFETY: the context is live, not open yet, and has no device; from here on the reference is its to free.
                unsafe { (*decoder.as_mut_ptr()).hw_device_ctx = device.into_raw() };
            }
            Err(error) => log::info!("videos are decoded by the processor: no NVIDIA card opens ({error})"),
        }
    }
}

/// Whether cards may decode it, by FFmpeg's decoder of that name.
fn is_known(codec: &Codec) -> bool {
    let configs = (0..).map_while(|index| {
        // SAFETY: the codec is static, and any index may be asked for; after the last it is null.
        NonNull::new(unsafe { ffi::avcodec_get_hw_config(codec.as_ptr(), index) }.cast_mut())
    });
    let by_device = ffi::AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX as i32;
    configs.into_iter().any(|config| {
        // SAFETY: it is static, as the codec is.
        let config = unsafe { config.as_ref() };
        config.device_type == Kind::Cuda.device_type() && config.methods & by_device != 0
    })
}

/// Whether a picture is in a card's memory.
pub(crate) fn is_on_card(picture: &frame::Video) -> bool {
    picture.format() == Pixel::CUDA
}

/// The picture in main memory, with its times and tags.
pub(crate) fn downloaded(picture: &frame::Video) -> Result<frame::Video, Error> {
    let mut copy = frame::Video::empty();
    // SAFETY: both frames are live. `copy` is empty, as it must be to get a buffer, and is left in a state that can be freed when
    // a call fails; `picture` is only read.
    unsafe {
        check(ffi::av_hwframe_transfer_data(copy.as_mut_ptr(), picture.as_ptr(), 0))?;
        check(ffi::av_frame_copy_props(copy.as_mut_ptr(), picture.as_ptr()))?;
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use ffmpeg::codec::Id;

    use super::*;

    #[test]
    fn cards_are_asked_for_what_they_may_know_only() {
        crate::init();
        let known = |id| ffmpeg::decoder::find(id).is_some_and(|codec| is_known(&codec));
        // Not every FFmpeg is built with the hardware in mind.
        if known(Id::H264) {
            assert!(known(Id::HEVC));
        }
        assert!(!known(Id::FFV1) && !known(Id::PNG));
    }
}
