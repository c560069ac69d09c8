//! ICC profiles of pictures: cameras and telephones embed them where their RGB is not sRGB.

use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Pixels that are brought over at a time.
const STEP: usize = 1024;

/// Brings RGB8 pixels from the colour space of an ICC profile into sRGB. Those of a profile for anything but RGB stay as they
/// are: what decodes such pictures has turned them into RGB in its own way.
///
/// # Errors
/// The profile is damaged, or of a kind that is not known; the pixels are then as they were.
pub(crate) fn to_srgb(pixels: &mut [u8], profile: &[u8]) -> Result<(), CmsError> {
    let profile = ColorProfile::new_from_slice(profile)?;
    if profile.color_space != DataColorSpace::Rgb {
        return Ok(());
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options)?;
    // The transform reads and writes two different places.
    let mut read = [0; 3 * STEP];
    for part in pixels.chunks_mut(read.len()) {
        let read = &mut read[..part.len()];
        read.copy_from_slice(part);
        transform.transform(read, part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_a_wider_space_become_what_they_look_like() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        // Grey is grey in both; a red of Display P3 is beyond the reddest of sRGB; this orange is within.
        let mut pixels = [[128, 128, 128], [255, 0, 0], [200, 120, 60]].concat();
        to_srgb(&mut pixels, &p3).unwrap();
        let expected = [[128, 128, 128], [255, 0, 0], [213, 117, 44]].concat();
        assert!(pixels.iter().zip(&expected).all(|(is, due)| is.abs_diff(*due) <= 2), "{pixels:?}");

        let mut many = [200, 120, 60].repeat(2 * STEP + 7);
        to_srgb(&mut many, &p3).unwrap();
        assert!(many.chunks(3).all(|pixel| *pixel == pixels[6..]));
    }

    #[test]
    fn srgb_and_what_is_not_rgb_stay_as_they_are() {
        let before: Vec<u8> = (0..=255).collect::<Vec<u8>>()[..255].to_vec();
        for profile in [ColorProfile::new_srgb(), ColorProfile::new_gray_with_gamma(2.2)] {
            let mut pixels = before.clone();
            to_srgb(&mut pixels, &profile.encode().unwrap()).unwrap();
            assert!(pixels.iter().zip(&before).all(|(is, was)| is.abs_diff(*was) <= 1), "{pixels:?}");
        }
        assert!(to_srgb(&mut before.clone(), b"no profile").is_err());
    }
}
