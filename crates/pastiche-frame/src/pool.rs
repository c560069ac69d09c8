//! Pixel buffers that go round instead of being allocated for every frame.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Frame, PixelFormat};

/// Hands out frames whose buffers come back when the frames are dropped, on whatever thread that happens.
///
/// Cloning gives another handle to the same pool. Frames may outlive the pool.
#[derive(Debug, Clone)]
pub struct FramePool {
    idle: Arc<Idle>,
}

#[derive(Debug)]
pub(crate) struct Idle {
    buffers: Mutex<Vec<Vec<u8>>>,
    capacity: usize,
}

/// Where a frame's buffer goes when the frame is dropped.
pub(crate) type Home = Weak<Idle>;

impl FramePool {
    /// A pool that keeps at most `capacity` idle buffers; more frames may be out at a time.
    pub fn new(capacity: usize) -> Self {
        Self { idle: Arc::new(Idle { buffers: Mutex::new(Vec::with_capacity(capacity)), capacity }) }
    }

    /// A frame of `width` x `height` pixels with unspecified contents, at time zero, in the default colour space.
    ///
    /// # Panics
    /// A side is 0.
    pub fn take(&self, width: u32, height: u32, format: PixelFormat) -> Frame {
        let mut data = self.idle.lock().pop().unwrap_or_default();
        data.resize(Frame::len_bytes(width, height, format), 0);
        let mut frame = Frame::from_data(width, height, format, data);
        frame.home = Arc::downgrade(&self.idle);
        frame
    }

    /// A frame like `frame` (format, colour space, times), of another size and with unspecified contents.
    pub fn take_like(&self, frame: &Frame, width: u32, height: u32) -> Frame {
        let mut taken = self.take(width, height, frame.format());
        taken.copy_properties_from(frame);
        taken
    }

    #[cfg(test)]
    fn idle_count(&self) -> usize {
        self.idle.lock().len()
    }
}

impl Idle {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        // Nothing that holds this lock can panic half-way through a change, so a poisoned list is still sound.
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        let mut buffers = self.lock();
        if buffers.len() < self.capacity {
            buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_frame_s_buffer_is_used_again() {
        let pool = FramePool::new(2);
        let frame = pool.take(16, 16, PixelFormat::Rgb8);
        let address = frame.data().as_ptr();
        drop(frame);
        assert_eq!(pool.idle_count(), 1);
        assert_eq!(pool.take(16, 16, PixelFormat::Rgb8).data().as_ptr(), address);
    }

    #[test]
    fn a_pool_keeps_no_more_than_its_capacity() {
        let pool = FramePool::new(2);
        let frames: Vec<_> = (0..5).map(|_| pool.take(4, 4, PixelFormat::Rgba8)).collect();
        drop(frames);
        assert_eq!(pool.idle_count(), 2);
    }

    #[test]
    fn a_buffer_fits_whatever_size_is_asked_next() {
        let pool = FramePool::new(1);
        drop(pool.take(100, 100, PixelFormat::Rgba8));
        assert_eq!(pool.take(3, 5, PixelFormat::Rgb8).data().len(), 45);
        assert_eq!(pool.take(200, 100, PixelFormat::Rgb8).data().len(), 60_000);
    }

    #[test]
    fn frames_outlive_their_pool() {
        let frame = FramePool::new(1).take(2, 2, PixelFormat::Rgb8);
        assert_eq!(frame.data().len(), 12);
    }
}
