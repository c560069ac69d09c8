//! Small things at the water's edge: lamps, bollards, people on the quay, and the jetty in front.

use crate::light::Surface;
use crate::noise::{Dice, chance, fbm};
use crate::quay::QUAY_M;
use crate::solid::{Hit, Plot, Solid};
use crate::stroke::{Bundle, Stroke};
use crate::town::WATERSIDE;
use crate::vector::{Ray, Rgb, Vec3, band, smoothstep, vec3};

const IRON: Rgb = vec3(0.05, 0.055, 0.055);
const PILE: Rgb = vec3(0.20, 0.15, 0.11);

/// A place on the quay, `along` (0..1) one of its stretches and `inland_m` from the edge.
fn on_quay(stretch: usize, along: f32, inland_m: f32) -> Vec3 {
    let (from, to) = (WATERSIDE[stretch], WATERSIDE[stretch + 1]);
    let way = (to - from).normalized();
    from.mix(to, along) + vec3(way.z, 0.0, -way.x) * inland_m + vec3(0.0, QUAY_M, 0.0)
}

/// What does not move: lamps, bollards, the jetty's piles.
pub(crate) fn fixtures() -> Vec<Bundle> {
    let mut bundles = vec![piles()];
    for (stretch, lamps) in [(0, 5), (1, 4), (2, 2)] {
        for lamp in 0..lamps {
            let foot = on_quay(stretch, (lamp as f32 + 0.6) / lamps as f32, 1.5);
            let top = foot + vec3(0.0, 3.7, 0.0);
            bundles.push(Bundle::new(vec![
                Stroke::new(foot, top, 0.085, IRON).tapering(0.045),
                Stroke::new(top, top + vec3(0.0, 0.26, 0.0), 0.13, IRON).shining(vec3(4.6, 2.3, 0.65)),
                Stroke::new(top + vec3(0.0, 0.42, 0.0), top + vec3(0.0, 0.56, 0.0), 0.20, IRON)
                    .tapering(0.04),
            ]));
        }
        for bollard in 0..lamps * 2 {
            let foot = on_quay(stretch, (bollard as f32 + 0.3) / (2 * lamps) as f32, 0.45);
            bundles.push(Bundle::new(vec![Stroke::new(foot, foot + vec3(0.0, 0.5, 0.0), 0.13, IRON)]));
        }
    }
    bundles
}

fn piles() -> Bundle {
    let mut strokes = Vec::new();
    for (x, z, height_m) in
        [(-5.0, 15.1, 1.9), (-5.0, 16.9, 1.55), (-7.6, 15.1, 1.5), (-7.6, 16.9, 1.5), (-10.2, 15.1, 1.5)]
    {
        let foot = vec3(x, -0.4, z);
        strokes.push(Stroke::new(foot, vec3(x, height_m, z), 0.15, PILE));
        strokes.push(Stroke::new(foot, vec3(x, 0.28, z), 0.16, vec3(0.05, 0.06, 0.035)));
        strokes.push(Stroke::new(
            vec3(x, height_m, z),
            vec3(x, height_m + 0.03, z),
            0.14,
            vec3(0.52, 0.48, 0.42),
        ));
    }
    // The painter of the dinghy hangs in a bow.
    let (knot, ring) = (vec3(-5.0, 1.45, 15.1), vec3(-3.1, 0.62, 15.9));
    for piece in 0..10 {
        let hang = |part: f32| knot.mix(ring, part) - vec3(0.0, 1.1 * part * (1.0 - part), 0.0);
        let (from, to) = (piece as f32 / 10.0, (piece + 1) as f32 / 10.0);
        strokes.push(Stroke::new(hang(from), hang(to), 0.022, vec3(0.50, 0.42, 0.30)));
    }
    Bundle::new(strokes)
}

/// People out for the evening, `time_s` seconds into the clip.
pub(crate) fn people(time_s: f32) -> Vec<Bundle> {
    let coats = [
        vec3(0.10, 0.12, 0.22),
        vec3(0.42, 0.10, 0.09),
        vec3(0.62, 0.56, 0.46),
        vec3(0.16, 0.22, 0.16),
        vec3(0.30, 0.20, 0.32),
    ];
    let mut dice = Dice::new(71);
    let mut walkers = Vec::new();
    for walker in 0..13 {
        let stretch = if walker < 8 { 0 } else { 1 };
        let start = dice.between(0.42, 0.98);
        let metres_per_s = dice.pick(&[-1.1, 0.9, 1.2, 0.0]);
        let length_m = (WATERSIDE[stretch + 1] - WATERSIDE[stretch]).length();
        let along = start + metres_per_s * time_s / length_m;
        let foot = on_quay(stretch, along, dice.between(1.0, 4.0));
        let way = (WATERSIDE[stretch + 1] - WATERSIDE[stretch]).normalized();
        let stride_m = if metres_per_s == 0.0 { 0.06 } else { 0.30 * (time_s * 6.2 + start * 40.0).sin() };
        walkers.push(person(foot, way * stride_m, dice.between(0.92, 1.06), dice.pick(&coats)));
    }
    walkers
}

fn person(foot: Vec3, stride: Vec3, size: f32, coat: Rgb) -> Bundle {
    let up = |height_m: f32| foot + vec3(0.0, height_m * size, 0.0);
    let trousers = vec3(0.07, 0.07, 0.09);
    Bundle::new(vec![
        Stroke::new(foot + stride, up(0.85), 0.075, trousers),
        Stroke::new(foot - stride, up(0.85), 0.075, trousers),
        Stroke::new(up(0.75), up(1.38), 0.19, coat).tapering(0.15),
        Stroke::new(up(1.35), up(0.85) - stride * 0.8 + vec3(-0.16, 0.0, 0.0), 0.05, coat),
        Stroke::new(up(1.60), up(1.68), 0.105, vec3(0.52, 0.34, 0.25)),
    ])
}

/// The planks of the jetty at the left.
pub(crate) struct Jetty {
    deck: Solid,
}

impl Jetty {
    pub(crate) fn new() -> Self {
        let plot = Plot::facing(vec3(-12.0, 0.0, 16.0), vec3(0.0, 0.0, -1.0));
        let mut planes = plot.walls(Vec3::ZERO, 7.3, 0.95);
        planes.extend([plot.lid(1.12), plot.floor(0.94)]);
        Self { deck: Solid::new(planes) }
    }

    /// Where the ray meets it.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        self.deck.meet(ray, within_m)
    }

    /// What it looks like there.
    pub(crate) fn surface(point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let plank = point.x / 0.24;
        let gap = band((plank.fract().abs() - 0.5).abs(), 0.42, 0.6, 0.05 + 0.4 * footprint_m / 0.24);
        let single = chance(plank.floor() as i32, 0, 801) - 0.5;
        let grain = fbm(point.x * 5.0, point.z * 0.9 + point.y * 5.0, 4, 802);
        let visible = 1.0 - smoothstep(0.15, 0.5, footprint_m);
        Surface::matt(
            vec3(0.34, 0.26, 0.19) * (1.0 + 0.3 * grain + visible * (0.4 * single - 0.6 * gap)),
            normal,
        )
    }
}
