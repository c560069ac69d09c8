//! Colours brought back to those of another picture (Gonzalez and Woods, Digital Image Processing, section 3.3).

use image::RgbImage;

/// Values of a channel.
const VALUES: usize = 256;

/// Changes the values of each channel, keeping their order, so that they are as frequent as in `like`, which may have another
/// size.
pub fn match_histograms(picture: &RgbImage, like: &RgbImage) -> RgbImage {
    let mut matched = picture.clone();
    for channel in 0..3 {
        let (from, to) = (shares_up_to(picture, channel), shares_up_to(like, channel));
        // The least value that as many are up to in `like`.
        let table: Vec<u8> = from
            .iter()
            .map(|share| to.partition_point(|reached| reached < share).min(VALUES - 1) as u8)
            .collect();
        for pixel in matched.pixels_mut() {
            pixel.0[channel] = table[usize::from(pixel.0[channel])];
        }
    }
    matched
}

/// For each value the share of pixels that are not above it.
fn shares_up_to(picture: &RgbImage, channel: usize) -> Vec<f64> {
    let mut counts = [0u64; VALUES];
    for pixel in picture.pixels() {
        counts[usize::from(pixel.0[channel])] += 1;
    }
    let all = (u64::from(picture.width()) * u64::from(picture.height())).max(1) as f64;
    let mut sum = 0;
    counts
        .iter()
        .map(|count| {
            sum += count;
            sum as f64 / all
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_darker_and_flatter_picture_gets_its_colours_back_and_its_own_stays() {
        let original = RgbImage::from_fn(64, 48, |x, y| Rgb([(x * 4) as u8, (y * 5) as u8, (x + y) as u8]));
        let mut changed = original.clone();
        for value in changed.iter_mut() {
            *value = 40 + *value / 2;
        }
        let matched = match_histograms(&changed, &original);
        let far = |picture: &RgbImage| {
            picture.iter().zip(original.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
        };
        assert!(far(&changed) > 60 && far(&matched) <= 2, "{}", far(&matched));
        assert_eq!(match_histograms(&original, &original), original);
    }
}
