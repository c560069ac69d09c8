//! Numbers that look like chance and are functions of the place.

/// A number from 0 to 1 of a square of the plane.
pub(crate) fn of_square(column: i32, row: i32, seed: u32) -> f32 {
    // The finish of MurmurHash3 over the three.
    let mut bits = (column as u32).wrapping_mul(0x9e37_79b1)
        ^ (row as u32).wrapping_mul(0x85eb_ca77)
        ^ seed.wrapping_mul(0xc2b2_ae3d);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
    bits ^= bits >> 16;
    (bits >> 8) as f32 / (1 << 24) as f32
}

/// The same without jumps: between the squares' corners in smooth steps.
pub(crate) fn smooth(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let step = |part: f32| part * part * (3.0 - 2.0 * part);
    let (right, down) = (step(x - column), step(y - row));
    let corner = |beside, below| of_square(column as i32 + beside, row as i32 + below, seed);
    let mix = |from: f32, to: f32, part: f32| from + (to - from) * part;
    mix(mix(corner(0, 0), corner(1, 0), right), mix(corner(0, 1), corner(1, 1), right), down)
}
