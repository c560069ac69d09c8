//! What ALSA's `pcm_ioplug.h` declares.

#![allow(dead_code, reason = "the C library reads what is only written here")]

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong, c_void},
    ptr,
};

/// 1.0.2, the version of the interface.
const VERSION: c_uint = 0x1_00_02;
const MONOTONIC: c_uint = 1 << 1;

pub(crate) const ACCESS: c_int = 0;
pub(crate) const FORMAT: c_int = 1;
pub(crate) const CHANNELS: c_int = 2;
pub(crate) const RATE: c_int = 3;
pub(crate) const PERIOD_BYTES: c_int = 4;
pub(crate) const BUFFER_BYTES: c_int = 5;
pub(crate) const READ_WRITE_INTERLEAVED: c_uint = 3;
pub(crate) const S16_LE: c_uint = 2;

/// `snd_pcm_ioplug_t`.
#[repr(C)]
pub(crate) struct Plugin {
    version: c_uint,
    name: *const c_char,
    flags: c_uint,
    pub(crate) poll_fd: c_int,
    poll_events: c_uint,
    mmap_rw: c_uint,
    callback: *const Callbacks,
    private_data: *mut c_void,
    pub(crate) pcm: *mut c_void,
    stream: c_int,
    state: c_int,
    appl_ptr: c_ulong,
    hw_ptr: c_ulong,
    nonblock: c_int,
    access: c_int,
    format: c_int,
    channels: c_uint,
    rate: c_uint,
    period_size: c_ulong,
    pub(crate) buffer_size: c_ulong,
}

impl Plugin {
    pub(crate) fn new(name: &'static CStr, poll_fd: c_int, callback: &'static Callbacks) -> Self {
        Self {
            version: VERSION,
            name: name.as_ptr(),
            flags: MONOTONIC,
            poll_fd,
            poll_events: libc::POLLIN as c_uint,
            mmap_rw: 0,
            callback,
            private_data: ptr::null_mut(),
            pcm: ptr::null_mut(),
            stream: 0,
            state: 0,
            appl_ptr: 0,
            hw_ptr: 0,
            nonblock: 0,
            access: 0,
            format: 0,
            channels: 0,
            rate: 0,
            period_size: 0,
            buffer_size: 0,
        }
    }
}

/// `snd_pcm_channel_area_t`: one channel's samples.
#[repr(C)]
pub(crate) struct Areas {
    pub(crate) address: *mut c_void,
    /// In bits.
    pub(crate) first: c_uint,
    /// In bits.
    pub(crate) step: c_uint,
}

type Plain = Option<unsafe extern "C" fn(*mut Plugin) -> c_int>;
type Unused = Option<unsafe extern "C" fn()>;
type Transfer = unsafe extern "C" fn(*mut Plugin, *const Areas, c_ulong, c_ulong) -> c_long;
type PollRevents = unsafe extern "C" fn(*mut Plugin, *mut libc::pollfd, c_uint, *mut u16) -> c_int;

/// `snd_pcm_ioplug_callback_t`.
#[repr(C)]
pub(crate) struct Callbacks {
    pub(crate) start: Plain,
    pub(crate) stop: Plain,
    pub(crate) pointer: Option<unsafe extern "C" fn(*mut Plugin) -> c_long>,
    pub(crate) transfer: Option<Transfer>,
    pub(crate) close: Plain,
    pub(crate) hw_params: Unused,
    pub(crate) hw_free: Unused,
    pub(crate) sw_params: Unused,
    pub(crate) prepare: Unused,
    pub(crate) drain: Unused,
    pub(crate) pause: Unused,
    pub(crate) resume: Unused,
    pub(crate) poll_descriptors_count: Unused,
    pub(crate) poll_descriptors: Unused,
    pub(crate) poll_revents: Option<PollRevents>,
    pub(crate) dump: Unused,
    pub(crate) delay: Unused,
    pub(crate) query_chmaps: Unused,
    pub(crate) get_chmap: Unused,
    pub(crate) set_chmap: Unused,
}

impl Callbacks {
    pub(crate) const NONE: Self = Self {
        start: None,
        stop: None,
        pointer: None,
        transfer: None,
        close: None,
        hw_params: None,
        hw_free: None,
        sw_params: None,
        prepare: None,
        drain: None,
        pause: None,
        resume: None,
        poll_descriptors_count: None,
        poll_descriptors: None,
        poll_revents: None,
        dump: None,
        delay: None,
        query_chmaps: None,
        get_chmap: None,
        set_chmap: None,
    };
}

#[link(name = "asound")]
unsafe extern "C" {
    pub(crate) fn snd_pcm_ioplug_create(
        plugin: *mut Plugin,
        name: *const c_char,
        stream: c_int,
        mode: c_int,
    ) -> c_int;

    fn snd_pcm_ioplug_set_param_list(
        plugin: *mut Plugin,
        parameter: c_int,
        count: c_uint,
        values: *const c_uint,
    ) -> c_int;
}

/// Lets a program choose among these values only.
///
/// # Safety
/// The plug-in is made.
pub(crate) unsafe fn allow(plugin: *mut Plugin, parameter: c_int, values: &[c_uint]) {
    // SAFETY: as the caller says.
    let set =
        unsafe { snd_pcm_ioplug_set_param_list(plugin, parameter, values.len() as c_uint, values.as_ptr()) };
    assert_eq!(set, 0, "ALSA takes parameter {parameter}");
}

/// A descriptor that can be read every five milliseconds.
pub(crate) fn timer() -> c_int {
    let every = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    let times = libc::itimerspec { it_interval: every, it_value: every };
    // SAFETY: plain calls, with times that are valid.
    unsafe {
        let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK);
        libc::timerfd_settime(timer, 0, &times, ptr::null_mut());
        timer
    }
}
