//! Wide gamut and high dynamic range to what every screen shows: BT.709 primaries, standard dynamic range.
//!
//! Light is counted in nits of a display. Graphics white, 203 nits (ITU-R BT.2408), becomes the white of standard
//! dynamic range. What is brighter is bent below it along the curve of ITU-R BT.2390, section 5.4, which leaves alone
//! what is darker than its knee, 88 nits for a source mastered at 1000.

use ffmpeg::color::{self, Primaries, TransferCharacteristic};
use ffmpeg_next as ffmpeg;

/// Graphics white of high dynamic range, which becomes white.
const WHITE_NITS: f32 = 203.0;
/// The brightest that a source is taken to hold: what nearly all are mastered for.
const PEAK_NITS: f32 = 1000.0;
/// The curve of a display of standard dynamic range (ITU-R BT.1886).
const DISPLAY_GAMMA: f32 = 2.4;
/// Steps from dark to white of the table of that curve; its root makes the steps even to the eye.
const DISPLAY_STEPS: usize = 4096;

/// Linear BT.709 from linear BT.2020 (ITU-R BT.2087, the inverse of its section 4).
const BT709_FROM_BT2020: [[f32; 3]; 3] = [
    [1.660_491, -0.587_641, -0.072_850],
    [-0.124_550, 1.132_9, -0.008_349],
    [-0.018_151, -0.100_579, 1.118_73],
];
/// Luminance of linear BT.2020.
const LUMA_BT2020: [f32; 3] = [0.2627, 0.6780, 0.0593];

/// How code values are to be read as light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    /// Standard dynamic range.
    Display,
    /// SMPTE ST 2084: absolute light.
    Pq,
    /// ITU-R BT.2100's hybrid log-gamma: light of the scene, seen on a display of 1000 nits.
    Hlg,
}

/// What light a stream's RGB stands for, where that is not what screens show anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Light {
    curve: Curve,
    wide: bool,
}

impl Light {
    /// From a picture's tags; `None` where there is nothing to convert. BT.2020's matrix goes with its primaries where
    /// those are not said.
    pub(crate) fn of(
        primaries: Primaries,
        transfer: TransferCharacteristic,
        matrix: color::Space,
    ) -> Option<Self> {
        let curve = match transfer {
            TransferCharacteristic::SMPTE2084 => Curve::Pq,
            TransferCharacteristic::ARIB_STD_B67 => Curve::Hlg,
            _ => Curve::Display,
        };
        let wide = match primaries {
            Primaries::BT2020 => true,
            Primaries::Unspecified => {
                curve != Curve::Display || matches!(matrix, color::Space::BT2020NCL | color::Space::BT2020CL)
            }
            _ => false,
        };
        (wide || curve != Curve::Display).then_some(Self { curve, wide })
    }
}

/// Converts 16-bit RGB to 8-bit RGB that screens show.
pub(crate) struct ToneMapper {
    light: Light,
    /// Light of every code value: of white, or of the scene for hybrid log-gamma.
    linear: Vec<f32>,
    /// Code values of light from 0 to 1, in even steps of the light's root.
    display: Vec<u8>,
}

impl ToneMapper {
    pub(crate) fn new(light: Light) -> Self {
        let linear = |code: u16| {
            let signal = f32::from(code) / f32::from(u16::MAX);
            match light.curve {
                Curve::Display => signal.powf(DISPLAY_GAMMA),
                Curve::Pq => nits_from_pq(signal) / WHITE_NITS,
                Curve::Hlg => scene_from_hlg(signal),
            }
        };
        let display = |step: usize| {
            let root = step as f32 / DISPLAY_STEPS as f32;
            ((root * root).powf(1.0 / DISPLAY_GAMMA) * 255.0).round() as u8
        };
        Self {
            light,
            linear: (0..=u16::MAX).map(linear).collect(),
            display: (0..=DISPLAY_STEPS).map(display).collect(),
        }
    }

    pub(crate) fn light(&self) -> Light {
        self.light
    }

    /// Converts a row of interleaved native-endian 16-bit RGB, 6 bytes a pixel, or RGBA, 8 bytes, which is put over black as
    /// players do: in what is shown, not in light.
    pub(crate) fn convert_row(&self, row: &[u8], pixel_bytes: usize, converted: &mut [u8]) {
        for (code, pixel) in row.chunks_exact(pixel_bytes).zip(converted.chunks_exact_mut(3)) {
            let value = |channel: usize| u16::from_ne_bytes([code[2 * channel], code[2 * channel + 1]]);
            let linear = [0, 1, 2].map(|channel| self.linear[usize::from(value(channel))]);
            let shown = self.shown(linear);
            for (byte, light) in pixel.iter_mut().zip(shown) {
                *byte = self.display[(light.clamp(0.0, 1.0).sqrt() * DISPLAY_STEPS as f32).round() as usize];
            }
            if pixel_bytes == 8 {
                let (alpha, opaque) = (u32::from(value(3)), u32::from(u16::MAX));
                for byte in pixel {
                    // At most 255 * 65535 / 65535.
                    *byte = ((u32::from(*byte) * alpha + opaque / 2) / opaque) as u8;
                }
            }
        }
    }

    /// Light as it leaves the display, 1 being white.
    fn shown(&self, mut light: [f32; 3]) -> [f32; 3] {
        if self.light.curve == Curve::Hlg {
            // The system gamma of a display of 1000 nits.
            let luma = dot(LUMA_BT2020, light);
            let gain = PEAK_NITS / WHITE_NITS * luma.powf(0.2);
            light = light.map(|channel| channel * gain);
        }
        if self.light.curve != Curve::Display {
            let brightest = light.into_iter().fold(0.0, f32::max);
            if brightest > 0.0 {
                // One factor for the three channels keeps the hue.
                let gain = bent(brightest * WHITE_NITS) / (brightest * WHITE_NITS);
                light = light.map(|channel| channel * gain);
            }
        }
        if self.light.wide { BT709_FROM_BT2020.map(|row| dot(row, light)) } else { light }
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.into_iter().zip(b).map(|(a, b)| a * b).sum()
}

/// SMPTE ST 2084's constants.
const M1: f32 = 2610.0 / 16_384.0;
const M2: f32 = 2523.0 / 32.0;
const C1: f32 = 3424.0 / 4096.0;
const C2: f32 = 2413.0 / 128.0;
const C3: f32 = 2392.0 / 128.0;

fn nits_from_pq(signal: f32) -> f32 {
    let power = signal.powf(1.0 / M2);
    10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

fn pq_from_nits(nits: f32) -> f32 {
    let power = (nits / 10_000.0).max(0.0).powf(M1);
    ((C1 + C2 * power) / (1.0 + C3 * power)).powf(M2)
}

/// Light of the scene, from 0 to 1 (ITU-R BT.2100, table 5).
fn scene_from_hlg(signal: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - C) / A).exp() + B) / 12.0 }
}

/// Nits of the source to nits of a display whose brightest is white: BT.2390's curve, without its lift of black.
fn bent(nits: f32) -> f32 {
    let peak = pq_from_nits(PEAK_NITS);
    let brightest = pq_from_nits(WHITE_NITS) / peak;
    let knee = 1.5 * brightest - 0.5;
    let signal = (pq_from_nits(nits) / peak).min(1.0);
    if signal < knee {
        return nits;
    }
    let t = (signal - knee) / (1.0 - knee);
    let (t2, t3) = (t * t, t * t * t);
    let bent = (2.0 * t3 - 3.0 * t2 + 1.0) * knee
        + (t3 - 2.0 * t2 + t) * (1.0 - knee)
        + (-2.0 * t3 + 3.0 * t2) * brightest;
    nits_from_pq(bent * peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PQ: Light = Light { curve: Curve::Pq, wide: true };

    #[test]
    fn pq_has_the_standard_s_values() {
        // Of ITU-R BT.2408, table 1 and annex: 203 nits are 58 %, 1000 are 75 %.
        for (nits, signal) in [(203.0, 0.5807), (1000.0, 0.7518), (10_000.0, 1.0), (0.0, 0.0)] {
            assert!((pq_from_nits(nits) - signal).abs() < 2e-4, "{nits} nits: {}", pq_from_nits(nits));
        }
        for signal in [0.1, 0.5, 0.9] {
            assert!((pq_from_nits(nits_from_pq(signal)) - signal).abs() < 1e-4);
        }
    }

    #[test]
    fn hlg_has_the_standard_s_values() {
        assert!((scene_from_hlg(0.5) - 1.0 / 12.0).abs() < 1e-6);
        assert!((scene_from_hlg(1.0) - 1.0).abs() < 1e-4);
        // BT.2408: graphics white is 75 % of hybrid log-gamma, which is 203 nits on a display of 1000.
        let nits = PEAK_NITS * scene_from_hlg(0.75).powf(1.2);
        assert!((nits - 203.0).abs() < 1.0, "{nits}");
    }

    #[test]
    fn the_bent_curve_leaves_the_dark_rises_and_ends_at_white() {
        for nits in [0.1, 1.0, 50.0, 87.0] {
            assert_eq!(bent(nits), nits);
        }
        let values: Vec<f32> = (0..=100).map(|step| bent(step as f32 * 10.0)).collect();
        // Near the top it is flatter than the numbers are fine.
        assert!(values.windows(2).all(|pair| pair[1] - pair[0] > -0.01));
        assert!((values[100] - WHITE_NITS).abs() < 0.5, "{}", values[100]);
        assert!(values.windows(2).all(|pair| pair[1] - pair[0] <= 10.01), "no steeper than the light itself");
    }

    #[test]
    fn greys_keep_their_place_and_white_is_white() {
        let mapper = ToneMapper::new(PQ);
        let convert = |nits: f32| {
            let code = (pq_from_nits(nits) * 65_535.0).round() as u16;
            let mut pixel = [0; 3];
            mapper.convert_row(&[code; 3].map(u16::to_ne_bytes).concat(), 6, &mut pixel);
            pixel
        };
        for nits in [0.0, 2.0, 20.0, 80.0] {
            let expected = (nits / WHITE_NITS).powf(1.0 / DISPLAY_GAMMA) * 255.0;
            for byte in convert(nits) {
                assert!((f32::from(byte) - expected).abs() <= 1.0, "{nits} nits: {byte}, not {expected}");
            }
        }
        assert_eq!(convert(1000.0), [255; 3]);
        assert_eq!(convert(10_000.0), [255; 3]);
    }

    #[test]
    fn only_what_differs_from_bt709_is_converted() {
        use TransferCharacteristic as Transfer;
        let of = |primaries, transfer, matrix| Light::of(primaries, transfer, matrix);
        assert_eq!(of(Primaries::BT709, Transfer::BT709, color::Space::BT709), None);
        assert_eq!(of(Primaries::Unspecified, Transfer::Unspecified, color::Space::SMPTE170M), None);
        assert_eq!(of(Primaries::BT2020, Transfer::SMPTE2084, color::Space::BT2020NCL), Some(PQ));
        assert_eq!(
            of(Primaries::Unspecified, Transfer::Unspecified, color::Space::BT2020NCL),
            Some(Light { curve: Curve::Display, wide: true })
        );
    }
}
