//! The town: houses along the harbour's edge, more behind them up the slope, and the church.

use crate::balls::Balls;
use crate::church::Church;
use crate::house::{House, Part};
use crate::light::{KEY_DIRECTION, Surface};
use crate::noise::Dice;
use crate::quay::Quay;
use crate::solid::{Hit, Plot};
use crate::vector::{Ray, Vec3, vec3};

/// The water's edge, from the viewer's right into the distance; land lies to the right of the walk along it.
pub(crate) const WATERSIDE: [Vec3; 4] =
    [vec3(11.2, 0.0, 4.0), vec3(9.6, 0.0, 58.0), vec3(0.5, 0.0, 90.0), vec3(-15.0, 0.0, 101.0)];

/// Rows and places in them where supper is being cooked: chimneys that are well seen from the water.
const SMOKING: [(usize, usize); 3] = [(3, 1), (4, 1), (6, 0)];

/// All that is built on land.
pub(crate) struct Town {
    houses: Vec<House>,
    house_balls: Balls,
    chimneys: Vec<Vec3>,
    church: Church,
    quay: Quay,
}

/// What of the town a ray meets.
pub(crate) enum TownHit<'a> {
    House(&'a House, Part),
    Church,
    Quay,
}

impl Town {
    /// The same town every time.
    pub(crate) fn new() -> Self {
        let (mut houses, mut chimneys) = (Vec::new(), Vec::new());
        for (corner, pair) in WATERSIDE.windows(2).enumerate() {
            for (depth, &(setback_m, ground_m)) in [(9.4, 1.6), (20.0, 5.0), (31.0, 10.5)].iter().enumerate()
            {
                let row = corner * 3 + depth;
                let neighbours = side_by_side(pair[0], pair[1], setback_m, ground_m, row as i32 * 100 + 17);
                let smoking = SMOKING.iter().filter(|smoking| smoking.0 == row);
                chimneys
                    .extend(smoking.filter_map(|smoking| neighbours.get(smoking.1)).map(House::chimney_top));
                houses.extend(neighbours);
            }
        }
        let house_balls = Balls::new(houses.iter().map(House::ball));
        Self { houses, house_balls, chimneys, church: Church::new(), quay: Quay::new() }
    }

    /// The mouths of the chimneys that smoke.
    pub(crate) fn smoking_chimneys(&self) -> &[Vec3] {
        &self.chimneys
    }

    /// What the ray meets first.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<(Hit, TownHit<'_>)> {
        let mut nearest: Option<(Hit, TownHit<'_>)> = None;
        let mut within_m = within_m;
        let mut keep = |hit: Hit, what| {
            nearest = Some((hit, what));
            hit.distance_m
        };
        if let Some(hit) = self.quay.meet(ray, within_m) {
            within_m = keep(hit, TownHit::Quay);
        }
        if let Some(hit) = self.church.meet(ray, within_m) {
            within_m = keep(hit, TownHit::Church);
        }
        for house in self.house_balls.met_by(ray).map(|index| &self.houses[index]) {
            if let Some((hit, part)) = house.meet(ray, within_m) {
                within_m = keep(hit, TownHit::House(house, part));
            }
        }
        nearest
    }

    /// What it looks like where the ray met it.
    pub(crate) fn surface(&self, what: &TownHit<'_>, point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        match what {
            TownHit::House(house, part) => house.surface(point, normal, *part, footprint_m),
            TownHit::Church => self.church.surface(point, normal, footprint_m),
            TownHit::Quay => self.quay.surface(point, normal, footprint_m),
        }
    }

    /// 1 where the sun reaches `point`, 0 where the town stands in its way.
    pub(crate) fn sunlight(&self, point: Vec3, normal: Vec3) -> f32 {
        if normal.dot(KEY_DIRECTION) <= 0.0 {
            return 0.0;
        }
        let ray = Ray { origin: point + normal * 0.02, direction: KEY_DIRECTION };
        if self.meet(&ray, 60.0).is_some() { 0.0 } else { 1.0 }
    }
}

/// Houses side by side along the line from `from` to `to`, moved inland and up.
fn side_by_side(from: Vec3, to: Vec3, setback_m: f32, ground_m: f32, seed: i32) -> Vec<House> {
    let mut dice = Dice::new(seed);
    let length_m = (to - from).length();
    let along = (to - from) * (1.0 / length_m);
    let inland = vec3(along.z, 0.0, -along.x);
    let mut houses = Vec::new();
    let mut walked_m = dice.between(-3.0, 0.0);
    while walked_m < length_m {
        let width_m = dice.between(4.8, 8.6);
        let depth_m = dice.between(7.0, 9.5);
        let eaves_m = dice.between(6.2, 11.0);
        let center = from
            + along * (walked_m + 0.5 * width_m)
            + inland * (setback_m + dice.between(-0.5, 0.9))
            + vec3(0.0, ground_m, 0.0);
        let seed = seed + houses.len() as i32;
        houses.push(House::new(Plot::facing(center, -inland), width_m, depth_m, eaves_m, seed));
        let is_gap = dice.throw() < 0.16 || ground_m > 3.0 && dice.throw() < 0.5;
        walked_m += width_m + if is_gap { dice.between(1.2, 4.5) } else { 0.0 };
    }
    houses
}
