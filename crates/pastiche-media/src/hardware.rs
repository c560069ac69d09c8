//! Graphics hardware through FFmpeg: devices, and what is counted there.
#![allow(unsafe_code, reason = "FFmpeg's hardware devices, which ffmpeg-next does not wrap")]

use std::{
    ffi::c_int,
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

use ffmpeg::{
    Error,
    error::{ENODEV, ENOMEM},
    ffi,
};
use ffmpeg_next as ffmpeg;

/// How a card is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Intel's and AMD's on Linux.
    Vaapi,
    /// NVIDIA's.
    Cuda,
}

impl Kind {
    pub(crate) const fn device_type(self) -> ffi::AVHWDeviceType {
        match self {
            Self::Vaapi => ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI,
            Self::Cuda => ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_CUDA,
        }
    }
}

/// Opens the default device of a kind.
pub(crate) fn open_device(kind: Kind) -> Result<BufferRef, Error> {
    let mut device = ptr::null_mut();
    // SAFETY: `device` may be written to; neither a name nor options ask for the default. It stays null on failure.
    let code = unsafe {
        ffi::av_hwdevice_ctx_create(&mut device, kind.device_type(), ptr::null(), ptr::null_mut(), 0)
    };
    // FFmpeg's own code for a device that is not there is "invalid argument", or one of its own.
    check(code).map_err(|_| Error::Other { errno: ENODEV })?;
    // SAFETY: on success the reference is the caller's.
    unsafe { BufferRef::own(device) }
}

pub(crate) fn check(code: c_int) -> Result<(), Error> {
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}

/// A counted reference to a device or a pool, given back when dropped.
pub(crate) struct BufferRef(NonNull<ffi::AVBufferRef>);

// SAFETY: the count is atomic, and a device belongs to no thread: libva and its drivers lock what they share, and FFmpeg makes
// a CUDA context current around each of its calls.
unsafe impl Send for BufferRef {}

impl BufferRef {
    /// Takes over what FFmpeg returned, where null means that there was no memory.
    ///
    /// # Safety
    /// The reference is valid or null, and nobody else will give it back.
    pub(crate) unsafe fn own(reference: *mut ffi::AVBufferRef) -> Result<Self, Error> {
        NonNull::new(reference).map(Self).ok_or(Error::Other { errno: ENOMEM })
    }

    /// Another reference to the same.
    pub(crate) fn share(&self) -> Result<Self, Error> {
        // SAFETY: this reference is valid, and the new one is nobody else's.
        unsafe { Self::own(ffi::av_buffer_ref(self.as_ptr())) }
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::AVBufferRef {
        self.0.as_ptr()
    }

    /// Hands the reference to whoever will give it back.
    pub(crate) fn into_raw(self) -> *mut ffi::AVBufferRef {
        ManuallyDrop::new(self).as_ptr()
    }
}

impl Drop for BufferRef {
    fn drop(&mut self) {
        // SAFETY: the reference is valid and not used again.
        unsafe { ffi::av_buffer_unref(&mut self.as_ptr()) };
    }
}
