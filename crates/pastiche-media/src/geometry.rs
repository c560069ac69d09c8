//! From the size that is coded to the size that is shown.

use ffmpeg_next as ffmpeg;
use pastiche_frame::{Orientation, Rotation};

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The steps from a decoded picture to a frame: scale to `scaled`, keep `kept` of it, make it upright by `orientation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) scaled: (u32, u32),
    pub(crate) kept: Region,
    pub(crate) orientation: Orientation,
}

impl Geometry {
    /// For pictures coded at `coded`: to `size` where one is asked for; else to the size shown, less the last column
    /// or row where a side is odd, since 4:2:0 needs even ones.
    pub(crate) fn new(
        coded: (u32, u32),
        pixel_aspect: ffmpeg::Rational,
        orientation: Orientation,
        size: Option<(u32, u32)>,
    ) -> Self {
        let Orientation { mirrored, rotation } = orientation;
        if let Some((width, height)) = size {
            // The same turn leads back, as it only swaps the sides.
            let scaled = rotation.turned_size(width, height);
            let kept = Region { x: 0, y: 0, width: scaled.0, height: scaled.1 };
            return Self { scaled, kept, orientation };
        }
        let scaled = square_pixel_size(coded, pixel_aspect);
        let (odd_columns, odd_rows) = (excess(scaled.0), excess(scaled.1));
        // What is shown last may be coded first.
        let (x, y) = match rotation {
            Rotation::None => (0, 0),
            Rotation::Clockwise90 => (0, odd_rows),
            Rotation::Half => (odd_columns, odd_rows),
            Rotation::Clockwise270 => (odd_columns, 0),
        };
        let x = if mirrored { odd_columns - x } else { x };
        let kept = Region { x, y, width: scaled.0 - odd_columns, height: scaled.1 - odd_rows };
        Self { scaled, kept, orientation }
    }

    /// The size of the frames.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.orientation.rotation.turned_size(self.kept.width, self.kept.height)
    }

    /// Whether a column or row is lost.
    pub(crate) fn cropped(&self) -> bool {
        (self.kept.width, self.kept.height) != self.scaled
    }
}

/// The columns or rows over an even number; a side of one pixel is left alone.
fn excess(side: u32) -> u32 {
    if side > 1 { side % 2 } else { 0 }
}

/// The size at which a picture of non-square pixels looks right: wider or narrower, as players show it.
pub(crate) fn square_pixel_size(coded: (u32, u32), pixel_aspect: ffmpeg::Rational) -> (u32, u32) {
    let (numerator, denominator) = (pixel_aspect.numerator(), pixel_aspect.denominator());
    if numerator <= 0 || denominator <= 0 || numerator == denominator {
        return coded;
    }
    let width = f64::from(coded.0) * f64::from(numerator) / f64::from(denominator);
    // Scaled anyway, so it can as well be even.
    (((width / 2.0).round() as u32).max(1) * 2, coded.1)
}

/// How a display matrix says that pictures are stored: nine native-endian 32-bit numbers `a b u, c d v, x y w`, by which
/// what is at (x, y) is shown at (ax + cy, bx + dy).
pub(crate) fn orientation_from_display_matrix(matrix: &[u8]) -> Orientation {
    let element = |index: usize| {
        let bytes = matrix.get(index * 4..index * 4 + 4)?;
        Some(f64::from(i32::from_ne_bytes(bytes.try_into().ok()?)))
    };
    let (Some(a), Some(b), Some(c), Some(d)) = (element(0), element(1), element(3), element(4)) else {
        return Orientation::default();
    };
    let mirrored = a * d - b * c < 0.0;
    // With left and right exchanged first, a and b are the other way round; c and d are as in the turn alone.
    let (cos, sin) = if mirrored { (d, -c) } else { (a, b) };
    if cos == 0.0 && sin == 0.0 {
        return Orientation::default();
    }
    Orientation { mirrored, rotation: Rotation::from_degrees_clockwise(sin.atan2(cos).to_degrees()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pastiche_frame::{Frame, FramePool, PixelFormat};

    const SQUARE: ffmpeg::Rational = ffmpeg::Rational(1, 1);

    /// A matrix in 16.16 fixed point.
    fn display_matrix([a, b, c, d]: [i32; 4]) -> Vec<u8> {
        [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
            .iter()
            .flat_map(|element: &i32| element.to_ne_bytes())
            .collect()
    }

    #[test]
    fn display_matrices_turn_clockwise_and_mirror() {
        for (matrix, mirrored, rotation) in [
            ([1, 0, 0, 1], false, Rotation::None),
            ([0, 1, -1, 0], false, Rotation::Clockwise90),
            ([-1, 0, 0, -1], false, Rotation::Half),
            ([0, -1, 1, 0], false, Rotation::Clockwise270),
            ([-1, 0, 0, 1], true, Rotation::None),
            ([0, -1, -1, 0], true, Rotation::Clockwise90),
            ([1, 0, 0, -1], true, Rotation::Half),
            ([0, 1, 1, 0], true, Rotation::Clockwise270),
            ([0, 0, 0, 0], false, Rotation::None),
        ] {
            let expected = Orientation { mirrored, rotation };
            assert_eq!(orientation_from_display_matrix(&display_matrix(matrix)), expected, "{matrix:?}");
        }
        assert_eq!(orientation_from_display_matrix(&[1, 2, 3]), Orientation::default());
    }

    #[test]
    fn the_last_shown_column_and_row_are_lost_whatever_the_turn() {
        // Each pixel of this 5x3 picture holds its own position.
        let turns = [Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270];
        let all = turns.into_iter().flat_map(|rotation| [false, true].map(|mirrored| (mirrored, rotation)));
        for (mirrored, rotation) in all {
            let orientation = Orientation { mirrored, rotation };
            let pool = FramePool::new(2);
            let whole = |region: Region| {
                let data = (region.y..region.y + region.height)
                    .flat_map(|y| {
                        (region.x..region.x + region.width).flat_map(move |x| [x as u8, y as u8, 0])
                    })
                    .collect();
                orientation
                    .apply(Frame::from_data(region.width, region.height, PixelFormat::Rgb8, data), &pool)
            };
            let uncropped = whole(Region { x: 0, y: 0, width: 5, height: 3 });
            let geometry = Geometry::new((5, 3), SQUARE, orientation, None);
            let cropped = whole(geometry.kept);
            assert!(geometry.cropped());
            assert_eq!(geometry.size(), (cropped.width(), cropped.height()));
            for (row, whole_row) in cropped.rows().zip(uncropped.rows()) {
                assert_eq!(row, &whole_row[..row.len()], "{orientation:?}");
            }
        }
    }

    #[test]
    fn an_asked_size_is_the_size_shown() {
        let phone = Orientation { mirrored: false, rotation: Rotation::Clockwise90 };
        let geometry = Geometry::new((1920, 1080), SQUARE, phone, Some((540, 960)));
        assert_eq!((geometry.scaled, geometry.size()), ((960, 540), (540, 960)));
        assert!(!geometry.cropped());
    }

    #[test]
    fn pixels_that_are_not_square_are_made_so() {
        assert_eq!(square_pixel_size((720, 576), ffmpeg::Rational(16, 15)), (768, 576));
        assert_eq!(square_pixel_size((1440, 1080), ffmpeg::Rational(4, 3)), (1920, 1080));
        assert_eq!(square_pixel_size((641, 361), ffmpeg::Rational(0, 1)), (641, 361));
    }
}
