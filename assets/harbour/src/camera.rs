//! Where the viewer stands, and which way each pixel looks.

use crate::vector::{Ray, smoothstep, vec3};

/// Length of the clip.
pub(crate) const CLIP_S: f32 = 6.0;
/// Half the picture's width, one metre in front of the eye.
const HALF_WIDTH: f32 = 0.52;
/// The horizon's height in the picture, from the top; off the middle by a shifted lens, so that verticals stay upright.
const HORIZON: f32 = 0.465;

/// The viewer at one moment.
pub(crate) struct Camera {
    width: f32,
    height: f32,
    time_s: f32,
}

impl Camera {
    pub(crate) const fn new(width: u32, height: u32, time_s: f32) -> Self {
        Self { width: width as f32, height: height as f32, time_s }
    }

    /// How wide a pixel is, one metre in front of the eye.
    pub(crate) const fn pixel_angle(&self) -> f32 {
        2.0 * HALF_WIDTH / self.width
    }

    /// The ray through a place in the picture, in pixels from its upper left corner.
    pub(crate) fn ray(&self, x: f32, y: f32) -> Ray {
        let drift = smoothstep(-2.0, CLIP_S + 2.0, self.time_s);
        let origin = vec3(-1.6 + 3.0 * drift, 4.3 + 0.15 * drift, -0.5 + 1.8 * drift);
        let across = (x - 0.5 * self.width) * self.pixel_angle();
        let up = (HORIZON * self.height - y) * self.pixel_angle();
        Ray { origin, direction: vec3(across, up, 1.0).normalized() }
    }
}
