//! What a viewer may change between two frames.

/// How the painting is mixed with what the camera sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Controls {
    /// 0 shows the input, 1 the painting.
    pub strength: f32,
    /// Keeps the input's colours under the painting's brush strokes.
    pub keep_colors: bool,
    /// 0 paints every frame afresh; towards 1, still parts of the picture keep more of what they were.
    pub smoothing: f32,
}

impl Default for Controls {
    fn default() -> Self {
        Self { strength: 1.0, keep_colors: false, smoothing: 0.0 }
    }
}

/// A control outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{name} is {value}; it goes from 0 to 1")]
pub struct ControlsError {
    /// Which control.
    pub name: &'static str,
    /// What it was to be.
    pub value: f32,
}

impl Controls {
    /// The controls, where all are within their ranges.
    ///
    /// # Errors
    /// Strength or smoothing is not from 0 to 1.
    pub fn validate(self) -> Result<Self, ControlsError> {
        for (name, value) in [("strength", self.strength), ("smoothing", self.smoothing)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(ControlsError { name, value });
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_0_to_1_are_refused() {
        for value in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            let strength = Controls { strength: value, ..Controls::default() };
            assert_eq!(strength.validate().unwrap_err().name, "strength");
            let smoothing = Controls { smoothing: value, ..Controls::default() };
            assert_eq!(smoothing.validate().unwrap_err().name, "smoothing");
        }
        let edges = Controls { strength: 0.0, smoothing: 1.0, keep_colors: true };
        assert_eq!(edges.validate(), Ok(edges));
    }
}
