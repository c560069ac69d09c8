//! The whole harbour at one moment: what a ray sees.

use crate::balls::Balls;
use crate::boat::{Afloat, Boat};
use crate::fleet::fleet;
use crate::gulls::gulls;
use crate::hills;
use crate::light::through_air;
use crate::lighthouse::Lighthouse;
use crate::shore::{Jetty, fixtures, people};
use crate::sky::sky;
use crate::smoke::add_plume;
use crate::solid::Hit;
use crate::stroke::Bundle;
use crate::town::{Town, TownHit};
use crate::vector::{Ray, Rgb};
use crate::veil::Veils;
use crate::water::{depths, glitter, mirrored, mirrored_part, ripple};

/// What is the same in every frame.
pub(crate) struct Harbour {
    town: Town,
    jetty: Jetty,
    lighthouse: Lighthouse,
    fixtures: Vec<Bundle>,
    boats: Vec<Boat>,
}

/// The harbour at one moment.
pub(crate) struct Moment<'a> {
    harbour: &'a Harbour,
    time_s: f32,
    boats: Vec<Afloat>,
    hull_balls: Balls,
    rig_balls: Balls,
    bundles: Vec<Bundle>,
    bundle_balls: Balls,
}

/// The solid thing that a ray meets.
enum Met<'a> {
    Town(TownHit<'a>),
    Jetty,
    Lighthouse,
    Boat(&'a Afloat),
}

impl Harbour {
    pub(crate) fn new() -> Self {
        let town = Town::new();
        Self {
            town,
            jetty: Jetty::new(),
            lighthouse: Lighthouse::new(),
            fixtures: fixtures(),
            boats: fleet(),
        }
    }

    /// The harbour `time_s` seconds into the clip.
    pub(crate) fn at(&self, time_s: f32) -> Moment<'_> {
        let boats: Vec<_> = self.boats.iter().map(|boat| boat.at(time_s)).collect();
        let bundles: Vec<_> =
            self.fixtures.iter().cloned().chain(gulls(time_s)).chain(people(time_s)).collect();
        Moment {
            harbour: self,
            time_s,
            hull_balls: Balls::new(boats.iter().map(Afloat::hull_ball)),
            rig_balls: Balls::new(boats.iter().map(Afloat::rig_ball)),
            bundle_balls: Balls::new(bundles.iter().map(Bundle::ball)),
            boats,
            bundles,
        }
    }
}

impl Moment<'_> {
    /// The light that arrives along the ray; `pixel_angle` is how wide a pixel is one metre away.
    pub(crate) fn colour(&self, ray: &Ray, pixel_angle: f32) -> Rgb {
        if ray.direction.y >= 0.0 {
            return self
                .above_water(ray, f32::MAX, pixel_angle, |moment| moment.background(ray, pixel_angle));
        }
        let distance_m = -ray.origin.y / ray.direction.y;
        self.above_water(ray, distance_m, pixel_angle, |moment| moment.water(ray, distance_m, pixel_angle))
    }

    /// The sky and the hills.
    fn background(&self, ray: &Ray, pixel_angle: f32) -> Rgb {
        hills::over(sky(ray.direction, self.time_s), ray, pixel_angle)
    }

    /// What is met within `within_m`, or else `behind`, through everything thin on the way.
    fn above_water(
        &self,
        ray: &Ray,
        within_m: f32,
        pixel_angle: f32,
        behind: impl FnOnce(&Self) -> Rgb,
    ) -> Rgb {
        let (colour, within_m) = match self.meet(ray, within_m) {
            Some((hit, met)) => (self.solid(ray, &hit, &met, pixel_angle), hit.distance_m),
            None => (behind(self), within_m),
        };
        let mut veils = Veils::new();
        for index in self.bundle_balls.met_by(ray) {
            self.bundles[index].add_to(&mut veils, ray, within_m, pixel_angle);
        }
        for index in self.rig_balls.met_by(ray) {
            self.boats[index].add_rig_to(&mut veils, ray, within_m, pixel_angle);
        }
        for &mouth in self.harbour.town.smoking_chimneys() {
            add_plume(&mut veils, mouth, ray, within_m, self.time_s);
        }
        veils.over(colour)
    }

    /// The nearest solid thing.
    fn meet(&self, ray: &Ray, within_m: f32) -> Option<(Hit, Met<'_>)> {
        let mut within_m = within_m;
        let mut nearest = None;
        if let Some((hit, what)) = self.harbour.town.meet(ray, within_m) {
            within_m = hit.distance_m;
            nearest = Some((hit, Met::Town(what)));
        }
        if let Some(hit) = self.harbour.jetty.meet(ray, within_m) {
            within_m = hit.distance_m;
            nearest = Some((hit, Met::Jetty));
        }
        if let Some(hit) = self.harbour.lighthouse.meet(ray, within_m) {
            within_m = hit.distance_m;
            nearest = Some((hit, Met::Lighthouse));
        }
        for boat in self.hull_balls.met_by(ray).map(|index| &self.boats[index]) {
            if let Some(hit) = boat.meet(ray, within_m) {
                within_m = hit.distance_m;
                nearest = Some((hit, Met::Boat(boat)));
            }
        }
        nearest
    }

    fn solid(&self, ray: &Ray, hit: &Hit, met: &Met<'_>, pixel_angle: f32) -> Rgb {
        let point = ray.at(hit.distance_m);
        let slant = hit.normal.dot(ray.direction).abs().max(0.15);
        let footprint_m = hit.distance_m * pixel_angle / slant;
        let colour = match met {
            Met::Town(what) => {
                let surface = self.harbour.town.surface(what, point, hit.normal, footprint_m);
                surface.lit(self.harbour.town.sunlight(point, hit.normal))
            }
            Met::Lighthouse => {
                self.harbour.lighthouse.surface(point, hit.normal, footprint_m, self.time_s).lit(1.0)
            }
            Met::Jetty => Jetty::surface(point, hit.normal, footprint_m).lit(1.0),
            Met::Boat(boat) => boat.surface(point, hit.normal, footprint_m).lit(1.0),
        };
        through_air(colour, ray.direction, hit.distance_m)
    }

    fn water(&self, ray: &Ray, distance_m: f32, pixel_angle: f32) -> Rgb {
        let point = ray.at(distance_m);
        let ripple = ripple(point, ray, distance_m, pixel_angle, self.time_s);
        let up = Ray { origin: point, direction: mirrored(ray.direction, ripple.normal) };
        // Ripples that the pixel cannot show smear what they mirror.
        let smeared_angle = pixel_angle + 0.5 * ripple.roughness.sqrt();
        let mirror =
            self.above_water(&up, f32::MAX, smeared_angle, |moment| moment.background(&up, smeared_angle));
        let part = mirrored_part(ray.direction, ripple.normal);
        let colour = depths(point, ripple.normal).mix(mirror, part) + glitter(ray.direction, &ripple) * part;
        through_air(colour, ray.direction, distance_m)
    }
}
