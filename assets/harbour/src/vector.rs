//! Three numbers: a point in metres (x right, y up from the water, z away from the viewer), a direction, a colour.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A point, a direction or a colour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Vec3 {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

/// A colour in linear light, BT.709 primaries; 1 is white paper in the shade of the evening, the sun is far above.
pub(crate) type Rgb = Vec3;

/// Short for the constructor, because scenes are made of thousands of these.
pub(crate) const fn vec3(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    pub(crate) const ZERO: Self = vec3(0.0, 0.0, 0.0);
    pub(crate) const UP: Self = vec3(0.0, 1.0, 0.0);

    /// All three numbers the same: a grey.
    pub(crate) const fn splat(value: f32) -> Self {
        vec3(value, value, value)
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(crate) fn cross(self, other: Self) -> Self {
        vec3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The direction alone.
    pub(crate) fn normalized(self) -> Self {
        self * (1.0 / self.length())
    }

    /// This way at 0, the other at 1.
    pub(crate) fn mix(self, other: Self, amount: f32) -> Self {
        self + (other - self) * amount
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        vec3(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl AddAssign for Vec3 {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        vec3(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        vec3(-self.x, -self.y, -self.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        vec3(self.x * factor, self.y * factor, self.z * factor)
    }
}

/// Channel by channel: light falling on a colour.
impl Mul for Vec3 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        vec3(self.x * other.x, self.y * other.y, self.z * other.z)
    }
}

/// `from` at 0, `to` at 1.
pub(crate) fn mix(from: f32, to: f32, amount: f32) -> f32 {
    from + (to - from) * amount
}

/// 0 below `low`, 1 above `high`, an S between them. With `low > high` it falls instead.
pub(crate) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let x = ((value - low) / (high - low)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// How much of a pixel that is `footprint` wide at `value` lies between `low` and `high`.
pub(crate) fn band(value: f32, low: f32, high: f32, footprint: f32) -> f32 {
    let edge = |at: f32| ((value - at) / footprint + 0.5).clamp(0.0, 1.0);
    edge(low) - edge(high)
}

/// A half-line along which light is gathered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ray {
    pub(crate) origin: Vec3,
    /// Of length 1.
    pub(crate) direction: Vec3,
}

impl Ray {
    pub(crate) fn at(&self, distance_m: f32) -> Vec3 {
        self.origin + self.direction * distance_m
    }

    /// Whether it passes through a ball; the test that saves all the others.
    pub(crate) fn meets_ball(&self, center: Vec3, radius_m: f32) -> bool {
        let offset = center - self.origin;
        let along = offset.dot(self.direction);
        let distance_squared = offset.dot(offset);
        let inside = distance_squared < radius_m * radius_m;
        inside || (along > 0.0 && distance_squared - along * along < radius_m * radius_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn band_counts_the_covered_part_of_a_pixel() {
        assert_eq!(band(0.5, 0.0, 1.0, 0.1), 1.0);
        assert_eq!(band(0.0, 0.0, 1.0, 0.1), 0.5);
        assert!((band(0.5, 0.0, 1.0, 10.0) - 0.1).abs() < 1e-6, "a pixel ten times as wide is a tenth full");
    }

    #[test]
    fn a_ray_meets_only_balls_ahead() {
        let ray = Ray { origin: Vec3::ZERO, direction: vec3(0.0, 0.0, 1.0) };
        assert!(ray.meets_ball(vec3(0.5, 0.0, 9.0), 1.0));
        assert!(!ray.meets_ball(vec3(1.5, 0.0, 9.0), 1.0));
        assert!(!ray.meets_ball(vec3(0.0, 0.0, -9.0), 1.0));
    }
}
