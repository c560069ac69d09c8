//! The smallest sound file that every program reads: 16-bit PCM in RIFF/WAVE.

use std::io::{self, Write};

/// Writes stereo samples in -1..1.
pub(crate) fn write_stereo(mut out: impl Write, sample_rate_hz: u32, samples: &[[f32; 2]]) -> io::Result<()> {
    const BYTES_PER_FRAME: u16 = 4;
    let data_bytes = u32::try_from(samples.len() * usize::from(BYTES_PER_FRAME)).map_err(io::Error::other)?;
    out.write_all(b"RIFF")?;
    out.write_all(&(36 + data_bytes).to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16_u32.to_le_bytes())?;
    for field in [1_u16, 2] {
        // PCM, two channels.
        out.write_all(&field.to_le_bytes())?;
    }
    out.write_all(&sample_rate_hz.to_le_bytes())?;
    out.write_all(&(sample_rate_hz * u32::from(BYTES_PER_FRAME)).to_le_bytes())?;
    for field in [BYTES_PER_FRAME, 16] {
        out.write_all(&field.to_le_bytes())?;
    }
    out.write_all(b"data")?;
    out.write_all(&data_bytes.to_le_bytes())?;
    for sample in samples.as_flattened() {
        out.write_all(&((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_states_the_length_and_the_samples_follow() {
        let mut file = Vec::new();
        write_stereo(&mut file, 48_000, &[[0.0, 1.0], [-1.0, 0.5]]).unwrap();
        assert_eq!(file.len(), 44 + 8);
        assert_eq!(file[40..44], 8_u32.to_le_bytes());
        assert_eq!(file[4..8], 44_u32.to_le_bytes());
        assert_eq!(file[46..48], 32_767_i16.to_le_bytes());
    }
}
