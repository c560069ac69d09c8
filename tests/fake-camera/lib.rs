//! A camera without hardware: preloaded into a program (`LD_PRELOAD`), it answers as a V4L2 device.
//!
//! `FAKE_CAMERA` names a folder that stands for `/dev`. While it has a file `video0`, a camera is plugged in; while it has
//! `stall`, that gives no pictures; while it has `busy`, another program has it; while it has
//! `damaged`, its JPEGs are; while it has `flash`, its pictures are white in the first 200 ms of every even second of the
//! system's monotonic clock, and dark else. A file `video1` is a node for metadata, as webcams have. A file `video9` is a virtual camera, and
//! what is shown there is appended to `shown.yuyv`. Everything else a program does is passed on to the C library.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "it takes the place of C functions")]

mod device;
mod real;

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_long, c_void},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often a waiting program looks for a picture.
const POLL: Duration = Duration::from_millis(2);

/// Where the camera's files are.
fn folder() -> Option<PathBuf> {
    std::env::var_os("FAKE_CAMERA").map(PathBuf::from)
}

fn there(name: &str) -> bool {
    folder().is_some_and(|folder| folder.join(name).exists())
}

/// # Safety
/// `path` is a C string.
unsafe fn path_of<'a>(path: *const c_char) -> &'a Path {
    // SAFETY: as the caller says.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

/// Takes the place of the C library's: devices are ours.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller says.
    let name = unsafe { path_of(path) }.strip_prefix("/dev").ok().and_then(Path::to_str);
    match name {
        Some(name) if name.starts_with("video") && folder().is_some() => {
            if there(name) {
                device::open(name)
            } else {
                real::fail(libc::ENOENT)
            }
        }
        // SAFETY: as the caller says.
        _ => unsafe { real::open(c"open", path, flags, mode) },
    }
}

/// Takes the place of the C library's: the names of devices are ours.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: as the caller says.
    let asked = unsafe { path_of(path) };
    let named = asked.strip_prefix("/sys/class/video4linux").ok().and(folder());
    let Some(named) = named.map(|folder| real::c_path(&folder.join("name"))) else {
        // SAFETY: as the caller says.
        return unsafe { real::open(c"open64", path, flags, mode) };
    };
    // SAFETY: it is a C string.
    unsafe { real::open(c"open64", named.as_ptr(), flags, mode) }
}

/// Takes the place of the C library's: `/dev` is ours.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn opendir(path: *const c_char) -> *mut libc::DIR {
    // SAFETY: as the caller says.
    let ours = folder().filter(|_| unsafe { path_of(path) } == Path::new("/dev"));
    match ours.map(|folder| real::c_path(&folder)) {
        // SAFETY: it is a C string.
        Some(folder) => unsafe { real::opendir(folder.as_ptr()) },
        // SAFETY: as the caller says.
        None => unsafe { real::opendir(path) },
    }
}

/// Takes the place of the C library's.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    device::forget(fd);
    // SAFETY: as the caller says.
    unsafe { real::close(fd) }
}

/// Takes the place of the C library's: the V4L2 bindings ask devices through it.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    if number == libc::SYS_ioctl
        // SAFETY: as the caller says.
        && let Some(answer) = unsafe { device::ioctl(a as c_int, b as u32, c as *mut c_void) }
    {
        return answer.map_or_else(|code| c_long::from(real::fail(code)), |()| 0);
    }
    // SAFETY: as the caller says.
    unsafe { real::syscall(number, [a, b, c, d, e, f]) }
}

/// Takes the place of the C library's: waits for a picture.
///
/// # Safety
/// As that function's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn poll(fds: *mut libc::pollfd, count: libc::nfds_t, timeout_ms: c_int) -> c_int {
    // SAFETY: as the caller says.
    let first = unsafe { fds.as_mut() }.filter(|first| count == 1 && device::is_ours(first.fd));
    let Some(first) = first else {
        // SAFETY: as the caller says.
        return unsafe { real::poll(fds, count, timeout_ms) };
    };
    let mut left_ms = timeout_ms;
    loop {
        first.revents = device::events(first.fd);
        if first.revents != 0 || left_ms == 0 {
            return c_int::from(first.revents != 0);
        }
        std::thread::sleep(POLL);
        if left_ms > 0 {
            left_ms = (left_ms - 2).max(0);
        }
    }
}
