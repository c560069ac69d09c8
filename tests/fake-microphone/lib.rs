//! A microphone without hardware: a plug-in of ALSA's, which programs open like any other device.
//!
//! `FAKE_MICROPHONE` names a folder. While it has a file `plugged`, the microphone is there; while it has `taken`, another
//! program has it; while it has `stall`, it gives no sound. `rate_hz` and `drift_ppm` say how many samples a second it
//! gives, and by how many in a million its clock runs too fast. In the first 200 ms of every even second of the system's
//! monotonic clock there is a tone of 1 kHz, and silence else.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "it is called by a C library")]

mod alsa;

use std::{
    ffi::{c_char, c_int, c_void},
    fs,
    path::PathBuf,
    ptr,
};

use alsa::{Areas, Callbacks, Plugin};

/// Frames that come at once.
const PERIOD_FRAMES: u32 = 480;
/// Half a second of them: a busy machine comes late.
const BUFFER_PERIODS: u32 = 50;
const BYTES_PER_FRAME: u32 = 2;
const TONE_HZ: f64 = 1000.0;
const TONE_SECONDS: f64 = 0.2;

fn there(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("FAKE_MICROPHONE").map(PathBuf::from)?.join(name);
    path.exists().then_some(path)
}

fn number(name: &str) -> Option<f64> {
    fs::read_to_string(there(name)?).ok()?.trim().parse().ok()
}

/// The system's monotonic clock, in seconds.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to the given place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// What is heard at this time, from -1 to 1.
fn heard(time: f64) -> f64 {
    let since = time % 2.0;
    if since < TONE_SECONDS { 0.5 * (std::f64::consts::TAU * TONE_HZ * since).sin() } else { 0.0 }
}

/// One microphone that is open. The plug-in comes first, as ALSA hands a pointer to that around.
#[repr(C)]
struct Device {
    plugin: Plugin,
    /// Samples a second by the system's clock.
    true_rate_hz: f64,
    /// Since when it runs.
    started: Option<f64>,
    /// Frames read since then.
    read: u64,
}

impl Device {
    /// Frames heard since the start.
    fn heard_frames(&self) -> u64 {
        match self.started.filter(|_| there("stall").is_none()) {
            Some(started) => ((now() - started) * self.true_rate_hz) as u64,
            None => self.read,
        }
    }
}

/// # Safety
/// `plugin` is the first field of a device that is open.
unsafe fn device<'a>(plugin: *mut Plugin) -> &'a mut Device {
    // SAFETY: as the caller says.
    unsafe { &mut *plugin.cast::<Device>() }
}

unsafe extern "C" fn start(plugin: *mut Plugin) -> c_int {
    // SAFETY: ALSA passes an open device's plug-in, here and below.
    let device = unsafe { device(plugin) };
    (device.started, device.read) = (Some(now()), 0);
    0
}

unsafe extern "C" fn stop(plugin: *mut Plugin) -> c_int {
    // SAFETY: as above.
    unsafe { device(plugin) }.started = None;
    0
}

unsafe extern "C" fn pointer(plugin: *mut Plugin) -> libc::c_long {
    // SAFETY: as above.
    let device = unsafe { device(plugin) };
    let frames = device.heard_frames();
    let buffer = device.plugin.buffer_size;
    if frames - device.read > buffer {
        return -libc::c_long::from(libc::EPIPE);
    }
    (frames % buffer) as libc::c_long
}

unsafe extern "C" fn transfer(
    plugin: *mut Plugin,
    areas: *const Areas,
    offset: libc::c_ulong,
    size: libc::c_ulong,
) -> libc::c_long {
    // SAFETY: as above; there is one channel, and room for `size` samples of two bytes from `offset` on.
    let (device, area) = unsafe { (device(plugin), &*areas) };
    let started = device.started.unwrap_or_default();
    for index in 0..size {
        let time = started + (device.read + index) as f64 / device.true_rate_hz;
        let bits = libc::c_ulong::from(area.first) + (offset + index) * libc::c_ulong::from(area.step);
        let sample = (heard(time) * f64::from(i16::MAX)) as i16;
        // SAFETY: as above.
        unsafe { area.address.byte_add((bits / 8) as usize).cast::<i16>().write_unaligned(sample) };
    }
    device.read += size;
    size as libc::c_long
}

unsafe extern "C" fn poll_revents(
    plugin: *mut Plugin,
    descriptors: *mut libc::pollfd,
    _count: libc::c_uint,
    revents: *mut u16,
) -> c_int {
    // SAFETY: as above, and both pointers are valid.
    let (device, descriptor, revents) = unsafe { (device(plugin), &*descriptors, &mut *revents) };
    let mut ticks = 0_u64;
    // SAFETY: the timer gives eight bytes.
    unsafe { libc::read(descriptor.fd, ptr::from_mut(&mut ticks).cast(), 8) };
    let waiting = device.heard_frames().saturating_sub(device.read);
    *revents = if there("plugged").is_none() {
        libc::POLLHUP as u16
    } else if waiting >= u64::from(PERIOD_FRAMES) {
        libc::POLLIN as u16
    } else {
        0
    };
    0
}

unsafe extern "C" fn close(plugin: *mut Plugin) -> c_int {
    // SAFETY: as above; nobody has the device any more, and it was made by `Box::into_raw`.
    let device = unsafe { Box::from_raw(plugin.cast::<Device>()) };
    // SAFETY: the timer is ours.
    unsafe { libc::close(device.plugin.poll_fd) }
}

static CALLBACKS: Callbacks = Callbacks {
    start: Some(start),
    stop: Some(stop),
    pointer: Some(pointer),
    transfer: Some(transfer),
    close: Some(close),
    poll_revents: Some(poll_revents),
    ..Callbacks::NONE
};

/// By this ALSA knows for which version of itself the plug-in is.
#[allow(non_upper_case_globals, reason = "it is a name of ALSA's")]
#[unsafe(no_mangle)]
pub static __snd_pcm_fake_open_dlsym_pcm_001: c_char = 0;

/// Opens the microphone.
///
/// # Safety
/// ALSA calls it, with pointers that are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _snd_pcm_fake_open(
    pcm: *mut *mut c_void,
    name: *const c_char,
    _root: *mut c_void,
    _configuration: *mut c_void,
    stream: c_int,
    mode: c_int,
) -> c_int {
    if there("plugged").is_none() {
        return -libc::ENODEV;
    }
    if there("taken").is_some() {
        return -libc::EBUSY;
    }
    let rate_hz = number("rate_hz").unwrap_or(48_000.0);
    let drift = number("drift_ppm").unwrap_or(0.0) * 1e-6;
    let device = Device {
        plugin: Plugin::new(c"Fake Microphone", alsa::timer(), &CALLBACKS),
        true_rate_hz: rate_hz * (1.0 + drift),
        started: None,
        read: 0,
    };
    let plugin = Box::into_raw(Box::new(device)).cast::<Plugin>();
    // SAFETY: the device stays until ALSA closes it.
    let made = unsafe { alsa::snd_pcm_ioplug_create(plugin, name, stream, mode) };
    if made < 0 {
        return made;
    }
    let period_bytes = PERIOD_FRAMES * BYTES_PER_FRAME;
    // SAFETY: the plug-in is made, and the lists are as long as said.
    unsafe {
        alsa::allow(plugin, alsa::ACCESS, &[alsa::READ_WRITE_INTERLEAVED]);
        alsa::allow(plugin, alsa::FORMAT, &[alsa::S16_LE]);
        alsa::allow(plugin, alsa::CHANNELS, &[1]);
        alsa::allow(plugin, alsa::RATE, &[rate_hz as u32]);
        alsa::allow(plugin, alsa::PERIOD_BYTES, &[period_bytes]);
        alsa::allow(plugin, alsa::BUFFER_BYTES, &[period_bytes * BUFFER_PERIODS]);
        *pcm = (*plugin).pcm;
    }
    0
}
