//! Repeatable chance: numbers out of integers, smooth noise out of points, layered noise out of smooth noise.

/// Scrambles three integers into one; every bit of the result depends on every bit given.
fn hash(x: i32, y: i32, z: i32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ (z as u32).wrapping_mul(0xcb1a_b31f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

/// A number in 0..1 that belongs to these three integers.
pub(crate) fn chance(x: i32, y: i32, z: i32) -> f32 {
    (hash(x, y, z) >> 8) as f32 / (1 << 24) as f32
}

/// A sequence of numbers in 0..1, for laying out a town or filling a second of noise.
pub(crate) struct Dice {
    seed: i32,
    throws: i32,
}

impl Dice {
    pub(crate) const fn new(seed: i32) -> Self {
        Self { seed, throws: 0 }
    }

    /// In 0..1.
    pub(crate) fn throw(&mut self) -> f32 {
        self.throws = self.throws.wrapping_add(1);
        chance(self.seed, self.throws, 0x5eed)
    }

    /// Between two numbers.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.throw()
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = (self.throw() * choices.len() as f32) as usize;
        choices[index.min(choices.len() - 1)]
    }
}

/// The slope that the lattice point (x, y) gives to the noise around it, times the offset from there.
fn lattice_slope(x: i32, y: i32, seed: i32, dx: f32, dy: f32) -> f32 {
    let h = hash(x, y, seed);
    let slope = |bits: u32| (bits & 0xffff) as f32 / 32_767.5 - 1.0;
    slope(h) * dx + slope(h >> 16) * dy
}

/// Smooth noise in about -1..1, lumps of size 1, mean 0. Other seeds give unrelated noise.
pub(crate) fn noise(x: f32, y: f32, seed: i32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (dx, dy) = (x - fx, y - fy);
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (wx, wy) = (fade(dx), fade(dy));
    let top = lattice_slope(ix, iy, seed, dx, dy);
    let top = top + wx * (lattice_slope(ix + 1, iy, seed, dx - 1.0, dy) - top);
    let low = lattice_slope(ix, iy + 1, seed, dx, dy - 1.0);
    let low = low + wx * (lattice_slope(ix + 1, iy + 1, seed, dx - 1.0, dy - 1.0) - low);
    1.4 * (top + wy * (low - top))
}

/// Noise of `octaves` scales, each half as large and half as strong as the one before: clouds, plaster, foliage.
/// In about -1..1.
pub(crate) fn fbm(x: f32, y: f32, octaves: i32, seed: i32) -> f32 {
    let (mut x, mut y, mut strength, mut sum) = (x, y, 0.55, 0.0);
    for octave in 0..octaves {
        sum += strength * noise(x, y, seed + octave);
        // Turned a little each time, so that the lattices never line up.
        (x, y) = (1.62 * x + 1.18 * y, -1.18 * x + 1.62 * y);
        strength *= 0.5;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_smooth_bounded_and_balanced() {
        let samples: Vec<f32> = (0..10_000).map(|i| noise(i as f32 * 0.01, i as f32 * 0.037, 3)).collect();
        assert!(samples.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.2));
        assert!(samples.iter().all(|sample| sample.abs() <= 1.5));
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        assert!(mean.abs() < 0.1, "mean {mean}");
    }

    #[test]
    fn dice_repeat_themselves_and_stay_in_range() {
        let throws = |seed| {
            let mut dice = Dice::new(seed);
            (0..100).map(|_| dice.throw()).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!(throws(7).iter().all(|throw| (0.0..1.0).contains(throw)));
    }
}
