//! A microphone's sound, piece by piece as it is heard: brought to the output's clock, and encoded.

use ffmpeg::{
    ChannelLayout, filter,
    format::{Sample, sample::Type},
    frame,
};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use super::{
    adapter::{Adapter, Form},
    encoder::SoundEncoder,
};
use crate::{MediaError, decode::is_again, error::Result, mux::Muxer};

/// Of the track; pieces of another rate are converted.
const RATE_HZ: u32 = 48_000;
/// Sound that is off by more than a millisecond is stretched by up to a fiftieth, which nobody hears. What is off by more
/// than a picture's flash and its click may be apart is moved: silence fills what is missing.
const RESAMPLING: &str = "async=960:min_comp=0.001:min_hard_comp=0.02:first_pts=0:flags=+res";
/// Silence that is filled in at once.
const SILENCE_SAMPLES: i64 = 4800;

/// Sound that comes as it is heard: stereo, without a gap from time zero on.
pub(crate) struct MicrophoneTrack {
    encoder: SoundEncoder,
    graph: filter::Graph,
    form: Form,
    clock: Rational,
    /// For pieces of another rate than the track's.
    adapter: Option<Adapter>,
    adapted: frame::Audio,
    /// Up to where there is sound or silence, on `clock`.
    filled_ticks: i64,
}

impl MicrophoneTrack {
    /// Adds a track for it to the output, whose header is not yet written.
    pub(crate) fn open(muxer: &mut Muxer) -> Result<Self> {
        let codec = muxer.container().sound_codec();
        let encoder = SoundEncoder::open(codec, RATE_HZ, ChannelLayout::STEREO, muxer, &failure)?;
        let form = Form::of(&piece(RATE_HZ, 1));
        let mut graph = form.graph(&encoder.filter_steps(RESAMPLING)).map_err(failure)?;
        encoder.cut(&mut graph);
        let clock = clock(RATE_HZ)?;
        Ok(Self {
            encoder,
            graph,
            form,
            clock,
            adapter: None,
            adapted: frame::Audio::empty(),
            filled_ticks: 0,
        })
    }

    /// Writes a piece of sound that begins at `start`, which may be before time zero: that part is left out.
    pub(crate) fn write(
        &mut self,
        samples: &[(f32, f32)],
        rate_hz: u32,
        start: Timestamp,
        muxer: &mut Muxer,
    ) -> Result<()> {
        let mut sound = piece(rate_hz, samples.len());
        sound.plane_mut::<(f32, f32)>(0).copy_from_slice(samples);
        sound.set_pts(Some(start.rescaled(clock(rate_hz)?).ticks));
        let end = start
            .rescaled(self.clock)
            .ticks
            .saturating_add(samples.len() as i64 * i64::from(RATE_HZ) / i64::from(rate_hz));
        self.filled_ticks = self.filled_ticks.max(end);
        let form = Form::of(&sound);
        if self.adapter.as_ref().is_some_and(|adapter| !adapter.takes(form)) {
            self.end_adapter()?;
        }
        if form == self.form {
            self.send(Some(&sound))?;
        } else {
            let adapter = match &mut self.adapter {
                Some(adapter) => adapter,
                none => none.insert(Adapter::new(form, self.form).map_err(failure)?),
            };
            adapter.send(Some(&sound)).map_err(failure)?;
            self.drain_adapter()?;
        }
        self.encoder.write_from(&mut self.graph, muxer, &failure)
    }

    /// Fills with silence what is missing before `time`, so that the pictures need not wait for it.
    pub(crate) fn fill_until(&mut self, time: Timestamp, muxer: &mut Muxer) -> Result<()> {
        let until = time.rescaled(self.clock).ticks;
        while self.filled_ticks < until {
            let count = (until - self.filled_ticks).min(SILENCE_SAMPLES);
            let mut silence = piece(RATE_HZ, count as usize);
            silence.plane_mut::<(f32, f32)>(0).fill((0.0, 0.0));
            silence.set_pts(Some(self.filled_ticks));
            self.send(Some(&silence))?;
            self.filled_ticks += count;
        }
        self.encoder.write_from(&mut self.graph, muxer, &failure)
    }

    /// Writes what is still on its way.
    pub(crate) fn finish(&mut self, muxer: &mut Muxer) -> Result<()> {
        self.end_adapter()?;
        self.send(None)?;
        self.encoder.write_from(&mut self.graph, muxer, &failure)?;
        self.encoder.finish(muxer, &failure)
    }

    /// Sends a piece of the track's own form to the graph; `None`: no more come.
    fn send(&mut self, sound: Option<&frame::Audio>) -> Result<()> {
        let sent = match (self.graph.get("in"), sound) {
            (Some(mut input), Some(sound)) => input.source().add(sound),
            (Some(mut input), None) => input.source().flush(),
            (None, _) => Err(ffmpeg::Error::FilterNotFound),
        };
        sent.map_err(failure)
    }

    /// Sends what the adapter still holds, and lets it go.
    fn end_adapter(&mut self) -> Result<()> {
        if let Some(adapter) = &mut self.adapter {
            adapter.send(None).map_err(failure)?;
            self.drain_adapter()?;
            self.adapter = None;
        }
        Ok(())
    }

    fn drain_adapter(&mut self) -> Result<()> {
        while let Some(adapter) = &mut self.adapter {
            match adapter.receive(&mut self.adapted) {
                Ok(()) => {
                    let adapted = std::mem::replace(&mut self.adapted, frame::Audio::empty());
                    self.send(Some(&adapted))?;
                }
                Err(error) if is_again(error) || error == ffmpeg::Error::Eof => break,
                Err(error) => return Err(failure(error)),
            }
        }
        Ok(())
    }
}

/// Room for this many samples of a microphone's form.
fn piece(rate_hz: u32, samples: usize) -> frame::Audio {
    let mut piece = frame::Audio::new(Sample::F32(Type::Packed), samples, ChannelLayout::STEREO);
    piece.set_rate(rate_hz);
    piece
}

fn clock(rate_hz: u32) -> Result<Rational> {
    let rate_hz = i32::try_from(rate_hz).ok();
    rate_hz
        .and_then(|rate_hz| Rational::new(1, rate_hz).ok())
        .ok_or_else(|| failure(ffmpeg::Error::InvalidData))
}

fn failure(source: ffmpeg::Error) -> MediaError {
    MediaError::MicrophoneSound { source }
}

#[cfg(test)]
mod tests {
    use ffmpeg::{Packet, codec, format};

    use super::*;
    use crate::{container::Container, partial_file::PartialFile};

    /// Samples that FFmpeg's AAC encoder puts before the first.
    const AAC_PRIMING_SAMPLES: usize = 1024;
    /// Ten pieces a second.
    const PIECE_SECONDS: f64 = 0.1;

    /// A file with what `write` writes to its track, as decoded: left, from time zero on.
    fn decoded(write: impl FnOnce(&mut MicrophoneTrack, &mut Muxer)) -> Vec<f32> {
        crate::init();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.mkv");
        let file = PartialFile::create(&path).unwrap();
        let mut muxer = Muxer::create(&file, Container::Matroska).unwrap();
        let mut track = MicrophoneTrack::open(&mut muxer).unwrap();
        muxer.write_header(Container::Matroska.options()).unwrap();
        write(&mut track, &mut muxer);
        track.finish(&mut muxer).unwrap();
        assert!(muxer.finish().unwrap().is_none());
        file.keep().unwrap();

        let mut input = format::input(&path).unwrap();
        let parameters = input.stream(0).unwrap().parameters();
        let mut context = codec::Context::from_parameters(parameters).unwrap().decoder();
        context.set_packet_time_base(input.stream(0).unwrap().time_base());
        let mut decoder = context.audio().unwrap();
        let (mut samples, mut frame) = (Vec::new(), frame::Audio::empty());
        loop {
            let mut packet = Packet::empty();
            let ended = packet.read(&mut input).is_err();
            if ended { decoder.send_eof() } else { decoder.send_packet(&packet) }.unwrap();
            while decoder.receive_frame(&mut frame).is_ok() {
                samples.extend_from_slice(frame.plane::<f32>(0));
            }
            if ended {
                // Of a file of sound alone, what the encoder needs to get going is its beginning.
                return samples.split_off(AAC_PRIMING_SAMPLES);
            }
        }
    }

    /// A piece of a tone of 1 kHz that sounds in the first fifth of every second.
    fn piece_of_tone(start_seconds: f64, rate_hz: u32) -> Vec<(f32, f32)> {
        let value = |index: u32| {
            let time = start_seconds + f64::from(index) / f64::from(rate_hz);
            let sounds = time >= 0.0 && time.fract() < 0.2;
            if sounds { (time * 1000.0 * std::f64::consts::TAU).sin() as f32 * 0.5 } else { 0.0 }
        };
        (0..(PIECE_SECONDS * f64::from(rate_hz)).round() as u32).map(|index| (value(index), 0.0)).collect()
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::new((seconds * 1e6).round() as i64, Rational::MICROSECONDS)
    }

    fn onsets(samples: &[f32]) -> Vec<f64> {
        let loud = |samples: &[f32]| samples.iter().any(|value| value.abs() > 0.1);
        let blocks: Vec<bool> = samples.chunks(48).map(loud).collect();
        let begins =
            |index: &usize| blocks[*index] && !blocks[index.saturating_sub(200)..*index].contains(&true);
        (0..blocks.len()).filter(begins).map(|index| index as f64 / 1000.0).collect()
    }

    fn assert_onsets(samples: &[f32], expected: &[f64]) {
        let found = onsets(samples);
        assert_eq!(found.len(), expected.len(), "{found:?}, not {expected:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 0.012, "{found}, not {expected}");
        }
    }

    #[test]
    fn pieces_of_any_rate_lie_at_their_times_and_what_is_before_zero_is_left_out() {
        for rate_hz in [48_000, 44_100, 16_000] {
            let samples = decoded(|track, muxer| {
                for index in -5..35 {
                    let start = f64::from(index) * PIECE_SECONDS;
                    track.write(&piece_of_tone(start, rate_hz), rate_hz, at(start), muxer).unwrap();
                }
            });
            assert_onsets(&samples, &[0.0, 1.0, 2.0, 3.0]);
            assert!((samples.len() as f64 / 48_000.0 - 3.5).abs() < 0.1, "{} samples", samples.len());
        }
    }

    #[test]
    fn what_was_lost_is_silence_and_the_rest_stays_in_its_place() {
        let samples = decoded(|track, muxer| {
            for index in 0..40 {
                let start = f64::from(index) * PIECE_SECONDS;
                // Lost: a moment, and a long time that was filled before the sound went on at another rate.
                match index {
                    7 => {}
                    15..35 => track.fill_until(at(start - 0.5), muxer).unwrap(),
                    35.. => track.write(&piece_of_tone(start, 44_100), 44_100, at(start), muxer).unwrap(),
                    _ => track.write(&piece_of_tone(start, 48_000), 48_000, at(start), muxer).unwrap(),
                }
            }
            for index in 40..45 {
                let start = f64::from(index) * PIECE_SECONDS;
                track.write(&piece_of_tone(start, 44_100), 44_100, at(start), muxer).unwrap();
            }
        });
        assert_onsets(&samples, &[0.0, 1.0, 4.0]);
    }

    #[test]
    fn a_clock_that_drifts_is_followed() {
        // A piece of a tenth of a second comes every 100.2 ms.
        let samples = decoded(|track, muxer| {
            for index in 0..200 {
                let true_start = f64::from(index) * PIECE_SECONDS * 1.002;
                let mut tone = piece_of_tone(true_start, 48_000);
                tone.iter_mut().for_each(|value| value.1 = value.0);
                track.write(&tone, 48_000, at(true_start), muxer).unwrap();
            }
        });
        let expected: Vec<f64> = (0..=20).map(f64::from).collect();
        assert_onsets(&samples, &expected);
    }
}
