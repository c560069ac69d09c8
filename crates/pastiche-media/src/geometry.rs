//! From the size that is coded to the size that is shown.

use ffmpeg_next as ffmpeg;
use pastiche_frame::Rotation;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The steps from a decoded picture to a frame: scale to `scaled`, keep `kept` of it, turn by `rotation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) scaled: (u32, u32),
    pub(crate) kept: Region,
    pub(crate) rotation: Rotation,
}

impl Geometry {
    /// For pictures coded at `coded`: to `size` where one is asked for; else to the size shown, less the last column
    /// or row where a side is odd, since 4:2:0 needs even ones.
    pub(crate) fn new(
        coded: (u32, u32),
        pixel_aspect: ffmpeg::Rational,
        rotation: Rotation,
        size: Option<(u32, u32)>,
    ) -> Self {
        if let Some((width, height)) = size {
            // The same turn leads back, as it only swaps the sides.
            let scaled = rotation.turned_size(width, height);
            let kept = Region { x: 0, y: 0, width: scaled.0, height: scaled.1 };
            return Self { scaled, kept, rotation };
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
        let kept = Region { x, y, width: scaled.0 - odd_columns, height: scaled.1 - odd_rows };
        Self { scaled, kept, rotation }
    }

    /// The size of the frames.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.rotation.turned_size(self.kept.width, self.kept.height)
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

/// The turn that a display matrix (nine native-endian 32-bit numbers, the first four a rotation) asks for.
pub(crate) fn rotation_from_display_matrix(matrix: &[u8]) -> Rotation {
    let element = |index: usize| {
        let bytes = matrix.get(index * 4..index * 4 + 4)?;
        Some(f64::from(i32::from_ne_bytes(bytes.try_into().ok()?)))
    };
    match (element(0), element(1)) {
        (Some(cos), Some(sin)) if cos != 0.0 || sin != 0.0 => {
            Rotation::from_degrees_clockwise(sin.atan2(cos).to_degrees())
        }
        _ => Rotation::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pastiche_frame::{Frame, FramePool, PixelFormat};

    const SQUARE: ffmpeg::Rational = ffmpeg::Rational(1, 1);

    /// A matrix as a phone writes it: 16.16 fixed point, `[cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30]`.
    fn display_matrix(cos: i32, sin: i32) -> Vec<u8> {
        [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
            .iter()
            .flat_map(|element: &i32| element.to_ne_bytes())
            .collect()
    }

    #[test]
    fn display_matrices_turn_clockwise() {
        for (cos, sin, rotation) in [
            (1, 0, Rotation::None),
            (0, 1, Rotation::Clockwise90),
            (-1, 0, Rotation::Half),
            (0, -1, Rotation::Clockwise270),
        ] {
            assert_eq!(rotation_from_display_matrix(&display_matrix(cos, sin)), rotation);
        }
        assert_eq!(rotation_from_display_matrix(&[1, 2, 3]), Rotation::None);
    }

    #[test]
    fn the_last_shown_column_and_row_are_lost_whatever_the_turn() {
        // Each pixel of this 5x3 picture holds its own position.
        for rotation in [Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270] {
            let pool = FramePool::new(2);
            let whole = |region: Region| {
                let data = (region.y..region.y + region.height)
                    .flat_map(|y| {
                        (region.x..region.x + region.width).flat_map(move |x| [x as u8, y as u8, 0])
                    })
                    .collect();
                rotation.apply(Frame::from_data(region.width, region.height, PixelFormat::Rgb8, data), &pool)
            };
            let uncropped = whole(Region { x: 0, y: 0, width: 5, height: 3 });
            let geometry = Geometry::new((5, 3), SQUARE, rotation, None);
            let cropped = whole(geometry.kept);
            assert!(geometry.cropped());
            assert_eq!(geometry.size(), (cropped.width(), cropped.height()));
            for (row, whole_row) in cropped.rows().zip(uncropped.rows()) {
                assert_eq!(row, &whole_row[..row.len()], "{rotation:?}");
            }
        }
    }

    #[test]
    fn an_asked_size_is_the_size_shown() {
        let geometry = Geometry::new((1920, 1080), SQUARE, Rotation::Clockwise90, Some((540, 960)));
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
