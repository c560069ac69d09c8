//! The sound of the evening, made of noise and sines: small waves, gulls, a bell, and a quiet chord below.

use std::f32::consts::TAU;

use crate::noise::Dice;
use crate::vector::{mix, smoothstep};

/// Samples a second.
pub(crate) const SAMPLE_RATE_HZ: u32 = 48_000;
/// Loudest sample of the mix.
const PEAK: f32 = 0.71;

/// Left and right.
type Stereo = Vec<[f32; 2]>;

/// The whole soundtrack, in -1..1.
pub(crate) fn soundtrack(length_s: f32) -> Stereo {
    let mut mix = vec![[0.0; 2]; (length_s * SAMPLE_RATE_HZ as f32).round() as usize];
    add_sea(&mut mix);
    add_chord(&mut mix);
    for (start_s, cries, pan, loudness) in [(0.7, 3, 0.30, 0.16), (2.5, 5, 0.74, 0.11), (4.5, 2, 0.18, 0.09)]
    {
        add_gull(&mut mix, start_s, cries, pan, loudness);
    }
    for (start_s, loudness) in [(1.5, 0.20), (2.0, 0.16), (4.0, 0.18)] {
        add_bell(&mut mix, start_s, loudness);
    }
    add_echo(&mut mix);
    master(&mut mix, length_s);
    mix
}

fn time_s(index: usize) -> f32 {
    index as f32 / SAMPLE_RATE_HZ as f32
}

/// A filter that lets low tones through, and what it remembers.
#[derive(Default)]
struct LowPass(f32);

impl LowPass {
    fn next(&mut self, input: f32, cutoff_hz: f32) -> f32 {
        self.0 += (1.0 - (-TAU * cutoff_hz / SAMPLE_RATE_HZ as f32).exp()) * (input - self.0);
        self.0
    }
}

/// Swells that come and go, and the lapping of little waves against the stones.
fn add_sea(track: &mut Stereo) {
    for (side, seed) in [11, 12].into_iter().enumerate() {
        let mut dice = Dice::new(seed);
        let [mut deep, mut hiss, mut lap_low, mut lap_high] = [(); 4].map(|()| LowPass::default());
        let mut laps = Laps::new(seed);
        for (index, frame) in track.iter_mut().enumerate() {
            let at_s = time_s(index);
            let white = dice.between(-1.0, 1.0);
            let swell = 0.5 + 0.5 * (TAU * at_s / 3.7 + 1.3 * side as f32 - 1.2).sin();
            let body = deep.next(white, mix(210.0, 420.0, swell)) * mix(0.55, 1.25, swell);
            let wash = hiss.next(white, 2600.0) * 0.16 * swell * swell;
            let lap = lap_high.next(white, 1500.0);
            let lap = (lap - lap_low.next(lap, 420.0)) * laps.loudness(at_s);
            frame[side] += 0.36 * body + 0.8 * wash + 0.42 * lap;
        }
    }
}

/// When little waves slap.
struct Laps {
    dice: Dice,
    start_s: f32,
    length_s: f32,
    strength: f32,
}

impl Laps {
    fn new(seed: i32) -> Self {
        Self { dice: Dice::new(seed + 100), start_s: 0.2, length_s: 0.3, strength: 0.6 }
    }

    fn loudness(&mut self, at_s: f32) -> f32 {
        if at_s > self.start_s + self.length_s {
            self.start_s = at_s + self.dice.between(0.05, 0.7);
            self.length_s = self.dice.between(0.14, 0.4);
            self.strength = self.dice.between(0.2, 0.9);
        }
        let part = ((at_s - self.start_s) / self.length_s).clamp(0.0, 1.0);
        self.strength * smoothstep(0.0, 0.2, part) * (1.0 - part).powi(2)
    }
}

/// A soft chord that swells once: D, A, D, F sharp, E.
fn add_chord(track: &mut Stereo) {
    for (voice, tone_hz) in [146.83, 220.0, 293.66, 369.99, 659.26].into_iter().enumerate() {
        let pan = 0.25 + 0.125 * voice as f32;
        let (enter_s, level) = (0.15 + 0.35 * voice as f32, 0.040 / (1.0 + 0.35 * voice as f32));
        for (index, frame) in track.iter_mut().enumerate() {
            let at_s = time_s(index);
            let swell = smoothstep(enter_s, enter_s + 1.8, at_s);
            let beat = 1.0 + 0.25 * (TAU * (0.31 + 0.07 * voice as f32) * at_s).sin();
            // Two strings slightly out of tune, each with a little of its octave.
            let string = |detune: f32| {
                let turn = TAU * tone_hz * detune * at_s;
                turn.sin() + 0.22 * (2.0 * turn).sin() + 0.06 * (3.0 * turn).sin()
            };
            let tone = level * swell * beat * (string(0.9985) + string(1.0016));
            frame[0] += tone * (1.0 - pan);
            frame[1] += tone * pan;
        }
    }
}

/// A few cries, each a tone that leaps up and falls away.
fn add_gull(track: &mut Stereo, start_s: f32, cries: i32, pan: f32, loudness: f32) {
    let mut dice = Dice::new((start_s * 1000.0) as i32);
    let mut start_s = start_s;
    for cry in 0..cries {
        let length_s = dice.between(0.20, 0.30) * if cry == 0 { 1.5 } else { 1.0 };
        let (low_hz, high_hz) = (dice.between(760.0, 860.0), dice.between(1250.0, 1420.0));
        let loudness = loudness * (1.0 - 0.12 * cry as f32);
        let first = (start_s * SAMPLE_RATE_HZ as f32) as usize;
        let samples = (length_s * SAMPLE_RATE_HZ as f32) as usize;
        let mut turn = 0.0;
        for (index, frame) in track.iter_mut().skip(first).take(samples).enumerate() {
            let part = index as f32 / samples as f32;
            let pitch_hz = mix(low_hz, high_hz, smoothstep(0.0, 0.28, part))
                * mix(1.0, 0.74, smoothstep(0.35, 1.0, part))
                * (1.0 + 0.012 * (TAU * 31.0 * time_s(index)).sin());
            turn += TAU * pitch_hz / SAMPLE_RATE_HZ as f32;
            let voice = turn.sin()
                + 0.55 * (2.0 * turn).sin()
                + 0.30 * (3.0 * turn).sin()
                + 0.12 * (4.0 * turn).sin();
            let shape = smoothstep(0.0, 0.12, part) * smoothstep(1.0, 0.55, part);
            let cry = 0.5 * loudness * shape * voice;
            frame[0] += cry * (1.0 - pan);
            frame[1] += cry * pan;
        }
        start_s += length_s + dice.between(0.07, 0.14);
    }
}

/// A ship's bell over the water: partials that are no multiples of one another, the high ones gone first.
fn add_bell(track: &mut Stereo, start_s: f32, loudness: f32) {
    const PARTIALS: [(f32, f32, f32); 6] = [
        (0.5, 0.35, 2.6),
        (1.0, 1.0, 2.2),
        (1.19, 0.55, 1.7),
        (1.51, 0.40, 1.3),
        (2.0, 0.50, 1.0),
        (2.75, 0.28, 0.55),
    ];
    let first = (start_s * SAMPLE_RATE_HZ as f32) as usize;
    for (index, frame) in track.iter_mut().skip(first).enumerate() {
        let since_s = time_s(index);
        let ring: f32 = PARTIALS
            .iter()
            .map(|(ratio, level, decay_s)| {
                level * (-2.5 * since_s / decay_s).exp() * (TAU * 880.0 * ratio * since_s).sin()
            })
            .sum();
        let tone = 0.4 * loudness * ring * smoothstep(0.0, 0.004, since_s);
        frame[0] += 0.42 * tone;
        frame[1] += 0.58 * tone;
    }
}

/// What comes back from the fronts of the houses: a few echoes that cross from side to side and lose their treble.
fn add_echo(track: &mut Stereo) {
    for (delay_s, level) in [(0.043, 0.24), (0.089, 0.20), (0.167, 0.16), (0.291, 0.12)] {
        let delay = (delay_s * SAMPLE_RATE_HZ as f32) as usize;
        let mut duller = [LowPass::default(), LowPass::default()];
        for index in delay..track.len() {
            let from = track[index - delay];
            for side in 0..2 {
                track[index][side] += level * duller[side].next(from[1 - side], 2200.0);
            }
        }
    }
}

/// Fades in and out, and sets the loudness.
fn master(track: &mut Stereo, length_s: f32) {
    for (index, frame) in track.iter_mut().enumerate() {
        let at_s = time_s(index);
        let fade = smoothstep(0.0, 0.5, at_s) * smoothstep(length_s, length_s - 0.9, at_s);
        *frame = frame.map(|sample| sample * fade);
    }
    let loudest = track.as_flattened().iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    for sample in track.as_flattened_mut() {
        *sample *= PEAK / loudest.max(1e-6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sound_is_stereo_neither_silent_nor_clipped_and_fades() {
        let track = soundtrack(6.0);
        assert_eq!(track.len(), 288_000);
        let samples = track.as_flattened();
        assert!(samples.iter().all(|sample| sample.abs() <= PEAK + 1e-4));
        let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
        assert!(power.sqrt() > 0.04, "root mean square {}", power.sqrt());
        assert!(track.iter().any(|[left, right]| (left - right).abs() > 0.02));
        let edge = |frame: &[f32; 2]| frame.iter().all(|sample| sample.abs() < 1e-3);
        assert!(track.first().is_some_and(edge) && track.last().is_some_and(edge));
    }
}
