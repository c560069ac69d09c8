//! What demuxers lose. Some go on behind what they cannot make sense of without a word to their caller; only FFmpeg's log
//! hears of it.
#![allow(unsafe_code, reason = "FFmpeg's log is a callback")]

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
    mem,
    ptr::{self, addr_of},
    sync::atomic::{AtomicPtr, Ordering},
};

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

/// Those that tell nothing but their log, by the names that FFmpeg gives them.
const SILENT: [&str; 3] = ["matroska,webm", "mpegts", "ogg"];

/// How the warning begins that a packet is given of which some is missing. Its own mark for that does not come through the
/// parsers, which make pictures of what several packets hold.
const PACKET_CORRUPT: &[u8] = b"Packet corrupt";

/// Takes a line for the log: of whom, how bad, a format and its arguments, which are C's `va_list`, a type of another name
/// on every platform.
type Callback<Arguments> = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, Arguments);

/// FFmpeg's own callback, which prints.
static PRINT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Errors that demuxers told the log on this thread.
    static ERRORS: Cell<u64> = const { Cell::new(0) };
}

/// Reads the log from now on. What is printed of it does not change.
pub(crate) fn attach() {
    attach_with(ffi::av_log_set_callback, ffi::av_log_default_callback);
}

fn attach_with<A>(set: unsafe extern "C" fn(Option<Callback<A>>), print: Callback<A>) {
    PRINT.store(print as *mut (), Ordering::Release);
    // SAFETY: the callback may be called on any thread at any time from now on, and is made for that.
    unsafe { set(Some(note::<A>)) };
}

/// # Safety
/// As FFmpeg calls it: `context` is null or something whose first field is its class, the arguments are the format's. The
/// type of them is that which [`attach_with`] was called with.
unsafe extern "C" fn note<A>(context: *mut c_void, level: c_int, format: *const c_char, arguments: A) {
    // SAFETY: as this function's.
    if unsafe { is_loss(level, format) && is_demuxer(context) } {
        // A thread that is about to end has no counter any more, and reads nothing.
        let _ = ERRORS.try_with(|errors| errors.set(errors.get() + 1));
    }
    // SAFETY: `attach_with::<A>` has stored a `Callback<A>` before FFmpeg was given this function.
    let print = unsafe { mem::transmute::<*mut (), Callback<A>>(PRINT.load(Ordering::Acquire)) };
    // SAFETY: as this function's.
    unsafe { print(context, level, format, arguments) };
}

/// # Safety
/// `format` is null or a string of C's.
unsafe fn is_loss(level: c_int, format: *const c_char) -> bool {
    if level != ffi::AV_LOG_WARNING || format.is_null() {
        return level <= ffi::AV_LOG_ERROR;
    }
    // SAFETY: as this function's.
    unsafe { CStr::from_ptr(format) }.to_bytes().starts_with(PACKET_CORRUPT)
}

/// # Safety
/// `context` is null or something whose first field is its class.
unsafe fn is_demuxer(context: *mut c_void) -> bool {
    if context.is_null() {
        return false;
    }
    // SAFETY: the first field is the class; who has the class of format contexts is one, whose `iformat` demuxers set.
    unsafe {
        *context.cast::<*const ffi::AVClass>() == ffi::avformat_get_class()
            && !addr_of!((*context.cast::<ffi::AVFormatContext>()).iformat).read().is_null()
    }
}

/// Whether the demuxer of this name tells only its log what it loses.
pub(crate) fn is_silent(demuxer: &str) -> bool {
    SILENT.contains(&demuxer)
}

/// Does something on this thread; whether a demuxer told the log of an error meanwhile.
pub(crate) fn listen<T>(read: impl FnOnce() -> T) -> (T, bool) {
    let before = ERRORS.get();
    let result = read();
    (result, ERRORS.get() > before)
}
