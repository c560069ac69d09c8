//! Turning a picture upright.

use crate::{Frame, FramePool};

/// A turn by a multiple of a right angle, clockwise as the viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// As it is.
    #[default]
    None,
    /// A quarter turn to the right.
    Clockwise90,
    /// Upside down.
    Half,
    /// A quarter turn to the left.
    Clockwise270,
}

impl Rotation {
    /// The turn nearest to an angle in degrees, clockwise.
    pub fn from_degrees_clockwise(degrees: f64) -> Self {
        match (degrees / 90.0).round().rem_euclid(4.0) as u8 {
            1 => Self::Clockwise90,
            2 => Self::Half,
            3 => Self::Clockwise270,
            _ => Self::None,
        }
    }

    /// The size that a picture of `width` x `height` has after the turn.
    pub const fn turned_size(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Clockwise90 | Self::Clockwise270 => (height, width),
        }
    }

    /// The turned picture, in a buffer of `pool`; the same frame where there is nothing to turn.
    pub fn apply(self, frame: Frame, pool: &FramePool) -> Frame {
        Orientation { mirrored: false, rotation: self }.apply(frame, pool)
    }
}

/// How a picture is stored: what makes it upright is to exchange left and right where it is mirrored, then to turn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    /// Whether left and right are exchanged first.
    pub mirrored: bool,
    /// The turn.
    pub rotation: Rotation,
}

impl Orientation {
    /// The upright picture, in a buffer of `pool`; the same frame where there is nothing to do.
    pub fn apply(self, frame: Frame, pool: &FramePool) -> Frame {
        if self == Self::default() {
            return frame;
        }
        let Self { mirrored, rotation } = self;
        let (width, height) = rotation.turned_size(frame.width(), frame.height());
        let mut turned = pool.take_like(&frame, width, height);
        let pixel_bytes = frame.format().bytes_per_pixel();
        let (last_x, last_y) = (frame.width() as usize - 1, frame.height() as usize - 1);
        let stride_bytes = frame.stride_bytes();
        for (y, row) in turned.rows_mut().enumerate() {
            for (x, pixel) in row.chunks_exact_mut(pixel_bytes).enumerate() {
                let (from_x, from_y) = match rotation {
                    Rotation::None => (x, y),
                    Rotation::Clockwise90 => (y, last_y - x),
                    Rotation::Half => (last_x - x, last_y - y),
                    Rotation::Clockwise270 => (last_x - y, x),
                };
                let from_x = if mirrored { last_x - from_x } else { from_x };
                let at = from_y * stride_bytes + from_x * pixel_bytes;
                pixel.copy_from_slice(&frame.data()[at..at + pixel_bytes]);
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PixelFormat, Timestamp};

    /// Makes the 3x2 picture `012 / 345` upright and returns its red channel, row by row.
    fn turned(rotation: Rotation) -> (u32, u32, Vec<u8>) {
        upright(Orientation { mirrored: false, rotation })
    }

    fn upright(orientation: Orientation) -> (u32, u32, Vec<u8>) {
        let data = (0..6).flat_map(|i| [i, 100 + i, 200 + i]).collect();
        let mut frame = Frame::from_data(3, 2, PixelFormat::Rgb8, data);
        frame.timestamp = Timestamp::new(7, crate::Rational::ONE);
        let frame = orientation.apply(frame, &FramePool::new(1));
        assert_eq!(frame.timestamp.ticks, 7);
        for pixel in frame.data().chunks_exact(3) {
            assert_eq!((pixel[1], pixel[2]), (100 + pixel[0], 200 + pixel[0]));
        }
        (frame.width(), frame.height(), frame.data().iter().copied().step_by(3).collect())
    }

    #[test]
    fn pictures_turn_clockwise() {
        assert_eq!(turned(Rotation::None), (3, 2, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(Rotation::Clockwise90), (2, 3, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(turned(Rotation::Half), (3, 2, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(turned(Rotation::Clockwise270), (2, 3, vec![2, 5, 1, 4, 0, 3]));
    }

    #[test]
    fn mirrored_pictures_are_exchanged_before_they_turn() {
        let mirrored = |rotation| upright(Orientation { mirrored: true, rotation });
        assert_eq!(mirrored(Rotation::None), (3, 2, vec![2, 1, 0, 5, 4, 3]));
        assert_eq!(mirrored(Rotation::Clockwise90), (2, 3, vec![5, 2, 4, 1, 3, 0]));
        assert_eq!(mirrored(Rotation::Half), (3, 2, vec![3, 4, 5, 0, 1, 2]));
        assert_eq!(mirrored(Rotation::Clockwise270), (2, 3, vec![0, 3, 1, 4, 2, 5]));
    }

    #[test]
    fn angles_are_read_clockwise_and_modulo_a_full_turn() {
        for (degrees, rotation) in [
            (0.0, Rotation::None),
            (90.0, Rotation::Clockwise90),
            (-90.0, Rotation::Clockwise270),
            (180.0, Rotation::Half),
            (-180.0, Rotation::Half),
            (450.0, Rotation::Clockwise90),
            (359.9, Rotation::None),
        ] {
            assert_eq!(Rotation::from_degrees_clockwise(degrees), rotation, "{degrees} degrees");
        }
    }
}
