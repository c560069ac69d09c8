//! How a step's output is cut into tasks: small enough for the second-level cache, large enough to be worth the while,
//! and the same for any number of threads, so that sums keep their order.

use super::{
    multiply,
    step::{Grid, Window},
    transform,
};

/// Floats of scratch memory that a task may fill: 192 KiB.
const SCRATCH_FLOATS: usize = 48 << 10;
/// Floats that the transformed inputs of a task may fill: 320 KiB.
const PRODUCT_FLOATS: usize = 80 << 10;
/// Tasks that a step is cut into at least, where it is large enough, so that several threads end together.
const MIN_TASKS: usize = 16;
/// Pixels of a row that a task makes at most.
const MAX_TASK_WIDTH: usize = 192;

/// Cuts an output of pixels; the window reads `extra` more columns than its kernel says.
pub(super) fn pixels(window: &Window, height: usize, width: usize, extra: usize) -> Grid {
    let floats = |rows: usize, columns: usize| {
        let rows = (rows - 1) * window.stride + window.kernel_height;
        let columns = (columns - 1) * window.stride + window.kernel_width + extra;
        window.blocks * window.pixel * rows * columns
    };
    let mut task_width = width.min(MAX_TASK_WIDTH);
    while task_width > 16 && floats(1, task_width) > SCRATCH_FLOATS {
        task_width = task_width.div_ceil(2);
    }
    let most_rows = (height * width.div_ceil(task_width)).div_ceil(MIN_TASKS).max(1);
    let fitting = (1..=most_rows).rev().find(|&rows| floats(rows, task_width) <= SCRATCH_FLOATS);
    Grid::new(height, width, fitting.unwrap_or(1), task_width)
}

/// Cuts an output of `height` x `width` pixels into tiles for [`transform`].
pub(super) fn tiles(window: &Window, height: usize, width: usize, lanes: usize) -> Grid {
    let (rows, columns) = (height.div_ceil(transform::OUT), width.div_ceil(transform::OUT));
    let most_tiles = (PRODUCT_FLOATS / (transform::PRODUCTS * window.blocks * lanes)).clamp(4, 48);
    let most_tiles = most_tiles.min((rows * columns).div_ceil(MIN_TASKS).max(4));
    let cost = |grid: &Grid| -> usize {
        // A task also reads all weights, which takes as long as a few tiles.
        let task = |height: usize, width: usize| multiply::cost(height * width) + 4 * multiply::FULL_TILE;
        let (down, across) = (rows / grid.task_height, columns / grid.task_width);
        let (rest_down, rest_across) = (rows % grid.task_height, columns % grid.task_width);
        let mut cost = down * across * task(grid.task_height, grid.task_width);
        if rest_down > 0 {
            cost += across * task(rest_down, grid.task_width);
        }
        if rest_across > 0 {
            cost += down * task(grid.task_height, rest_across);
        }
        if rest_down * rest_across > 0 {
            cost += task(rest_down, rest_across);
        }
        cost
    };
    let shapes = (1..=most_tiles.min(columns))
        .flat_map(|across| (1..=(most_tiles / across).min(rows)).map(move |down| (down, across)));
    let grids = shapes.map(|(down, across)| Grid::new(rows, columns, down, across));
    // There is at least the cut into single tiles.
    grids.min_by_key(cost).unwrap_or(Grid::new(rows, columns, 1, 1))
}
