//! A plan that has painted once paints again without asking for memory.
#![allow(unsafe_code, clippy::unwrap_used, reason = "counting needs an allocator; a test fails by panicking")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use candle_core::Device;
use pastiche_nn::{Architecture, Canvas, Level, Network, Picture, Plan};

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
fn no_frame_after_the_first_allocates() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for architecture in Architecture::ALL {
        let network = Network::random(architecture.usual(), 0, &Device::Cpu).unwrap();
        let mut plan = Plan::new(&network, Level::best().unwrap()).unwrap();
        let (height, width) = (48, 64);
        let picture = vec![100; 3 * height * width];
        let mut painting = vec![0.0; picture.len()];
        // Inside the pool, since handing work to it from outside puts it into a queue, which grows now and then.
        let counts = pool.install(|| {
            [0; 8].map(|_: usize| {
                let before = ALLOCATIONS.load(SeqCst);
                plan.paint(Picture::Rgb8(&picture), (height, width), Canvas::Rgb(&mut painting)).unwrap();
                ALLOCATIONS.load(SeqCst) - before
            })
        });
        assert!(counts[0] > 0, "the count works");
        // The pool's own queues may grow once more while they warm up.
        assert_eq!(counts[2..], [0; 6], "{}", architecture.name());
    }
}
