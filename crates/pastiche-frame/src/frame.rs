//! The picture itself.

use crate::{ColorSpace, PixelFormat, Timestamp, pool::Home};

/// One picture: pixels, their meaning, and their time. Moved through the program, never cloned.
#[derive(Debug)]
pub struct Frame {
    data: Vec<u8>,
    width: u32,
    height: u32,
    format: PixelFormat,
    /// When the picture is shown.
    pub timestamp: Timestamp,
    /// For how long, in ticks of `timestamp.time_base`, where the source says.
    pub duration_ticks: Option<i64>,
    /// The Y'CbCr coding that the pixels came from.
    pub color_space: ColorSpace,
    pub(crate) home: Home,
}

impl Frame {
    /// A frame around existing pixels: rows from top to bottom without gaps. It belongs to no pool.
    ///
    /// # Panics
    /// A side is 0, or `data` does not hold exactly `width * height` pixels.
    pub fn from_data(width: u32, height: u32, format: PixelFormat, data: Vec<u8>) -> Self {
        assert!(width > 0 && height > 0, "a frame of {width}x{height} has no pixels");
        assert_eq!(data.len(), Self::len_bytes(width, height, format), "bytes of a {width}x{height} frame");
        Self {
            data,
            width,
            height,
            format,
            timestamp: Timestamp::ZERO,
            duration_ticks: None,
            color_space: ColorSpace::default(),
            home: Home::new(),
        }
    }

    pub(crate) fn len_bytes(width: u32, height: u32, format: PixelFormat) -> usize {
        width as usize * height as usize * format.bytes_per_pixel()
    }

    /// In pixels, at least 1.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, at least 1.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// How the bytes of a pixel lie.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// Bytes from the start of one row to the start of the next.
    pub const fn stride_bytes(&self) -> usize {
        self.width as usize * self.format.bytes_per_pixel()
    }

    /// All pixels, row by row.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All pixels, row by row.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Takes over the time, duration and colour space of `other`.
    pub fn copy_properties_from(&mut self, other: &Self) {
        self.timestamp = other.timestamp;
        self.duration_ticks = other.duration_ticks;
        self.color_space = other.color_space;
    }

    /// The rows from top to bottom, [`Self::stride_bytes`] each.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.data.chunks_exact(self.stride_bytes())
    }

    /// The rows from top to bottom, [`Self::stride_bytes`] each.
    pub fn rows_mut(&mut self) -> std::slice::ChunksExactMut<'_, u8> {
        let stride_bytes = self.stride_bytes();
        self.data.chunks_exact_mut(stride_bytes)
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        if let Some(idle) = self.home.upgrade() {
            idle.give_back(std::mem::take(&mut self.data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_picture_s_lines() {
        let frame = Frame::from_data(2, 3, PixelFormat::Rgb8, (0..18).collect());
        let rows: Vec<_> = frame.rows().collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1], [6, 7, 8, 9, 10, 11]);
    }

    #[test]
    #[should_panic(expected = "bytes of a 2x2 frame")]
    fn a_buffer_of_the_wrong_length_is_refused() {
        Frame::from_data(2, 2, PixelFormat::Rgb8, vec![0; 11]);
    }
}
