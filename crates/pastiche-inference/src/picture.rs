//! From a network's numbers to bytes, and the per-pixel mixing of painting and input.

use rayon::prelude::*;

/// The nearest byte; what lies outside 0-255 is clamped, and NaN becomes 0.
pub(crate) fn byte(value: f32) -> u8 {
    // `as` saturates.
    (value + 0.5) as u8
}

/// Rounds and clamps pixels to bytes.
pub(crate) fn bytes_from_rgb(pixels: &[f32], bytes: &mut [u8]) {
    bytes.par_chunks_mut(4096).zip(pixels.par_chunks(4096)).for_each(|(bytes, pixels)| {
        for (to, from) in bytes.iter_mut().zip(pixels) {
            *to = byte(*from);
        }
    });
}

/// Luma of BT.601, on 0-255.
fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// Mixes a painting into its input, in place (both RGB8): with `keep_colors` the painting's luma takes the input's chroma;
/// then `strength` of that and the rest of the input.
pub(crate) fn mix(input: &mut [u8], painting: &[u8], strength: f32, keep_colors: bool) {
    input.par_chunks_mut(3 * 1024).zip(painting.par_chunks(3 * 1024)).for_each(|(input, painting)| {
        for (pixel, painted) in input.chunks_exact_mut(3).zip(painting.chunks_exact(3)) {
            let was = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let mut becomes = [painted[0], painted[1], painted[2]].map(f32::from);
            if keep_colors {
                // Adding one number to R, G and B changes the luma by it and leaves both chroma differences alone.
                let brighter = luma(becomes) - luma(was);
                becomes = was.map(|value| (value + brighter).clamp(0.0, 255.0));
            }
            for ((to, was), becomes) in pixel.iter_mut().zip(was).zip(becomes) {
                *to = byte(was + strength * (becomes - was));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_and_clamped() {
        let cases = [(-3.0, 0), (0.49, 0), (0.5, 1), (254.6, 255), (300.0, 255), (f32::NAN, 0)];
        for (value, expected) in cases {
            assert_eq!(byte(value), expected, "{value}");
        }
    }

    #[test]
    fn strength_goes_from_the_input_to_the_painting() {
        let mixed = |strength| {
            let mut picture = [10, 20, 30];
            mix(&mut picture, &[110, 120, 30], strength, false);
            picture
        };
        assert_eq!(mixed(0.0), [10, 20, 30]);
        assert_eq!(mixed(0.5), [60, 70, 30]);
        assert_eq!(mixed(1.0), [110, 120, 30]);
    }

    #[test]
    fn kept_colors_have_the_painting_s_luma_and_the_input_s_chroma() {
        let (input, painting) = ([100u8, 120, 90], [60u8, 200, 140]);
        let mut picture = input;
        mix(&mut picture, &painting, 1.0, true);
        let real = |pixel: [u8; 3]| pixel.map(f32::from);
        assert!((luma(real(picture)) - luma(real(painting))).abs() <= 1.0);
        let chroma = |[r, g, b]: [u8; 3]| [i16::from(r) - i16::from(g), i16::from(b) - i16::from(g)];
        assert_eq!(chroma(picture), chroma(input));
    }
}
