//! What a ray passes through before it ends: soft-edged things that cover a part of the pixel each.

use crate::vector::{Rgb, Vec3};

const CAPACITY: usize = 24;

/// One thing that covers a part of what lies behind it.
#[derive(Clone, Copy)]
struct Veil {
    distance_m: f32,
    colour: Rgb,
    cover: f32,
}

/// The veils along one ray, far to near. Past [`CAPACITY`], the farthest are forgotten: they are the least seen.
pub(crate) struct Veils {
    veils: [Veil; CAPACITY],
    len: usize,
}

impl Veils {
    pub(crate) const fn new() -> Self {
        Self { veils: [Veil { distance_m: 0.0, colour: Vec3::ZERO, cover: 0.0 }; CAPACITY], len: 0 }
    }

    /// Hangs up a veil.
    pub(crate) fn add(&mut self, distance_m: f32, colour: Rgb, cover: f32) {
        if cover <= 0.0 {
            return;
        }
        if self.len == CAPACITY {
            self.veils.copy_within(1.., 0);
            self.len -= 1;
        }
        let mut place = self.len;
        while place > 0 && self.veils[place - 1].distance_m < distance_m {
            self.veils[place] = self.veils[place - 1];
            place -= 1;
        }
        self.veils[place] = Veil { distance_m, colour, cover };
        self.len += 1;
    }

    /// What is seen of `behind` through them all.
    pub(crate) fn over(&self, behind: Rgb) -> Rgb {
        self.veils[..self.len].iter().fold(behind, |colour, veil| colour.mix(veil.colour, veil.cover))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_veils_cover_farther_ones_in_any_order() {
        let (near, far) = (Vec3::splat(1.0), Vec3::splat(0.5));
        for order in [[(1.0, near), (2.0, far)], [(2.0, far), (1.0, near)]] {
            let mut veils = Veils::new();
            for (distance_m, colour) in order {
                veils.add(distance_m, colour, 0.5);
            }
            assert_eq!(veils.over(Vec3::ZERO), Vec3::splat(0.625));
        }
    }

    #[test]
    fn a_full_list_keeps_the_nearest() {
        let mut veils = Veils::new();
        for distance in 0..100 {
            veils.add(100.0 - distance as f32, Vec3::splat(distance as f32), 1.0);
        }
        assert_eq!(veils.over(Vec3::ZERO), Vec3::splat(99.0));
    }
}
