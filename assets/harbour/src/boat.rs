//! A boat afloat: hull and rig, moved by the water.

use std::f32::consts::TAU;

use crate::hull::Hull;
use crate::light::Surface;
use crate::rig::Rig;
use crate::sail::Sail;
use crate::solid::Hit;
use crate::stroke::Bundle;
use crate::vector::{Ray, Vec3, vec3};
use crate::veil::Veils;

/// A boat and the way it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boat {
    pub(crate) hull: Hull,
    pub(crate) rig: Rig,
    /// Where it lies at the start, on the water.
    pub(crate) place: Vec3,
    /// The way the bow points, in turns from the right (0) to away from the viewer (0.25).
    pub(crate) heading_turns: f32,
    pub(crate) speed_m_per_s: f32,
    /// How far it leans with the wind, in radians.
    pub(crate) heel: f32,
}

/// A boat at one moment.
pub(crate) struct Afloat {
    hull: Hull,
    pose: Pose,
    radius_m: f32,
    rigging: Bundle,
    sails: Vec<Sail>,
}

/// Where a boat is and how it lies: its own axes in the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    origin: Vec3,
    forward: Vec3,
    pub(crate) up: Vec3,
    side: Vec3,
}

impl Pose {
    /// From the boat's axes to the world.
    pub(crate) fn world(&self, local: Vec3) -> Vec3 {
        self.origin + self.turned(local)
    }

    /// The same for a direction.
    pub(crate) fn turned(&self, local: Vec3) -> Vec3 {
        self.forward * local.x + self.up * local.y + self.side * local.z
    }

    fn local(&self, direction: Vec3) -> Vec3 {
        vec3(direction.dot(self.forward), direction.dot(self.up), direction.dot(self.side))
    }
}

impl Boat {
    /// The boat `time_s` seconds into the clip.
    pub(crate) fn at(&self, time_s: f32) -> Afloat {
        let pose = self.pose(time_s);
        let (strokes, sails) = self.rig.set(&self.hull, &pose);
        Afloat {
            hull: self.hull,
            pose,
            radius_m: self.hull.half_length_m * 1.1 + 1.0,
            rigging: Bundle::new(strokes),
            sails,
        }
    }

    /// Big boats answer the waves slowly and little.
    fn pose(&self, time_s: f32) -> Pose {
        let (sin, cos) = (self.heading_turns * TAU).sin_cos();
        let (ahead, abeam) = (vec3(cos, 0.0, sin), vec3(-sin, 0.0, cos));
        let phase = self.place.x * 1.7 + self.place.z * 0.9;
        let pace = 2.9 / self.hull.half_length_m.sqrt();
        let small = (2.4 / self.hull.half_length_m).sqrt();
        let roll = self.heel
            + 0.040 * small * (time_s * pace + phase).sin()
            + 0.014 * (time_s * 2.3 * pace + phase).sin();
        let pitch = 0.024 * small * (time_s * pace * 0.83 + 2.0 * phase).sin();
        let heave_m = 0.055 * small * (time_s * pace * 0.91 + phase + 1.0).sin();
        let forward = (ahead + Vec3::UP * pitch).normalized();
        let side = (abeam + Vec3::UP * roll).normalized();
        let origin = self.place + ahead * (self.speed_m_per_s * time_s) + Vec3::UP * heave_m;
        let up = side.cross(forward);
        Pose { origin, forward, up: if up.y < 0.0 { -up } else { up }, side }
    }
}

impl Afloat {
    /// A ball that holds masts, ropes and sails; the ends of spars and ropes are the corners of the sails.
    pub(crate) const fn rig_ball(&self) -> (Vec3, f32) {
        self.rigging.ball()
    }

    /// A ball that holds the hull.
    pub(crate) const fn hull_ball(&self) -> (Vec3, f32) {
        (self.pose.origin, self.radius_m)
    }

    /// Adds what the ray sees of masts, ropes and sails to the veils.
    pub(crate) fn add_rig_to(&self, veils: &mut Veils, ray: &Ray, within_m: f32, pixel_angle: f32) {
        self.rigging.add_to(veils, ray, within_m, pixel_angle);
        for sail in &self.sails {
            sail.add_to(veils, ray, within_m, pixel_angle);
        }
    }

    /// Where the ray meets the hull, if it does; the normal is in world axes.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        let local = Ray {
            origin: self.pose.local(ray.origin - self.pose.origin),
            direction: self.pose.local(ray.direction),
        };
        let hit = self.hull.meet(&local, within_m)?;
        Some(Hit { normal: self.pose.turned(hit.normal), ..hit })
    }

    /// What the hull looks like there.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let local_normal = self.pose.local(normal);
        let surface = self.hull.surface(self.pose.local(point - self.pose.origin), local_normal, footprint_m);
        Surface { normal, ..surface }
    }
}
