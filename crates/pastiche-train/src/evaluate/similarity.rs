//! How alike two pictures are: PSNR and SSIM of their luma, as papers on super-resolution give them.

use image::RgbImage;

/// The range of a value.
const DATA_RANGE: f64 = 255.0;
/// Deviation of the window that local statistics are weighted by (Wang et al. 2004, section III.B), in pixels.
const WINDOW_SIGMA: f64 = 1.5;
/// Where the window ends, in deviations.
const WINDOW_TRUNCATE: f64 = 3.5;
/// K1 and K2 of Wang et al. 2004, section III.B.
const K: [f64; 2] = [0.01, 0.03];

/// The luma of a picture, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Luma {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Luma {
    /// ITU-R BT.601 luma on 16-235, not rounded, without a border of `border` pixels on each side.
    pub fn new(picture: &RgbImage, border: u32) -> Self {
        let (width, height) = picture.dimensions();
        let inside = |side: u32| border..side.saturating_sub(border).max(border);
        let values = inside(height).flat_map(|y| {
            inside(width).map(move |x| {
                let [r, g, b] = picture.get_pixel(x, y).0.map(f64::from);
                16.0 + (65.481 * r + 128.553 * g + 24.966 * b) / 255.0
            })
        });
        let values = values.collect();
        Self { width: inside(width).len(), height: inside(height).len(), values }
    }

    fn map(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| f(*a, *b)).collect();
        Self { values, ..*self }
    }

    fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// Local means by the window, where all of it lies inside.
    fn local_means(&self, window: &[f64]) -> Self {
        let (width, height) = (self.width + 1 - window.len(), self.height + 1 - window.len());
        let weighted = |values: &mut dyn Iterator<Item = f64>| -> f64 {
            values.zip(window).map(|(value, weight)| value * weight).sum()
        };
        let mut rows = Vec::with_capacity(width * self.height);
        for row in self.values.chunks_exact(self.width) {
            rows.extend(row.windows(window.len()).map(|part| weighted(&mut part.iter().copied())));
        }
        let mut values = Vec::with_capacity(width * height);
        for start in 0..width * height {
            values.push(weighted(&mut rows[start..].iter().step_by(width).copied()));
        }
        Self { width, height, values }
    }
}

/// Peak signal-to-noise ratio in decibels of two luma planes of one size; infinite where they are the same.
pub fn psnr(a: &Luma, b: &Luma) -> f64 {
    let mean_squared_error = a.map(b, |a, b| (a - b) * (a - b)).mean();
    10.0 * (DATA_RANGE * DATA_RANGE / mean_squared_error).log10()
}

/// Mean structural similarity (Wang et al. 2004, equation 13) of two luma planes of one size, both sides at least 11: a
/// Gaussian window of deviation 1.5, statistics where all of it lies inside. 1 where they are the same.
pub fn ssim(a: &Luma, b: &Luma) -> f64 {
    let window = gaussian(WINDOW_SIGMA, WINDOW_TRUNCATE);
    let local = |plane: &Luma| plane.local_means(&window);
    let (mean_a, mean_b) = (local(a), local(b));
    let square = |plane: &Luma| plane.map(plane, |x, y| x * y);
    let (square_a, square_b) = (local(&square(a)), local(&square(b)));
    let product = local(&a.map(b, |a, b| a * b));
    let [c1, c2] = K.map(|k| (k * DATA_RANGE).powi(2));
    let count = mean_a.values.len();
    let at = |i: usize| {
        let (a, b) = (mean_a.values[i], mean_b.values[i]);
        let variances = square_a.values[i] - a * a + square_b.values[i] - b * b;
        let covariance = product.values[i] - a * b;
        (2.0 * a * b + c1) * (2.0 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2))
    };
    (0..count).map(at).sum::<f64>() / count as f64
}

/// A Gaussian bell that sums to 1, ending `truncate` deviations from its middle.
pub(super) fn gaussian(sigma: f64, truncate: f64) -> Vec<f64> {
    let radius = (truncate * sigma + 0.5) as i32;
    let bell: Vec<f64> = (-radius..=radius).map(|x| (-0.5 * (f64::from(x) / sigma).powi(2)).exp()).collect();
    let sum: f64 = bell.iter().sum();
    bell.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn picture(shade: impl Fn(u32, u32) -> u8) -> RgbImage {
        RgbImage::from_fn(24, 20, |x, y| Rgb([shade(x, y); 3]))
    }

    #[test]
    fn the_same_picture_is_alike_in_every_way() {
        let plane = Luma::new(&picture(|x, y| (x * 9 + y * 5) as u8), 2);
        assert_eq!(psnr(&plane, &plane), f64::INFINITY);
        assert!((ssim(&plane, &plane) - 1.0).abs() < 1e-12);
    }

    /// A grey of 10 more is a luma of 219 / 255 * 10 more: 29.46 dB. Structure is kept, the means are not.
    #[test]
    fn a_constant_difference_is_the_one_worked_out() {
        let (dark, light) = (picture(|_, _| 100), picture(|_, _| 110));
        let (dark, light) = (Luma::new(&dark, 0), Luma::new(&light, 0));
        let difference: f64 = 219.0 / 255.0 * 10.0;
        assert!((psnr(&dark, &light) - 20.0 * (255.0 / difference).log10()).abs() < 1e-9);
        let (a, b) = (16.0 + 219.0 / 255.0 * 100.0, 16.0 + 219.0 / 255.0 * 110.0);
        let c1 = (0.01f64 * 255.0).powi(2);
        let expected = (2.0 * a * b + c1) / (a * a + b * b + c1);
        assert!((ssim(&dark, &light) - expected).abs() < 1e-9);
    }

    #[test]
    fn the_border_does_not_count() {
        let inside = |x: u32, y: u32| (4..20).contains(&x) && (4..16).contains(&y);
        let a = picture(|x, y| if inside(x, y) { (x * 9 + y) as u8 } else { 0 });
        let b = picture(|x, y| if inside(x, y) { (x * 9 + y) as u8 } else { 255 });
        assert_eq!(Luma::new(&a, 4), Luma::new(&b, 4));
        assert_ne!(Luma::new(&a, 3), Luma::new(&b, 3));
    }
}
