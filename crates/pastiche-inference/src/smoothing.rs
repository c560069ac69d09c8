//! Steadiness over time without ghosts.
//!
//! A painting network answers small noise with large changes, so still parts of a video boil. Each pixel therefore keeps
//! a running mean of its painted colour, together with a running mean of the input that it was painted from. As long as
//! the input stays near that mean the painting may be mixed with its past; where the input departs from it, because
//! something moved or the scene changed, the past is dropped, and nothing trails behind.

use rayon::prelude::*;

/// Largest share of the past in a still pixel, at smoothing 1.
const MAX_MEMORY: f32 = 0.95;
/// Mean difference of a 3x3 neighbourhood, on 0-255, up to which a pixel counts as still: sensor noise lies below.
const STILL: f32 = 4.0;
/// Difference from which on a pixel counts as moved.
const MOVED: f32 = 14.0;

/// The running means of one stream of pictures of one size.
#[derive(Debug, Default)]
pub(crate) struct Smoother {
    width: usize,
    past_input: Vec<f32>,
    past_painting: Vec<f32>,
    difference: Vec<f32>,
    difference_blurred: Vec<f32>,
}

/// What smoothing knows of the pictures that came before: enough to go on behind them some other time.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    width: usize,
    input: Vec<f32>,
    painting: Vec<f32>,
}

impl Past {
    /// As bytes, for a file: the width, then both means' values.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = (self.width as u64).to_le_bytes().to_vec();
        bytes.extend(self.input.iter().chain(&self.painting).flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// The other way round; `None` where the bytes are of no such thing.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (width, values) = bytes.split_first_chunk()?;
        let width = usize::try_from(u64::from_le_bytes(*width)).ok()?;
        let (values, rest) = values.as_chunks();
        let row = width.checked_mul(3)?;
        let half = values.len() / 2;
        if !rest.is_empty()
            || !values.len().is_multiple_of(2)
            || row == 0
            || !half.is_multiple_of(row)
            || half == 0
        {
            return None;
        }
        let floats = |values: &[[u8; 4]]| values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Some(Self { width, input: floats(&values[..half]), painting: floats(&values[half..]) })
    }
}

impl Smoother {
    /// What it knows by now; `None` where nothing came before.
    pub(crate) fn past(&self) -> Option<Past> {
        let Self { width, past_input, past_painting, .. } = self;
        (!past_input.is_empty()).then(|| Past {
            width: *width,
            input: past_input.clone(),
            painting: past_painting.clone(),
        })
    }

    /// Goes on behind other pictures.
    pub(crate) fn set_past(&mut self, past: Past) {
        let pixels = past.input.len() / 3;
        *self = Self {
            width: past.width,
            past_input: past.input,
            past_painting: past.painting,
            difference: vec![0.0; pixels],
            difference_blurred: vec![0.0; pixels],
        };
    }

    /// Forgets the past.
    pub(crate) fn reset(&mut self) {
        self.past_input.clear();
        self.past_painting.clear();
    }

    /// Mixes `painting` (H, W, 3) with its past; `input` is the RGB8 picture that it was painted from. `smoothing` is 0-1.
    pub(crate) fn smooth(&mut self, smoothing: f32, width: usize, input: &[u8], painting: &mut [f32]) {
        if self.past_input.len() != input.len() || self.width != width {
            self.width = width;
            self.past_input = input.iter().map(|byte| f32::from(*byte)).collect();
            self.past_painting = painting.to_vec();
            self.difference = vec![0.0; input.len() / 3];
            self.difference_blurred = vec![0.0; input.len() / 3];
            return;
        }
        self.measure_difference(input);
        let memory = MAX_MEMORY * smoothing;
        let past_input = self.past_input.par_chunks_exact_mut(3 * width);
        let past_painting = self.past_painting.par_chunks_exact_mut(3 * width);
        let difference = self.difference_blurred.par_chunks_exact(width);
        let now = input.par_chunks_exact(3 * width).zip(painting.par_chunks_exact_mut(3 * width));
        past_input.zip(past_painting).zip(now).zip(difference).for_each(
            |(((past_input, past_painting), (input, painting)), difference)| {
                for (x, difference) in difference.iter().enumerate() {
                    let keep = memory * stillness(*difference);
                    for at in 3 * x..3 * x + 3 {
                        let now = f32::from(input[at]);
                        past_input[at] = now + keep * (past_input[at] - now);
                        painting[at] += keep * (past_painting[at] - painting[at]);
                        past_painting[at] = painting[at];
                    }
                }
            },
        );
    }

    /// Mean absolute difference of the input to its past, over the channels and a 3x3 neighbourhood.
    fn measure_difference(&mut self, input: &[u8]) {
        let width = self.width;
        let rows =
            self.difference.par_chunks_exact_mut(width).zip(self.past_input.par_chunks_exact(3 * width));
        rows.zip(input.par_chunks_exact(3 * width)).for_each(|((row, past), input)| {
            for (x, difference) in row.iter_mut().enumerate() {
                let channels = 3 * x..3 * x + 3;
                let sum: f32 = channels.map(|at| (f32::from(input[at]) - past[at]).abs()).sum();
                *difference = sum / 3.0;
            }
        });
        let sharp = &self.difference;
        let last_y = sharp.len() / width - 1;
        self.difference_blurred.par_chunks_exact_mut(width).enumerate().for_each(|(y, row)| {
            let neighbours = [y.saturating_sub(1), y, (y + 1).min(last_y)];
            for (x, blurred) in row.iter_mut().enumerate() {
                let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
                let sum: f32 = neighbours
                    .iter()
                    .map(|y| columns.map(|x| sharp[y * width + x]).iter().sum::<f32>())
                    .sum();
                *blurred = sum / 9.0;
            }
        });
    }
}

/// 1 for a still pixel, 0 for one that moved, in between in between.
fn stillness(difference: f32) -> f32 {
    ((MOVED - difference) / (MOVED - STILL)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 8;
    const LEN: usize = WIDTH * 8 * 3;

    /// Smooths a sequence of flat (input, painting) values and returns the paintings.
    fn smoothed(smoothing: f32, sequence: &[(u8, f32)]) -> Vec<f32> {
        let mut smoother = Smoother::default();
        let paint = |(input, painting): &(u8, f32)| {
            let mut picture = vec![*painting; LEN];
            smoother.smooth(smoothing, WIDTH, &[*input; LEN], &mut picture);
            assert!(picture.iter().all(|value| *value == picture[0]));
            picture[0]
        };
        sequence.iter().map(paint).collect()
    }

    #[test]
    fn a_boiling_painting_of_a_still_scene_is_steadied() {
        let sequence: Vec<_> =
            (0..200).map(|i| (100 + i % 2, if i % 2 == 0 { 80.0 } else { 120.0 })).collect();
        let spread = |smoothing| {
            let tail = smoothed(smoothing, &sequence).split_off(150);
            tail.iter().copied().fold(f32::MIN, f32::max) - tail.iter().copied().fold(f32::MAX, f32::min)
        };
        assert!(spread(0.5) < 0.5 * 40.0);
        assert!(spread(1.0) < 0.06 * 40.0);
    }

    #[test]
    fn a_change_of_scene_leaves_no_ghost() {
        let paintings = smoothed(1.0, &[(100, 50.0), (100, 50.0), (180, 200.0), (180, 200.0)]);
        assert_eq!(paintings, [50.0, 50.0, 200.0, 200.0]);
    }

    #[test]
    fn a_slow_fade_is_followed() {
        let sequence: Vec<_> = (0..200u8).map(|i| (i, f32::from(i))).collect();
        let lag = 199.0 - smoothed(1.0, &sequence)[199];
        assert!(lag < MOVED, "the painting is {lag} behind");
    }

    #[test]
    fn only_what_moved_is_painted_afresh() {
        let mut smoother = Smoother::default();
        let mut painting = vec![0.0; LEN];
        smoother.smooth(1.0, WIDTH, &[50; LEN], &mut painting);
        let mut input = vec![50; LEN];
        input[..3 * WIDTH * 2].fill(200);
        let mut painting = vec![100.0; LEN];
        smoother.smooth(1.0, WIDTH, &input, &mut painting);
        assert_eq!(painting[0], 100.0);
        assert!(painting[LEN - 1] < 10.0);
    }

    #[test]
    fn a_new_size_starts_afresh() {
        let mut smoother = Smoother::default();
        smoother.smooth(1.0, WIDTH, &[50; LEN], &mut [0.0; LEN]);
        let mut painting = vec![100.0; LEN];
        smoother.smooth(1.0, WIDTH / 2, &[50; LEN], &mut painting);
        assert!(painting.iter().all(|value| *value == 100.0));
    }
    #[test]
    fn a_past_that_was_kept_as_bytes_goes_on_as_if_nothing_had_been() {
        let sequence: Vec<_> = (0..20u8).map(|i| (100 + i % 3, f32::from(i) * 37.0 % 50.0 / 3.0)).collect();
        let straight = smoothed(0.8, &sequence);
        let mut smoother = Smoother::default();
        assert_eq!(smoother.past(), None);
        for (at, (input, painting)) in sequence.iter().enumerate() {
            if at == 11 {
                let bytes = smoother.past().unwrap().to_bytes();
                smoother = Smoother::default();
                smoother.set_past(Past::from_bytes(&bytes).unwrap());
                assert_eq!(Past::from_bytes(&bytes[..bytes.len() - 4]), None);
            }
            let mut picture = vec![*painting; LEN];
            smoother.smooth(0.8, WIDTH, &[*input; LEN], &mut picture);
            assert_eq!(picture[0], straight[at], "picture {at}");
        }
        for bytes in [&[][..], &[0; 8], &[1; 7], &[0; 32]] {
            assert_eq!(Past::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
