//! A picture grid as in figures 8 and 9 of Johnson et al. 2016: a row a picture, as it was and by each method, and below each
//! its part that bicubic enlargement misses most, in large.

use image::{RgbImage, imageops};

use super::Compared;
use crate::{TrainError, photos::resized};

/// Side of every cell, whole pictures and parts, in pixels.
const CELL: u32 = 240;
/// Side of the parts that are shown in large.
const PART: u32 = 60;
/// Between cells.
const GAP: u32 = 6;

/// Draws the grid; the columns are the picture as it was and then the methods in their order. Nothing where there are no
/// pictures.
///
/// # Errors
/// A picture has a side of 0.
pub fn grid(compared: &[Compared]) -> Result<Option<RgbImage>, TrainError> {
    let Some(columns) = compared.iter().map(|row| row.enlarged.len() as u32 + 1).max() else {
        return Ok(None);
    };
    let step = CELL + GAP;
    let white = image::Rgb([255; 3]);
    let mut grid = RgbImage::from_pixel(columns * step - GAP, compared.len() as u32 * 2 * step - GAP, white);
    for (index, row) in compared.iter().enumerate() {
        let part = hardest_part(row);
        let pictures = std::iter::once(&row.truth).chain(row.enlarged.iter().map(|(_, picture)| picture));
        for (column, picture) in pictures.enumerate() {
            let (left, top) = (i64::from(column as u32 * step), i64::from(index as u32 * 2 * step));
            let whole = fitted(picture)?;
            let below = imageops::crop_imm(picture, part.0, part.1, PART, PART).to_image();
            let below = imageops::resize(&below, CELL, CELL, imageops::FilterType::Nearest);
            imageops::replace(&mut grid, &whole, left, top + i64::from((CELL - whole.height()) / 2));
            imageops::replace(&mut grid, &below, left, top + i64::from(step));
        }
    }
    Ok(Some(grid))
}

/// The picture as large as a cell takes it.
fn fitted(picture: &RgbImage) -> Result<RgbImage, TrainError> {
    let (width, height) = picture.dimensions();
    let scale = f64::from(CELL) / f64::from(width.max(height).max(1));
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    resized(picture, (side(width), side(height)))
}

/// The corner of the part where the first method is farthest from the picture as it was.
fn hardest_part(row: &Compared) -> (u32, u32) {
    let Some((_, first)) = row.enlarged.first() else { return (0, 0) };
    let (width, height) = row.truth.dimensions();
    let corners = |side: u32| (0..=side.saturating_sub(PART)).step_by(PART as usize / 3);
    let error = |left: u32, top: u32| -> u64 {
        let inside = |side: u32, start: u32| start..(start + PART).min(side);
        let places = inside(height, top).flat_map(|y| inside(width, left).map(move |x| (x, y)));
        places
            .map(|(x, y)| {
                let (was, is) = (row.truth.get_pixel(x, y).0, first.get_pixel(x, y).0);
                was.iter().zip(is).map(|(a, b)| u64::from(a.abs_diff(b)).pow(2)).sum::<u64>()
            })
            .sum()
    };
    let all = corners(height).flat_map(|top| corners(width).map(move |left| (left, top)));
    all.max_by_key(|(left, top)| error(*left, *top)).unwrap_or((0, 0))
}
