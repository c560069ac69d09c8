//! The stained-glass window: panes are the Voronoi cells of scattered points, leaded along their borders.
//!
//! Every number comes from [`noise`], so the picture is the same whenever it is drawn.

use crate::{colour::pane_colour, noise};

/// Width and height in pixels.
pub(crate) const SIDE: usize = 1024;

/// Panes along a side, in the mean.
const PANES: i32 = 19;
/// Half the width of the lead, in panes.
const LEAD: f32 = 0.058;
/// How far a point may lie from the middle of its square, in squares.
const SCATTER: f32 = 0.86;

/// A pane: the point that its glass is nearest to, and the square that the point belongs to.
#[derive(Clone, Copy)]
struct Pane {
    x: f32,
    y: f32,
    column: i32,
    row: i32,
}

/// The whole window, RGB8 (`SIDE`, `SIDE`, 3).
pub(crate) fn draw() -> Vec<u8> {
    let scale = PANES as f32 / SIDE as f32;
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for row in 0..SIDE {
        for column in 0..SIDE {
            // Four samples a pixel, so that the leads have smooth edges.
            let mut sum = [0.0; 3];
            for (right, down) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let colour = sample((column as f32 + right) * scale, (row as f32 + down) * scale);
                sum = [0, 1, 2].map(|channel| sum[channel] + colour[channel] / 4.0);
            }
            pixels.extend(sum.map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8));
        }
    }
    pixels
}

/// The colour, 0 to 1, at a place that is measured in panes.
fn sample(x: f32, y: f32) -> [f32; 3] {
    // Hand-cut glass has no straight edges.
    let bend = 0.16;
    let (x, y) = (
        x + bend * (noise::smooth(x * 0.9, y * 0.9, 11) - 0.5),
        y + bend * (noise::smooth(x * 0.9, y * 0.9, 12) - 0.5),
    );
    let (pane, border) = nearest(x, y);
    let width = LEAD * (0.75 + 0.5 * noise::smooth(x * 1.7, y * 1.7, 13));
    if border < width {
        // Round bars: lighter along the middle.
        let shine = 0.05 + 0.10 * (1.0 - border / width).powi(2);
        return [shine, shine * 1.02, shine * 1.1];
    }
    glass(x, y, pane, border - width)
}

/// The pane that a place lies in, and how far it is from the nearest border.
fn nearest(x: f32, y: f32) -> (Pane, f32) {
    let (column, row) = (x.floor() as i32, y.floor() as i32);
    let around = (-2..=2).flat_map(|down| (-2..=2).map(move |right| pane(column + right, row + down)));
    let squared = |pane: &Pane| (pane.x - x).powi(2) + (pane.y - y).powi(2);
    let mut own = pane(column, row);
    for other in around.clone() {
        if squared(&other) < squared(&own) {
            own = other;
        }
    }
    let mut border = f32::INFINITY;
    for other in around {
        let (right, down) = (other.x - own.x, other.y - own.y);
        let apart = right.hypot(down);
        if apart > 1e-4 {
            // How far the place lies on this side of the line half-way between the two points.
            let along = ((own.x + other.x) / 2.0 - x) * right + ((own.y + other.y) / 2.0 - y) * down;
            border = border.min(along / apart);
        }
    }
    (own, border)
}

fn pane(column: i32, row: i32) -> Pane {
    let scatter = |seed| 0.5 + SCATTER * (noise::of_square(column, row, seed) - 0.5);
    Pane { x: column as f32 + scatter(1), y: row as f32 + scatter(2), column, row }
}

/// Light through a pane at a distance from its lead: streaks and bubbles of the glass, dirt along the lead.
fn glass(x: f32, y: f32, pane: Pane, from_lead: f32) -> [f32; 3] {
    let middle = PANES as f32 / 2.0;
    let chance = noise::of_square(pane.column, pane.row, 3);
    let colour = pane_colour((pane.x - middle) / middle, (pane.y - middle) / middle, chance);
    // Streaks run a way of their own in each pane.
    let turn = noise::of_square(pane.column, pane.row, 4) * std::f32::consts::TAU;
    let (along, across) = (x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin());
    let streak = noise::smooth(along * 1.3, across * 7.0, 14) - 0.5;
    let cloud = noise::smooth(x * 2.2, y * 2.2, 15) - 0.5;
    let tone = 0.85 + 0.3 * noise::of_square(pane.column, pane.row, 5);
    let dirt = 1.0 - 0.45 * (-from_lead * 16.0).exp();
    let light = tone * dirt * (1.0 + 0.34 * streak + 0.3 * cloud);
    // The brightest places pale a little, as lit glass does.
    colour.map(|value| {
        let lit = value * light;
        lit + 0.22 * (light - 0.95).max(0.0) * (1.0 - lit)
    })
}
