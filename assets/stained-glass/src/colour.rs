//! Which colour a pane has: a rose of warm glass in a blue field, with green and violet about it.

use std::f32::consts::TAU;

type Rgb = [f32; 3];

const RUBY: Rgb = [0.78, 0.06, 0.10];
const FLAME: Rgb = [0.93, 0.36, 0.06];
const AMBER: Rgb = [0.98, 0.70, 0.12];
const STRAW: Rgb = [0.99, 0.90, 0.52];
const COBALT: Rgb = [0.05, 0.14, 0.58];
const AZURE: Rgb = [0.10, 0.42, 0.82];
const SKY: Rgb = [0.52, 0.80, 0.93];
const EMERALD: Rgb = [0.04, 0.48, 0.27];
const MOSS: Rgb = [0.40, 0.66, 0.22];
const VIOLET: Rgb = [0.42, 0.14, 0.52];

/// The colour of a pane at a place on -1 to 1, where `chance`, 0 to 1, chooses among those that belong there.
pub(crate) fn pane_colour(x: f32, y: f32, chance: f32) -> Rgb {
    let (radius, angle) = (x.hypot(y), y.atan2(x));
    // Eight petals.
    let petal = (angle / TAU * 8.0).rem_euclid(1.0);
    let reach = 0.60 + 0.14 * (angle * 8.0).cos();
    let among: &[Rgb] = if radius < 0.16 {
        &[STRAW, AMBER]
    } else if radius < 0.34 {
        if petal < 0.5 { &[FLAME, AMBER, RUBY] } else { &[RUBY, RUBY, VIOLET] }
    } else if radius < reach {
        if petal < 0.5 { &[RUBY, FLAME, AMBER] } else { &[AZURE, COBALT, SKY] }
    } else if radius < reach + 0.14 {
        &[EMERALD, MOSS, EMERALD, AMBER]
    } else {
        &[COBALT, AZURE, COBALT, SKY, VIOLET, EMERALD, AZURE, RUBY]
    };
    among[((chance * among.len() as f32) as usize).min(among.len() - 1)]
}
