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
