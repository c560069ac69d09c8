//! The C library's own functions.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_long, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// Sets the error code, and returns what C functions return then.
pub(crate) fn fail(code: c_int) -> c_int {
    // SAFETY: the address is this thread's error code.
    unsafe { *libc::__errno_location() = code };
    -1
}

/// # Panics
/// The path has a zero byte in it.
pub(crate) fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path")
}

/// The function of that name behind ours.
fn next(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?} is in every C library");
    address
}

/// # Safety
/// As the C function's.
pub(crate) unsafe fn open(name: &CStr, path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    type Open = unsafe extern "C" fn(*const c_char, c_int, ...) -> c_int;
    // SAFETY: `open` and `open64` have this type.
    unsafe { std::mem::transmute::<*mut c_void, Open>(next(name))(path, flags, mode) }
}

/// # Safety
/// As the C function's.
pub(crate) unsafe fn opendir(path: *const c_char) -> *mut libc::DIR {
    type Opendir = unsafe extern "C" fn(*const c_char) -> *mut libc::DIR;
    // SAFETY: it has this type.
    unsafe { std::mem::transmute::<*mut c_void, Opendir>(next(c"opendir"))(path) }
}

/// # Safety
/// As the C function's.
pub(crate) unsafe fn close(fd: c_int) -> c_int {
    type Close = unsafe extern "C" fn(c_int) -> c_int;
    // SAFETY: it has this type.
    unsafe { std::mem::transmute::<*mut c_void, Close>(next(c"close"))(fd) }
}

/// # Safety
/// As the C function's.
pub(crate) unsafe fn poll(fds: *mut libc::pollfd, count: libc::nfds_t, timeout_ms: c_int) -> c_int {
    type Poll = unsafe extern "C" fn(*mut libc::pollfd, libc::nfds_t, c_int) -> c_int;
    // SAFETY: it has this type.
    unsafe { std::mem::transmute::<*mut c_void, Poll>(next(c"poll"))(fds, count, timeout_ms) }
}

/// # Safety
/// As the C function's.
pub(crate) unsafe fn syscall(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> c_long {
    type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;
    // SAFETY: it has this type.
    unsafe { std::mem::transmute::<*mut c_void, Syscall>(next(c"syscall"))(number, a, b, c, d, e, f) }
}
