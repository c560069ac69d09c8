//! Recordings that are made of several, end to end, each of which counts time from its own beginning: `cat a.ts b.ts`, or a
//! broadcast into which another was cut.

use ffmpeg::{Packet, format::context::Input, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::input;

/// The container whose files can be joined like that.
const DEMUXER: &str = "mpegts";
/// A stream that steps back or forward by more goes on in another part. FFmpeg's own program takes the same limits.
const MAX_BACK_MICROS: i64 = 100_000;
const MAX_FORWARD_MICROS: i64 = 10_000_000;
/// A smaller step is none, where it is not told how long a packet lasts.
const UNKNOWN_DURATION_MICROS: i64 = 100_000;
/// Packets of pictures, and of sound, of which one shows whether anything was lost: the parsers hold some back.
const JUDGED_PICTURES: u32 = 3;
const JUDGED_SOUND: u32 = 40;

/// Puts the parts of a recording one behind the other, and tells where they meet from where something is lost: both show
/// as a step in the packets' numbers.
#[derive(Debug)]
pub(crate) struct Joins {
    streams: Vec<StreamTimes>,
    /// Of the part that was begun last: what is added to its times.
    shift_micros: i64,
}

#[derive(Debug)]
struct StreamTimes {
    medium: media::Type,
    time_base: Rational,
    shift_micros: i64,
    /// When the next packet should come, in the whole.
    next_micros: Option<i64>,
    /// Packets that may still show what a step in the numbers means.
    judged: u32,
    losses: u64,
}

/// Whether the file may be several, end to end. Where one ends shows in all its streams, so that all have to be read.
pub(crate) fn may_be_joined(input: &Input) -> bool {
    input.format().name() == DEMUXER
}

impl Joins {
    /// None where the container's files cannot be joined.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        if !may_be_joined(input) {
            return None;
        }
        let streams = input.streams().map(|stream| StreamTimes {
            medium: stream.parameters().medium(),
            time_base: input::rational(stream.time_base()).unwrap_or(Rational::MICROSECONDS),
            shift_micros: 0,
            next_micros: None,
            judged: 0,
            losses: 0,
        });
        Some(Self { streams: streams.collect(), shift_micros: 0 })
    }

    /// Notes that a packet of this stream comes of which some may be missing.
    pub(crate) fn note_corrupt(&mut self, stream: usize) {
        if let Some(times) = self.streams.get_mut(stream) {
            times.losses += u64::from(times.judged > 0 && times.medium == media::Type::Video);
            times.judged = if times.medium == media::Type::Video { JUDGED_PICTURES } else { JUDGED_SOUND };
        }
    }

    /// How much was lost of a stream.
    pub(crate) fn losses(&self, stream: usize) -> u64 {
        self.streams.get(stream).map_or(0, |times| {
            times.losses + u64::from(times.judged > 0 && times.medium == media::Type::Video)
        })
    }

    /// Moves a packet to its time in the whole.
    pub(crate) fn place(&mut self, packet: &mut Packet) {
        let Some(times) = self.streams.get_mut(packet.stream()) else { return };
        let micros = |ticks| Timestamp::new(ticks, times.time_base).rescaled(Rational::MICROSECONDS).ticks;
        let dts_micros = packet.dts().map(micros);
        let duration_micros = micros(packet.duration().max(0));
        let is_steady = matches!(times.medium, media::Type::Video | media::Type::Audio);
        match (dts_micros, times.next_micros) {
            (Some(dts), Some(next)) if is_steady => {
                let step = |shift: i64| dts.saturating_add(shift).saturating_sub(next);
                let goes_on = |shift| (-MAX_BACK_MICROS..=MAX_FORWARD_MICROS).contains(&step(shift));
                let jumps = !goes_on(times.shift_micros);
                if jumps {
                    // Another stream may have come to the same part before.
                    let begun = Some(self.shift_micros).filter(|shift| goes_on(*shift));
                    times.shift_micros = begun.unwrap_or_else(|| next.saturating_sub(dts));
                    self.shift_micros = times.shift_micros;
                }
                times.judge(jumps, packet.is_key(), step(times.shift_micros), duration_micros);
            }
            _ => times.shift_micros = self.shift_micros,
        }
        if let Some(dts) = dts_micros {
            times.next_micros = Some(dts.saturating_add(times.shift_micros).saturating_add(duration_micros));
        }
        let shift =
            Timestamp::new(times.shift_micros, Rational::MICROSECONDS).rescaled(times.time_base).ticks;
        packet.set_dts(packet.dts().map(|ticks| ticks.saturating_add(shift)));
        packet.set_pts(packet.pts().map(|ticks| ticks.saturating_add(shift)));
    }
}

impl StreamTimes {
    /// What a step in the numbers means, by what follows it.
    fn judge(&mut self, jumps: bool, is_key: bool, step_micros: i64, duration_micros: i64) {
        if self.judged == 0 {
            return;
        }
        let limit = if duration_micros > 0 { duration_micros / 2 } else { UNKNOWN_DURATION_MICROS };
        let is_gap = step_micros > limit;
        self.judged -= 1;
        if self.medium == media::Type::Video {
            // Another part begins with a picture that needs no other, at once.
            if jumps || (is_key && !is_gap) {
                self.judged = 0;
            } else if self.judged == 0 {
                self.losses += 1;
            }
        } else if jumps {
            self.judged = 0;
        } else if is_gap {
            self.judged = 0;
            self.losses += 1;
        }
    }
}
