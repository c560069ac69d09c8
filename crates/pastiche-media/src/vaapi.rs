//! Pictures put into the memory of a graphics card that encodes through VA-API: Intel's and AMD's on Linux.
//!
//! Where no such card is, the tests reach the failure to open one, with what it leaves behind, and the NV12 pictures
//! that [`Uploader::upload`] is given, which `scale.rs` checks. Where there is one, `available_encoders` lists
//! `h264_vaapi`, and the tests that go through that list also cover the pool, the upload and the encoded count, times
//! and colours.
#![allow(unsafe_code, reason = "FFmpeg's hardware frames, which ffmpeg-next does not wrap")]

use std::ffi::c_int;

use ffmpeg::{Error, encoder, ffi, format::Pixel, frame};
use ffmpeg_next as ffmpeg;

use crate::hardware::{BufferRef, Kind, check, open_device};

/// More than the encoder keeps at once: those it reorders, those it works on and the one being uploaded.
const POOL_SIZE: c_int = 16;

/// Copies pictures from main memory to the default VA-API device.
pub(crate) struct Uploader {
    pool: BufferRef,
}

impl Uploader {
    /// What it takes, the form that every VA-API driver knows.
    pub(crate) const PICTURE_FORMAT: Pixel = Pixel::NV12;

    /// Opens the device, with room for pictures of this size.
    pub(crate) fn open(width: u32, height: u32) -> Result<Self, Error> {
        let device = open_device(Kind::Vaapi)?;
        // SAFETY: the device is live, and the pool takes a reference of its own to it.
        let pool = unsafe { BufferRef::own(ffi::av_hwframe_ctx_alloc(device.as_ptr())) }?;
        // SAFETY: behind the reference is an `AVHWFramesContext`, which nobody else has yet and whose fields are the
        // caller's to fill in before it is initialised.
        unsafe {
            let context = (*pool.as_ptr()).data.cast::<ffi::AVHWFramesContext>();
            (*context).format = Pixel::VAAPI.into();
            (*context).sw_format = Self::PICTURE_FORMAT.into();
            (*context).width = width as c_int;
            (*context).height = height as c_int;
            (*context).initial_pool_size = POOL_SIZE;
            check(ffi::av_hwframe_ctx_init(pool.as_ptr()))?;
        }
        Ok(Self { pool })
    }

    /// Tells an encoder that is yet to be opened to expect the uploaded pictures.
    pub(crate) fn feed(&self, encoder: &mut encoder::video::Video) -> Result<(), Error> {
        let pool = self.pool.share()?;
        encoder.set_format(Pixel::VAAPI);
        // SAFETY: the context is live and has no pool yet; from here on the reference is the context's to free.
        unsafe { (*encoder.as_mut_ptr()).hw_frames_ctx = pool.into_raw() };
        Ok(())
    }

    /// A copy on the device of a picture of the size asked for, with its time and tags.
    pub(crate) fn upload(&self, picture: &frame::Video) -> Result<frame::Video, Error> {
        let mut uploaded = frame::Video::empty();
        // SAFETY: pool and frames are live. `uploaded` is empty, as it must be to get a buffer, and is left so or in
        // a state that can be freed when a call fails; `picture` is only read, and FFmpeg checks its form and size.
        unsafe {
            check(ffi::av_hwframe_get_buffer(self.pool.as_ptr(), uploaded.as_mut_ptr(), 0))?;
            check(ffi::av_hwframe_transfer_data(uploaded.as_mut_ptr(), picture.as_ptr(), 0))?;
            check(ffi::av_frame_copy_props(uploaded.as_mut_ptr(), picture.as_ptr()))?;
        }
        Ok(uploaded)
    }
}
