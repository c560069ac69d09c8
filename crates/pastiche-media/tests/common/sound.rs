//! Sound fixtures and measurements.

use std::path::Path;

use ffmpeg::{Packet, codec, format, frame, media};
use ffmpeg_next as ffmpeg;

/// How long a click sounds.
const CLICK_SECONDS: f64 = 0.05;

/// A WAV file of 16-bit samples: silence with a click of 1 kHz at every whole second, the first at 1 s.
pub(crate) fn write_wav(path: &Path, seconds: f64, rate_hz: u32, channels: u16) {
    const PCM: u16 = 1;
    let samples = (seconds * f64::from(rate_hz)).round() as u32;
    let data = (0..samples).flat_map(|i| {
        let time = f64::from(i) / f64::from(rate_hz);
        let clicking = time >= 1.0 && time.fract() < CLICK_SECONDS;
        let wave = (time * 1000.0 * std::f64::consts::TAU).sin() * 20_000.0;
        let sample = if clicking { wave as i16 } else { 0 };
        sample.to_le_bytes().repeat(usize::from(channels))
    });
    write_wav_of(path, PCM, &data.collect::<Vec<u8>>(), rate_hz, channels, 2);
}

/// A WAV file of one channel of 32-bit floating point samples, whatever they are.
pub(crate) fn write_float_wav(path: &Path, samples: impl Iterator<Item = f32>, rate_hz: u32) {
    const FLOATING_POINT: u16 = 3;
    let data: Vec<u8> = samples.flat_map(f32::to_le_bytes).collect();
    write_wav_of(path, FLOATING_POINT, &data, rate_hz, 1, 4);
}

fn write_wav_of(path: &Path, coding: u16, data: &[u8], rate_hz: u32, channels: u16, sample_bytes: u16) {
    let frame_bytes = channels * sample_bytes;
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend(b"RIFF");
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(coding.to_le_bytes());
    wav.extend(channels.to_le_bytes());
    wav.extend(rate_hz.to_le_bytes());
    wav.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    wav.extend(frame_bytes.to_le_bytes());
    wav.extend((sample_bytes * 8).to_le_bytes());
    wav.extend(b"data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    std::fs::write(path, wav).unwrap();
}

/// Time in seconds and contents of every packet of the file's sound.
pub(crate) fn packets(path: &Path) -> Vec<(f64, Vec<u8>)> {
    let mut input = format::input(path).unwrap();
    let stream = input.streams().best(media::Type::Audio).unwrap();
    let (index, time_base) = (stream.index(), f64::from(stream.time_base()));
    let mut packets = Vec::new();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            return packets;
        }
        if packet.stream() == index {
            packets.push((packet.pts().unwrap() as f64 * time_base, packet.data().unwrap().to_vec()));
        }
    }
}

/// Decoded sound: its rate, and the first channel placed at its times, silent where nothing is.
pub(crate) struct Sound {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u16,
    pub(crate) samples: Vec<f32>,
}

impl Sound {
    pub(crate) fn read(path: &Path) -> Self {
        let mut input = format::input(path).unwrap();
        let stream = input.streams().best(media::Type::Audio).unwrap();
        let (index, time_base) = (stream.index(), f64::from(stream.time_base()));
        let mut context = codec::Context::from_parameters(stream.parameters()).unwrap().decoder();
        context.set_packet_time_base(stream.time_base());
        let mut decoder = context.audio().unwrap();
        let mut sound = Self { rate_hz: decoder.rate(), channels: decoder.channels(), samples: Vec::new() };
        loop {
            let mut packet = Packet::empty();
            let ended = packet.read(&mut input).is_err();
            if ended {
                decoder.send_eof().unwrap();
            } else if packet.stream() == index {
                decoder.send_packet(&packet).unwrap();
            }
            let mut decoded = frame::Audio::empty();
            while decoder.receive_frame(&mut decoded).is_ok() {
                let at = decoded.timestamp().unwrap() as f64 * time_base * f64::from(sound.rate_hz);
                sound.place(at.round() as i64, decoded.plane::<f32>(0));
            }
            if ended {
                return sound;
            }
        }
    }

    fn place(&mut self, at: i64, samples: &[f32]) {
        for (i, &sample) in samples.iter().enumerate() {
            if let Ok(index) = usize::try_from(at + i as i64) {
                if self.samples.len() <= index {
                    self.samples.resize(index + 1, 0.0);
                }
                self.samples[index] = sample;
            }
        }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate_hz)
    }

    /// The root of the mean square between two times in seconds.
    pub(crate) fn loudness(&self, from: f64, to: f64) -> f64 {
        let index = |seconds: f64| ((seconds * f64::from(self.rate_hz)) as usize).min(self.samples.len());
        let samples = &self.samples[index(from)..index(to)];
        let squares: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (squares / samples.len().max(1) as f64).sqrt()
    }

    /// When the clicks start, in seconds.
    pub(crate) fn clicks(&self) -> Vec<f64> {
        let mut clicks: Vec<f64> = Vec::new();
        for (i, sample) in self.samples.iter().enumerate() {
            let time = i as f64 / f64::from(self.rate_hz);
            if sample.abs() > 0.2 && clicks.last().is_none_or(|last| time - last > 0.5) {
                clicks.push(time);
            }
        }
        clicks
    }
}
