//! Balls around things, tested against a ray eight at a time: nearly all of a harbour is nowhere near a given ray, and
//! this finds the rest.

use crate::vector::{Ray, Vec3};

const LANES: usize = 8;

/// Eight balls, coordinate by coordinate, as vector instructions like them.
#[derive(Debug, Clone)]
struct Eight {
    x: [f32; LANES],
    y: [f32; LANES],
    z: [f32; LANES],
    /// Negative in a lane that holds no ball.
    radius_squared: [f32; LANES],
}

/// A ball for each of a list of things.
#[derive(Debug, Clone)]
pub(crate) struct Balls {
    eights: Vec<Eight>,
}

impl Balls {
    /// From centres and radii.
    pub(crate) fn new(balls: impl IntoIterator<Item = (Vec3, f32)>) -> Self {
        let mut eights = Vec::new();
        for (index, (center, radius_m)) in balls.into_iter().enumerate() {
            if index % LANES == 0 {
                let empty = [0.0; LANES];
                eights.push(Eight { x: empty, y: empty, z: empty, radius_squared: [-1.0; LANES] });
            }
            if let Some(eight) = eights.last_mut() {
                let lane = index % LANES;
                (eight.x[lane], eight.y[lane], eight.z[lane]) = (center.x, center.y, center.z);
                eight.radius_squared[lane] = radius_m * radius_m;
            }
        }
        Self { eights }
    }

    /// The indices of the balls that the ray passes through.
    pub(crate) fn met_by(&self, ray: &Ray) -> impl Iterator<Item = usize> + '_ {
        let ray = *ray;
        self.eights.iter().enumerate().flat_map(move |(first, eight)| {
            let mut lanes_left = eight.met_by(&ray);
            std::iter::from_fn(move || {
                let lane = lanes_left.trailing_zeros() as usize;
                (lane < LANES).then(|| {
                    lanes_left &= lanes_left - 1;
                    first * LANES + lane
                })
            })
        })
    }
}

impl Eight {
    /// A bit for each ball that the ray passes through.
    fn met_by(&self, ray: &Ray) -> u32 {
        let (origin, direction) = (ray.origin, ray.direction);
        let inside_by: [f32; LANES] = std::array::from_fn(|lane| {
            let (x, y, z) = (self.x[lane] - origin.x, self.y[lane] - origin.y, self.z[lane] - origin.z);
            let along = (x * direction.x + y * direction.y + z * direction.z).max(0.0);
            self.radius_squared[lane] + along * along - (x * x + y * y + z * z)
        });
        (0..LANES).fold(0, |bits, lane| bits | (u32::from(inside_by[lane] > 0.0) << lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::vec3;

    #[test]
    fn a_ray_meets_only_balls_ahead_or_around_it() {
        let ray = Ray { origin: Vec3::ZERO, direction: vec3(0.0, 0.0, 1.0) };
        let near = |x: f32, z: f32| (vec3(x, 0.0, z), 1.0);
        let mut list = vec![near(0.5, 9.0), near(1.5, 9.0), near(0.0, -9.0), near(0.0, -0.5)];
        list.extend((0..5).map(|_| near(50.0, 3.0)));
        list.push(near(-0.9, 4.0));
        assert_eq!(Balls::new(list).met_by(&ray).collect::<Vec<_>>(), [0, 3, 9]);
    }
}
