//! The engine paints frame after frame without asking for memory.
#![allow(unsafe_code, clippy::unwrap_used, reason = "counting needs an allocator; a test fails by panicking")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use pastiche_frame::{FramePool, PixelFormat};
use pastiche_inference::{ComputeDevice, Controls, DeviceChoice, Style, Stylizer, StylizerOptions};

/// The system's allocator, with a count.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn frames_after_the_first_allocate_nothing_but_the_pool_s_own_queue() {
    let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
    let options = StylizerOptions { threads: Some(2), ..StylizerOptions::default() };
    let mut stylizer = Stylizer::new(Style::random("swift").unwrap(), &device, &options).unwrap();
    stylizer.set_controls(Controls { strength: 0.7, keep_colors: true, smoothing: 0.5 }).unwrap();
    let frames = FramePool::new(1);
    let mut paint = || {
        let before = ALLOCATIONS.load(SeqCst);
        drop(stylizer.stylize(frames.take(64, 48, PixelFormat::Rgb8)).unwrap());
        ALLOCATIONS.load(SeqCst) - before
    };
    assert!(paint() > 0, "the count works");
    paint();
    let counts: Vec<usize> = (0..100).map(|_| paint()).collect();
    // Handing a frame's work to the pool puts it into a queue, which takes a new block every some dozens of times.
    assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
    assert!(counts.iter().sum::<usize>() <= 10, "{counts:?}");
}
