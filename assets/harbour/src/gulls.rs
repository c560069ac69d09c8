//! Gulls: they glide, beat their wings a few times, and glide again.

use crate::stroke::{Bundle, Stroke};
use crate::vector::{Rgb, Vec3, mix, smoothstep, vec3};

const FEATHERS: Rgb = vec3(1.0, 0.98, 0.96);
const BEAK: Rgb = vec3(0.80, 0.46, 0.08);
const WING_TIPS: Rgb = vec3(0.30, 0.29, 0.30);

struct Gull {
    start: Vec3,
    metres_per_s: Vec3,
    /// Sets it apart from the others in the beat of its wings.
    phase: f32,
}

const GULLS: [Gull; 8] = [
    Gull { start: vec3(-6.5, 8.0, 21.0), metres_per_s: vec3(2.3, 0.16, 0.5), phase: 0.0 },
    Gull { start: vec3(-1.2, 8.6, 24.0), metres_per_s: vec3(2.0, 0.10, 0.4), phase: 1.7 },
    Gull { start: vec3(8.5, 7.6, 27.0), metres_per_s: vec3(-1.9, 0.25, 0.9), phase: 2.9 },
    Gull { start: vec3(-11.0, 11.5, 40.0), metres_per_s: vec3(2.6, -0.10, 0.3), phase: 4.1 },
    Gull { start: vec3(3.0, 14.6, 46.0), metres_per_s: vec3(-2.2, 0.0, 1.0), phase: 0.8 },
    Gull { start: vec3(-4.0, 16.5, 58.0), metres_per_s: vec3(1.6, 0.2, -0.8), phase: 3.3 },
    Gull { start: vec3(-19.0, 9.0, 52.0), metres_per_s: vec3(2.4, 0.1, 0.2), phase: 5.2 },
    Gull { start: vec3(9.0, 19.0, 70.0), metres_per_s: vec3(-2.0, -0.2, 0.4), phase: 2.2 },
];

/// All of them, `time_s` seconds into the clip.
pub(crate) fn gulls(time_s: f32) -> Vec<Bundle> {
    GULLS.iter().map(|gull| gull.at(time_s)).collect()
}

impl Gull {
    fn at(&self, time_s: f32) -> Bundle {
        let beating = smoothstep(-0.2, 0.5, (time_s * 1.1 + self.phase * 2.0).sin());
        let beat = (time_s * 13.5 + self.phase).sin();
        let lift = mix(0.16, 0.55 * beat + 0.15, beating);
        let forward = vec3(self.metres_per_s.x, 0.0, self.metres_per_s.z).normalized();
        let bank = 0.30 * (time_s * 0.8 + self.phase).sin();
        let right = (vec3(forward.z, 0.0, -forward.x) + Vec3::UP * bank).normalized();
        let sway = vec3(0.0, 0.10 * (time_s * 2.0 + self.phase).sin() - 0.06 * beat * beating, 0.0);
        let body = self.start + self.metres_per_s * time_s + sway;
        let mut strokes = vec![
            Stroke::new(body - forward * 0.22, body + forward * 0.10, 0.045, FEATHERS).tapering(0.075),
            Stroke::new(body + forward * 0.10, body + forward * 0.24, 0.070, FEATHERS).tapering(0.045),
            Stroke::new(body + forward * 0.26, body + forward * 0.34, 0.025, BEAK).tapering(0.01),
            Stroke::new(body - forward * 0.20, body - forward * 0.36, 0.04, FEATHERS).tapering(0.065),
        ];
        for side in [1.0, -1.0] {
            let elbow = body + right * (0.40 * side) + Vec3::UP * (0.42 * lift + 0.05) + forward * 0.10;
            let wrist = elbow + right * (0.36 * side) + Vec3::UP * (0.26 * lift - 0.02) - forward * 0.04;
            let tip = wrist + right * (0.32 * side) + Vec3::UP * (0.22 * lift - 0.10) - forward * 0.20;
            strokes.push(Stroke::new(body + forward * 0.08, elbow, 0.075, FEATHERS).tapering(0.065));
            strokes.push(Stroke::new(elbow, wrist, 0.065, FEATHERS).tapering(0.042));
            strokes.push(Stroke::new(wrist, tip, 0.042, WING_TIPS).tapering(0.012));
        }
        Bundle::new(strokes)
    }
}
