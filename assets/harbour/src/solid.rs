//! Convex bodies bounded by planes: walls, roofs, towers, quays.

use crate::vector::{Ray, Vec3, vec3};

/// A half-space: the points `p` with `normal . p <= offset_m`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane {
    normal: Vec3,
    offset_m: f32,
}

/// What all these half-spaces have in common.
#[derive(Debug, Clone)]
pub(crate) struct Solid {
    planes: Vec<Plane>,
}

/// Where a ray enters a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) distance_m: f32,
    pub(crate) normal: Vec3,
}

/// An upright frame of reference: a place on the ground, and which way is to the right and to the front from there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plot {
    pub(crate) center: Vec3,
    pub(crate) right: Vec3,
    pub(crate) front: Vec3,
}

impl Plot {
    /// A place whose front faces `front`.
    pub(crate) fn facing(center: Vec3, front: Vec3) -> Self {
        let front = vec3(front.x, 0.0, front.z).normalized();
        Self { center, right: vec3(-front.z, 0.0, front.x), front }
    }

    /// To the right, up, to the front, as seen from the centre.
    pub(crate) fn local(&self, point: Vec3) -> Vec3 {
        let offset = point - self.center;
        vec3(offset.dot(self.right), offset.y, offset.dot(self.front))
    }

    /// The other way round.
    pub(crate) fn world(&self, local: Vec3) -> Vec3 {
        self.center + self.right * local.x + Vec3::UP * local.y + self.front * local.z
    }

    /// The half-space with this local normal whose plane passes through this local point.
    pub(crate) fn plane(&self, local_normal: Vec3, through: Vec3) -> Plane {
        let normal = (self.right * local_normal.x + Vec3::UP * local_normal.y + self.front * local_normal.z)
            .normalized();
        Plane { normal, offset_m: normal.dot(self.world(through)) }
    }

    /// The four walls of a block around `middle`, open above and below.
    pub(crate) fn walls(&self, middle: Vec3, half_width_m: f32, half_depth_m: f32) -> Vec<Plane> {
        let (right, front) = (vec3(half_width_m, 0.0, 0.0), vec3(0.0, 0.0, half_depth_m));
        vec![
            self.plane(vec3(1.0, 0.0, 0.0), middle + right),
            self.plane(vec3(-1.0, 0.0, 0.0), middle - right),
            self.plane(vec3(0.0, 0.0, 1.0), middle + front),
            self.plane(vec3(0.0, 0.0, -1.0), middle - front),
        ]
    }

    /// A level lid at this height.
    pub(crate) fn lid(&self, height_m: f32) -> Plane {
        self.plane(vec3(0.0, 1.0, 0.0), vec3(0.0, height_m, 0.0))
    }

    /// A level floor at this height.
    pub(crate) fn floor(&self, height_m: f32) -> Plane {
        self.plane(vec3(0.0, -1.0, 0.0), vec3(0.0, height_m, 0.0))
    }
}

impl Solid {
    pub(crate) const fn new(planes: Vec<Plane>) -> Self {
        Self { planes }
    }

    /// Where the ray enters, if it does so within `within_m`. A ray that starts inside does not enter.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        let (mut enter_m, mut leave_m, mut normal) = (0.0, within_m, None);
        for plane in &self.planes {
            let approach = plane.normal.dot(ray.direction);
            let gap_m = plane.offset_m - plane.normal.dot(ray.origin);
            let at_m = gap_m / approach;
            if approach < 0.0 {
                if at_m > enter_m {
                    (enter_m, normal) = (at_m, Some(plane.normal));
                }
            } else if approach > 0.0 {
                leave_m = leave_m.min(at_m);
            } else if gap_m < 0.0 {
                return None;
            }
            if enter_m >= leave_m {
                return None;
            }
        }
        normal.map(|normal| Hit { distance_m: enter_m, normal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_enters_a_block_at_its_front() {
        let plot = Plot::facing(vec3(0.0, 0.0, 10.0), vec3(0.0, 0.0, -1.0));
        let mut planes = plot.walls(Vec3::ZERO, 1.0, 2.0);
        planes.extend([plot.lid(3.0), plot.floor(0.0)]);
        let block = Solid::new(planes);
        let ray = Ray { origin: vec3(0.5, 1.0, 0.0), direction: vec3(0.0, 0.0, 1.0) };
        let hit = block.meet(&ray, 100.0).unwrap();
        assert!((hit.distance_m - 8.0).abs() < 1e-5);
        assert!((hit.normal - vec3(0.0, 0.0, -1.0)).length() < 1e-6);
        assert!(block.meet(&ray, 7.0).is_none());
        assert!(block.meet(&Ray { origin: vec3(1.5, 1.0, 0.0), ..ray }, 100.0).is_none());
    }
}
