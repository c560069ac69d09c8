//! The devices that are open, and how they answer.

use std::{
    collections::VecDeque,
    ffi::{c_int, c_void},
    fs::File,
    os::fd::IntoRawFd,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use v4l::{v4l_sys::*, v4l2::vidioc};

use crate::there;

const YUYV: u32 = u32::from_le_bytes(*b"YUYV");
const MJPG: u32 = u32::from_le_bytes(*b"MJPG");
/// Format, width and height.
const MODES: [(u32, u32, u32); 3] = [(YUYV, 320, 240), (YUYV, 640, 480), (MJPG, 1280, 720)];
const FRAME_RATE: u32 = 30;
/// Enough for an uncompressed picture of the largest size.
const BUFFER_BYTES: usize = 1280 * 720 * 2;
const BUFFERS: usize = 4;
/// Pictures that go round.
const PICTURES: usize = 10;

static DEVICES: Mutex<Vec<Device>> = Mutex::new(Vec::new());

struct Device {
    fd: c_int,
    name: String,
    /// Format, width and height.
    mode: (u32, u32, u32),
    /// The buffers, as the program maps them too.
    memory: usize,
    queued: VecDeque<u32>,
    streaming: bool,
    next_picture: Instant,
    count: usize,
    pictures: Vec<Vec<u8>>,
    /// It was unplugged once, and stays so.
    gone: bool,
}

fn devices() -> MutexGuard<'static, Vec<Device>> {
    DEVICES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens `/dev/{name}`: memory that can be mapped for a camera, a file for a virtual camera.
pub(crate) fn open(name: &str) -> c_int {
    let capture = name == "video0";
    let fd = if capture {
        // SAFETY: the name is a C string.
        let fd = unsafe { libc::memfd_create(c"camera".as_ptr(), 0) };
        // SAFETY: a plain call on that descriptor.
        unsafe { libc::ftruncate(fd, (BUFFERS * BUFFER_BYTES) as libc::off_t) };
        fd
    } else {
        let shown = crate::folder().map(|folder| folder.join("shown.yuyv"));
        let file = shown.and_then(|path| File::options().create(true).append(true).open(path).ok());
        file.map_or(-1, IntoRawFd::into_raw_fd)
    };
    let memory = if capture {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the descriptor has that many bytes.
        let memory = unsafe {
            libc::mmap(ptr::null_mut(), BUFFERS * BUFFER_BYTES, protection, libc::MAP_SHARED, fd, 0)
        };
        memory as usize
    } else {
        0
    };
    devices().push(Device {
        fd,
        name: name.to_owned(),
        mode: MODES[0],
        memory,
        queued: VecDeque::new(),
        streaming: false,
        next_picture: Instant::now(),
        count: 0,
        pictures: Vec::new(),
        gone: false,
    });
    fd
}

pub(crate) fn is_ours(fd: c_int) -> bool {
    devices().iter().any(|device| device.fd == fd)
}

/// The descriptor is closed.
pub(crate) fn forget(fd: c_int) {
    let mut devices = devices();
    let Some(index) = devices.iter().position(|device| device.fd == fd) else { return };
    let device = devices.swap_remove(index);
    if device.memory != 0 {
        // SAFETY: mapped when it was opened, with this length; nobody reads it any more.
        unsafe { libc::munmap(device.memory as *mut c_void, BUFFERS * BUFFER_BYTES) };
    }
}

/// What `poll` finds.
pub(crate) fn events(fd: c_int) -> i16 {
    let mut devices = devices();
    let Some(device) = devices.iter_mut().find(|device| device.fd == fd) else { return libc::POLLNVAL };
    if device.is_gone() {
        return libc::POLLERR;
    }
    let due = device.streaming && Instant::now() >= device.next_picture && !device.queued.is_empty();
    if due && !there("stall") { libc::POLLIN } else { 0 }
}

/// The answer to a request; `None` where the descriptor is not a device's.
///
/// # Safety
/// `argument` points to what the request takes.
pub(crate) unsafe fn ioctl(fd: c_int, request: u32, argument: *mut c_void) -> Option<Result<(), c_int>> {
    let mut devices = devices();
    let is_taken = devices.iter().any(|device| device.fd != fd && device.streaming && !device.gone);
    let device = devices.iter_mut().find(|device| device.fd == fd)?;
    if device.is_gone() {
        return Some(Err(libc::ENODEV));
    }
    // Whoever streams has the camera for himself.
    if is_taken && u64::from(request) as vidioc::_IOC_TYPE == vidioc::VIDIOC_REQBUFS {
        return Some(Err(libc::EBUSY));
    }
    // SAFETY: as the caller says.
    Some(unsafe { device.answer(request, argument) })
}

impl Device {
    fn is_gone(&mut self) -> bool {
        self.gone |= !there(&self.name);
        self.gone
    }

    /// # Safety
    /// `argument` points to what the request takes.
    unsafe fn answer(&mut self, request: u32, argument: *mut c_void) -> Result<(), c_int> {
        /// The argument as what it is.
        macro_rules! argument {
            ($type:ty) => {
                // SAFETY: the caller passes a pointer to what the request takes, and nobody else has it.
                unsafe { &mut *argument.cast::<$type>() }
            };
        }
        match u64::from(request) as vidioc::_IOC_TYPE {
            vidioc::VIDIOC_QUERYCAP => self.tell_capability(argument!(v4l2_capability)),
            vidioc::VIDIOC_ENUM_FMT => {
                let format = argument!(v4l2_fmtdesc);
                format.pixelformat = *[YUYV, MJPG].get(format.index as usize).ok_or(libc::EINVAL)?;
            }
            vidioc::VIDIOC_ENUM_FRAMESIZES => {
                let size = argument!(v4l2_frmsizeenum);
                let mut modes = MODES.iter().filter(|mode| mode.0 == size.pixel_format);
                let (_, width, height) = *modes.nth(size.index as usize).ok_or(libc::EINVAL)?;
                size.type_ = v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE;
                size.__bindgen_anon_1.discrete = v4l2_frmsize_discrete { width, height };
            }
            vidioc::VIDIOC_ENUM_FRAMEINTERVALS => {
                let interval = argument!(v4l2_frmivalenum);
                if interval.index > 0 {
                    return Err(libc::EINVAL);
                }
                interval.type_ = v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE;
                interval.__bindgen_anon_1.discrete = v4l2_fract { numerator: 1, denominator: FRAME_RATE };
            }
            vidioc::VIDIOC_G_FMT => self.tell_format(argument!(v4l2_format)),
            vidioc::VIDIOC_S_FMT => {
                let format = argument!(v4l2_format);
                // SAFETY: the program asks for a format of pictures.
                let wanted = unsafe { format.fmt.pix };
                self.mode = (wanted.pixelformat, wanted.width, wanted.height);
                self.tell_format(format);
            }
            vidioc::VIDIOC_G_PARM | vidioc::VIDIOC_S_PARM => {
                let timeperframe = v4l2_fract { numerator: 1, denominator: FRAME_RATE };
                argument!(v4l2_streamparm).parm.capture.timeperframe = timeperframe;
            }
            vidioc::VIDIOC_REQBUFS if there("busy") => return Err(libc::EBUSY),
            vidioc::VIDIOC_REQBUFS => {
                let buffers = argument!(v4l2_requestbuffers);
                buffers.count = buffers.count.min(BUFFERS as u32);
                self.queued.clear();
            }
            vidioc::VIDIOC_QUERYBUF => {
                let buffer = argument!(v4l2_buffer);
                buffer.length = BUFFER_BYTES as u32;
                buffer.m.offset = buffer.index * BUFFER_BYTES as u32;
            }
            vidioc::VIDIOC_QBUF => self.queued.push_back(argument!(v4l2_buffer).index),
            vidioc::VIDIOC_DQBUF => self.give(argument!(v4l2_buffer))?,
            vidioc::VIDIOC_STREAMON => {
                self.pictures = (0..PICTURES).map(|index| picture(self.mode, index)).collect();
                self.next_picture = Instant::now();
                self.streaming = true;
            }
            vidioc::VIDIOC_STREAMOFF => self.streaming = false,
            _ => return Err(libc::ENOTTY),
        }
        Ok(())
    }

    fn tell_capability(&self, capability: &mut v4l2_capability) {
        capability.driver[..4].copy_from_slice(b"fake");
        capability.card[..11].copy_from_slice(b"Fake Camera");
        let kind = match self.name.as_str() {
            "video0" => V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING,
            "video1" => V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING,
            _ => V4L2_CAP_VIDEO_OUTPUT,
        };
        // Of the whole camera, as drivers tell it, and of this node.
        capability.capabilities = kind | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_DEVICE_CAPS;
        capability.device_caps = kind;
    }

    fn tell_format(&self, format: &mut v4l2_format) {
        let (pixelformat, width, height) = self.mode;
        // SAFETY: zero is a format like any other.
        let mut pix: v4l2_pix_format = unsafe { std::mem::zeroed() };
        (pix.pixelformat, pix.width, pix.height) = (pixelformat, width, height);
        pix.field = v4l2_field_V4L2_FIELD_NONE;
        pix.bytesperline = 2 * width;
        pix.sizeimage = BUFFER_BYTES as u32;
        format.fmt.pix = pix;
    }

    /// Fills the next buffer.
    fn give(&mut self, buffer: &mut v4l2_buffer) -> Result<(), c_int> {
        let index = self.queued.pop_front().ok_or(libc::EAGAIN)?;
        let picture = &self.pictures[self.count % PICTURES];
        let place = (self.memory + index as usize * BUFFER_BYTES) as *mut u8;
        // SAFETY: the buffer is mapped, long enough, and the program has given it back.
        unsafe { ptr::copy_nonoverlapping(picture.as_ptr(), place, picture.len()) };
        if there("flash") {
            let luma = if is_flashing() { 235 } else { 16 };
            // SAFETY: as above.
            let bytes = unsafe { std::slice::from_raw_parts_mut(place, picture.len()) };
            bytes.chunks_exact_mut(2).for_each(|pixel| pixel.copy_from_slice(&[luma, 128]));
        }
        if there("damaged") {
            // SAFETY: as above.
            unsafe { ptr::write_bytes(place, 0, picture.len()) };
        }
        (buffer.index, buffer.bytesused, buffer.sequence) = (index, picture.len() as u32, self.count as u32);
        self.count += 1;
        let period = Duration::from_secs(1) / FRAME_RATE;
        // What nobody fetched is lost, as with a real camera.
        self.next_picture = (self.next_picture + period).max(Instant::now());
        Ok(())
    }
}

/// Whether it is the first 200 ms of an even second.
fn is_flashing() -> bool {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to the given place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec % 2 == 0 && time.tv_nsec < 200_000_000
}

/// A bright bar that moves over a dark slope.
fn picture((format, width, height): (u32, u32, u32), index: usize) -> Vec<u8> {
    let bar = width as usize * index / PICTURES;
    let luma = |x: usize, y: usize| match x.checked_sub(bar) {
        Some(inside) if inside < 40 => 220,
        _ => 40 + (60 * y / height as usize) as u8,
    };
    let pixels = (0..height as usize).flat_map(|y| (0..width as usize).map(move |x| (x, y)));
    if format == YUYV {
        // Orange: the chroma of (200, 120, 60), alternately.
        let chroma = |x: usize| if x.is_multiple_of(2) { 96 } else { 170 };
        return pixels.flat_map(|(x, y)| [luma(x, y), chroma(x)]).collect();
    }
    let rgb: Vec<u8> = pixels.flat_map(|(x, y)| [luma(x, y), luma(x, y) / 2, 60]).collect();
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 80);
    encoder.write_image(&rgb, width, height, ExtendedColorType::Rgb8).expect("a picture");
    jpeg
}
