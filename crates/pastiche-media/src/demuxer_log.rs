//! What demuxers lose. Some go on behind what they cannot make sense of without a word to their caller; only FFmpeg's log
//! hears of it.
#![allow(unsafe_code, reason = "FFmpeg's log is a callback")]

use std::{
    cell::RefCell,
    ffi::{CStr, c_char, c_int, c_void},
    mem,
    ptr::{self, addr_of},
    sync::atomic::{AtomicPtr, Ordering},
};

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

/// Those that tell nothing but their log, by the names that FFmpeg gives them.
const SILENT: [&str; 2] = ["matroska,webm", "ogg"];

/// How the warning begins that some of a packet is missing, of whatever demuxer. The mark that the packet itself has does not
/// come through the parsers, which make pictures of what several packets hold.
const PACKET_CORRUPT: &[u8] = b"Packet corrupt";
/// Longer than that warning.
const LINE_BYTES: usize = 256;

/// Takes a line for the log: of whom, how bad, a format and its arguments, which are C's `va_list`, a type of another name
/// on every platform.
type Callback<Arguments> = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, Arguments);
/// Makes such a line: the same, room for it, and whether a name is to be in front.
type Format<Arguments> = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_char,
    Arguments,
    *mut c_char,
    c_int,
    *mut c_int,
) -> c_int;

/// FFmpeg's own callback, which prints.
static PRINT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
/// FFmpeg's own function for a line's text.
static FORMAT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// What demuxers told the log on this thread.
    static HEARD: RefCell<Heard> = const { RefCell::new(Heard { has_errors: false, corrupt: Vec::new() }) };
}

/// What demuxers told the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Whether there were errors.
    pub(crate) has_errors: bool,
    /// The packets of which some may be missing.
    pub(crate) corrupt: Vec<CorruptPacket>,
}

/// A packet of which some may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CorruptPacket {
    pub(crate) stream: usize,
    pub(crate) dts_ticks: Option<i64>,
}

/// Reads the log from now on. What is printed of it does not change.
pub(crate) fn attach() {
    attach_with(ffi::av_log_set_callback, ffi::av_log_default_callback, ffi::av_log_format_line2);
}

fn attach_with<A>(set: unsafe extern "C" fn(Option<Callback<A>>), print: Callback<A>, format: Format<A>) {
    FORMAT.store(format as *mut (), Ordering::Release);
    PRINT.store(print as *mut (), Ordering::Release);
    // SAFETY: the callback may be called on any thread at any time from now on, and is made for that.
    unsafe { set(Some(note::<A>)) };
}

/// # Safety
/// As FFmpeg calls it: `context` is null or something whose first field is its class, the arguments are the format's. The
/// type of them is that which [`attach_with`] was called with.
unsafe extern "C" fn note<A>(context: *mut c_void, level: c_int, format: *const c_char, arguments: A) {
    // SAFETY: as this function's.
    let (is_demuxer, is_corrupt) =
        unsafe { (is_demuxer(context), level == ffi::AV_LOG_WARNING && is_corrupt(format)) };
    if is_demuxer && level <= ffi::AV_LOG_ERROR {
        hear(|heard| heard.has_errors = true);
    }
    if is_demuxer && is_corrupt {
        // SAFETY: `attach_with::<A>` has stored a `Format<A>` before FFmpeg was given this function.
        let make = unsafe { mem::transmute::<*mut (), Format<A>>(FORMAT.load(Ordering::Acquire)) };
        let (mut line, mut prefix) = ([0; LINE_BYTES], 0);
        // SAFETY: as this function's; the line is as long as said, and what is made ends in a zero.
        let text = unsafe {
            make(context, level, format, arguments, line.as_mut_ptr(), LINE_BYTES as c_int, &raw mut prefix);
            CStr::from_ptr(line.as_ptr())
        };
        hear(|heard| heard.corrupt.extend(corrupt_packet(&text.to_string_lossy())));
        // SAFETY: the format takes one string. The arguments cannot be read a second time.
        unsafe { ffi::av_log(context, level, c"%s".as_ptr(), line.as_ptr()) };
        return;
    }
    // SAFETY: `attach_with::<A>` has stored a `Callback<A>` before FFmpeg was given this function.
    let print = unsafe { mem::transmute::<*mut (), Callback<A>>(PRINT.load(Ordering::Acquire)) };
    // SAFETY: as this function's.
    unsafe { print(context, level, format, arguments) };
}

fn hear(note: impl FnOnce(&mut Heard)) {
    // A thread that is about to end has no notes any more, and reads nothing.
    let _ = HEARD.try_with(|heard| note(&mut heard.borrow_mut()));
}

/// The packet in `Packet corrupt (stream = 1, dts = 237600).`
fn corrupt_packet(line: &str) -> Option<CorruptPacket> {
    let number = |name: &str| {
        let (_, behind) = line.split_once(name)?;
        behind.split(|letter: char| letter != '-' && !letter.is_ascii_digit()).next()?.parse::<i64>().ok()
    };
    let stream = usize::try_from(number("stream = ")?).ok()?;
    Some(CorruptPacket { stream, dts_ticks: number("dts = ") })
}

/// # Safety
/// `format` is null or a string of C's.
unsafe fn is_corrupt(format: *const c_char) -> bool {
    // SAFETY: as this function's.
    !format.is_null() && unsafe { CStr::from_ptr(format) }.to_bytes().starts_with(PACKET_CORRUPT)
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

/// Does something on this thread; what demuxers told the log meanwhile.
pub(crate) fn listen<T>(read: impl FnOnce() -> T) -> (T, Heard) {
    HEARD.take();
    let result = read();
    (result, HEARD.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_packet_is_found_in_its_line() {
        let found = |line| corrupt_packet(line).map(|packet| (packet.stream, packet.dts_ticks));
        assert_eq!(found("Packet corrupt (stream = 12, dts = -237600)."), Some((12, Some(-237_600))));
        assert_eq!(found("Packet corrupt (stream = 0, dts = NOPTS)."), Some((0, None)));
        assert_eq!(found("Packet corrupt"), None);
    }
}
