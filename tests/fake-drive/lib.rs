//! A drive that fails: preloaded into a program (`LD_PRELOAD`), it lets some files be read or written so far only.
//!
//! `FAKE_DRIVE` holds lines of a word in a file's name, `read` or `write`, a number of bytes, and `full`, `broken` or `stop`:
//! behind so many bytes of such files the drive has no space left, or answers with errors, or the program stands still
//! once, until it is sent on. Everything else a program does is passed on to the C library.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "it takes the place of C functions")]

use std::{
    ffi::{CStr, c_int, c_void},
    fs,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is wrong with some files.
struct Fault {
    name: String,
    writing: bool,
    bytes: u64,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Fails(c_int),
    Stops,
}

/// Whether the program has stood still.
static STOPPED: AtomicBool = AtomicBool::new(false);

fn faults() -> &'static [Fault] {
    static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();
    FAULTS.get_or_init(|| {
        let text = std::env::var("FAKE_DRIVE").unwrap_or_default();
        text.lines().filter_map(fault).collect()
    })
}

fn fault(line: &str) -> Option<Fault> {
    let mut words = line.split(' ');
    Some(Fault {
        name: words.next()?.to_owned(),
        writing: words.next()? == "write",
        bytes: words.next()?.parse().ok()?,
        what: match words.next()? {
            "full" => What::Fails(libc::ENOSPC),
            "stop" => What::Stops,
            _ => What::Fails(libc::EIO),
        },
    })
}

/// How many of `count` bytes the drive takes or gives where the file stands, or its error.
fn allowed(fd: c_int, writing: bool, count: usize) -> Result<usize, c_int> {
    let faults = faults();
    if faults.iter().all(|fault| fault.writing != writing) {
        return Ok(count);
    }
    let Ok(path) = fs::read_link(format!("/proc/self/fd/{fd}")) else { return Ok(count) };
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(count) };
    let Some(fault) = faults.iter().find(|fault| fault.writing == writing && name.contains(&fault.name))
    else {
        return Ok(count);
    };
    // SAFETY: it asks where a descriptor stands.
    let position = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
    let left = fault.bytes.saturating_sub(u64::try_from(position).unwrap_or(0));
    match (left, fault.what) {
        (0, What::Fails(code)) => Err(code),
        (0, What::Stops) => {
            if !STOPPED.swap(true, Ordering::Relaxed) {
                // SAFETY: it sends a signal to the program itself.
                unsafe { libc::raise(libc::SIGSTOP) };
            }
            Ok(count)
        }
        _ => Ok(count.min(usize::try_from(left).unwrap_or(count))),
    }
}

/// The C library's own function.
fn real(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?} is in every C library");
    address
}

/// Sets the error code, and returns what C functions return then.
fn fail(code: c_int) -> isize {
    // SAFETY: the address is this thread's error code.
    unsafe { *libc::__errno_location() = code };
    -1
}

/// Takes the place of the C library's.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn read(fd: c_int, buffer: *mut c_void, count: usize) -> isize {
    type Read = unsafe extern "C" fn(c_int, *mut c_void, usize) -> isize;
    match allowed(fd, false, count) {
        // SAFETY: `read` has this type, and the caller passes what it asks for.
        Ok(count) => unsafe { std::mem::transmute::<*mut c_void, Read>(real(c"read"))(fd, buffer, count) },
        Err(code) => fail(code),
    }
}

/// Takes the place of the C library's.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize {
    type Write = unsafe extern "C" fn(c_int, *const c_void, usize) -> isize;
    match allowed(fd, true, count) {
        // SAFETY: `write` has this type, and the caller passes what it asks for.
        Ok(count) => unsafe { std::mem::transmute::<*mut c_void, Write>(real(c"write"))(fd, buffer, count) },
        Err(code) => fail(code),
    }
}
