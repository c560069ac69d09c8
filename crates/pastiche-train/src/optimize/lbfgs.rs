//! L-BFGS within bounds (Nocedal and Wright 2006, algorithms 7.4 and 7.5, with each step projected onto the bounds).

use std::collections::VecDeque;

/// Pairs that the curvature is estimated from.
const HISTORY: usize = 10;
/// A step must bring this part of what its slope promises (Armijo).
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// Times that a step is halved before the direction is given up.
const MAX_HALVINGS: usize = 20;

/// The value and the gradient at a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Valued {
    pub(super) value: f64,
    pub(super) gradient: Vec<f32>,
}

/// Minimises a function of many variables, each between the same two bounds.
#[derive(Debug)]
pub(super) struct Lbfgs {
    bounds: [f32; 2],
    /// How far the first step moves the variable that moves most.
    first_step: f32,
    point: Vec<f32>,
    at: Valued,
    pairs: VecDeque<Pair>,
}

/// A step, the change of the gradient along it, and one over their product.
#[derive(Debug)]
struct Pair {
    step: Vec<f32>,
    change: Vec<f32>,
    rho: f64,
}

impl Lbfgs {
    /// Starts at a point, which is projected onto the bounds.
    pub(super) fn new<E>(
        mut point: Vec<f32>,
        bounds: [f32; 2],
        first_step: f32,
        function: &mut impl FnMut(&[f32]) -> Result<Valued, E>,
    ) -> Result<Self, E> {
        project(&mut point, bounds);
        let at = function(&point)?;
        Ok(Self { bounds, first_step, point, at, pairs: VecDeque::new() })
    }

    /// Where it is.
    pub(super) fn point(&self) -> &[f32] {
        &self.point
    }

    /// The function there.
    pub(super) fn value(&self) -> f64 {
        self.at.value
    }

    /// Goes one step down. False where no step leads down any more.
    pub(super) fn iterate<E>(
        &mut self,
        function: &mut impl FnMut(&[f32]) -> Result<Valued, E>,
    ) -> Result<bool, E> {
        loop {
            let direction = self.direction();
            if let Some((point, at)) = self.search(&direction, function)? {
                self.remember(&point, &at);
                (self.point, self.at) = (point, at);
                return Ok(true);
            }
            // A poor estimate of the curvature may be to blame; without one the direction is straight down.
            if self.pairs.is_empty() {
                return Ok(false);
            }
            self.pairs.clear();
        }
    }

    /// Down, by the estimated curvature; variables that press against a bound stay.
    fn direction(&self) -> Vec<f32> {
        let mut direction: Vec<f32> = self.at.gradient.iter().map(|gradient| -gradient).collect();
        self.hold_at_bounds(&mut direction);
        let mut shares = Vec::new();
        for pair in self.pairs.iter().rev() {
            let share = pair.rho * dot(&pair.step, &direction);
            add(&mut direction, -share, &pair.change);
            shares.push(share);
        }
        if let Some(last) = self.pairs.back() {
            scale(&mut direction, 1.0 / (last.rho * dot(&last.change, &last.change)));
        } else {
            let largest = direction.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            scale(&mut direction, f64::from(self.first_step / largest.max(f32::MIN_POSITIVE)));
        }
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let correction = share - pair.rho * dot(&pair.change, &direction);
            add(&mut direction, correction, &pair.step);
        }
        self.hold_at_bounds(&mut direction);
        direction
    }

    fn hold_at_bounds(&self, direction: &mut [f32]) {
        let [least, most] = self.bounds;
        for (direction, at) in direction.iter_mut().zip(&self.point) {
            if (*at <= least && *direction < 0.0) || (*at >= most && *direction > 0.0) {
                *direction = 0.0;
            }
        }
    }

    /// The first of ever shorter steps that goes down enough.
    fn search<E>(
        &self,
        direction: &[f32],
        function: &mut impl FnMut(&[f32]) -> Result<Valued, E>,
    ) -> Result<Option<(Vec<f32>, Valued)>, E> {
        let mut length = 1.0f32;
        for _ in 0..MAX_HALVINGS {
            let mut point: Vec<f32> =
                self.point.iter().zip(direction).map(|(at, direction)| at + length * direction).collect();
            project(&mut point, self.bounds);
            let slope: f64 = (self.point.iter().zip(&point).zip(&self.at.gradient))
                .map(|((from, to), gradient)| f64::from(to - from) * f64::from(*gradient))
                .sum();
            if slope >= 0.0 {
                return Ok(None);
            }
            let at = function(&point)?;
            if at.value <= self.at.value + SUFFICIENT_DECREASE * slope {
                return Ok(Some((point, at)));
            }
            length /= 2.0;
        }
        Ok(None)
    }

    fn remember(&mut self, point: &[f32], at: &Valued) {
        let difference = |to: &[f32], from: &[f32]| to.iter().zip(from).map(|(to, from)| to - from).collect();
        let step: Vec<f32> = difference(point, &self.point);
        let change: Vec<f32> = difference(&at.gradient, &self.at.gradient);
        let product = dot(&step, &change);
        // Only where the function curves upwards does the pair say something of use.
        if product > 1e-10 * dot(&change, &change) {
            if self.pairs.len() == HISTORY {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { step, change, rho: 1.0 / product });
        }
    }
}

fn project(point: &mut [f32], [least, most]: [f32; 2]) {
    for value in point {
        *value = value.clamp(least, most);
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn add(to: &mut [f32], factor: f64, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor as f32 * from;
    }
}

fn scale(values: &mut [f32], factor: f64) {
    for value in values {
        *value *= factor as f32;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Rosenbrock's valley, with its lowest point at (1, 1).
    fn valley(point: &[f32]) -> Result<Valued, Infallible> {
        let (x, y) = (f64::from(point[0]), f64::from(point[1]));
        let value = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let gradient =
            vec![(-2.0 * (1.0 - x) - 400.0 * x * (y - x * x)) as f32, (200.0 * (y - x * x)) as f32];
        Ok(Valued { value, gradient })
    }

    fn minimise(bounds: [f32; 2]) -> Lbfgs {
        let mut lbfgs = Lbfgs::new(vec![-1.2, 1.0], bounds, 0.1, &mut valley).unwrap();
        let mut last = lbfgs.value();
        for _ in 0..100 {
            if !lbfgs.iterate(&mut valley).unwrap() {
                break;
            }
            assert!(lbfgs.value() <= last);
            last = lbfgs.value();
        }
        lbfgs
    }

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        let lbfgs = minimise([-10.0, 10.0]);
        assert!(lbfgs.value() < 1e-6, "{}", lbfgs.value());
        assert!(lbfgs.point().iter().all(|x| (x - 1.0).abs() < 1e-2), "{:?}", lbfgs.point());
    }

    #[test]
    fn bounds_hold_and_the_lowest_point_within_them_is_found() {
        // With x at most 0.5 the lowest point is (0.5, 0.25).
        let lbfgs = minimise([-2.0, 0.5]);
        assert!((lbfgs.point()[0] - 0.5).abs() < 1e-3, "{:?}", lbfgs.point());
        assert!((lbfgs.point()[1] - 0.25).abs() < 1e-2, "{:?}", lbfgs.point());
    }
}
