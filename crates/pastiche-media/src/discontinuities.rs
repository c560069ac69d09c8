//! Recordings that are made of several, end to end, each of which counts time from its own beginning: `cat a.ts b.ts`, or a
//! broadcast into which another was cut.

use ffmpeg::{Packet, format::context::Input, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{demuxer_log::CorruptPacket, input};

/// The container whose files can be joined like that.
const DEMUXER: &str = "mpegts";
/// A stream that steps back or forward by more goes on in another part. FFmpeg's own program takes the same limits.
const MAX_BACK_MICROS: i64 = 100_000;
const MAX_FORWARD_MICROS: i64 = 10_000_000;
/// A smaller step is none, where it is not told how long a packet lasts.
const UNKNOWN_DURATION_MICROS: i64 = 100_000;
/// Packets in which that one comes of which some may be missing, or the gap behind it: the parsers hold some back.
const JUDGED_PICTURES: u32 = 4;
const JUDGED_SOUND: u32 = 40;

/// Puts the parts of a recording one behind the other, and tells where they meet from where something is lost: both show
/// as a step in the packets' numbers.
#[derive(Debug)]
pub(crate) struct Discontinuities {
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
    suspect: Option<Suspect>,
    losses: u64,
}

/// A packet of which some may be missing, or behind which another part begins.
#[derive(Debug)]
struct Suspect {
    dts_ticks: Option<i64>,
    has_come: bool,
    /// Packets that may still show which.
    packets_left: u32,
}

/// Whether the file may be several, end to end. Where one ends shows in all its streams, so that all have to be read.
pub(crate) fn may_be_discontinuous(input: &Input) -> bool {
    input.format().name() == DEMUXER
}

impl Discontinuities {
    /// None where the container's files cannot be joined.
    pub(crate) fn of(input: &Input) -> Option<Self> {
        if !may_be_discontinuous(input) {
            return None;
        }
        let streams = input.streams().map(|stream| StreamTimes {
            medium: stream.parameters().medium(),
            time_base: input::rational(stream.time_base()).unwrap_or(Rational::MICROSECONDS),
            shift_micros: 0,
            next_micros: None,
            suspect: None,
            losses: 0,
        });
        Some(Self { streams: streams.collect(), shift_micros: 0 })
    }

    /// Notes a packet of which some may be missing, before it comes.
    pub(crate) fn note_corrupt(&mut self, packet: CorruptPacket) {
        let Some(times) = self.streams.get_mut(packet.stream) else { return };
        times.losses += times.open_losses();
        let packets_left = if times.is_video() { JUDGED_PICTURES } else { JUDGED_SOUND };
        times.suspect = Some(Suspect { dts_ticks: packet.dts_ticks, has_come: false, packets_left });
    }

    /// How much was lost of a stream.
    pub(crate) fn losses(&self, stream: usize) -> u64 {
        self.streams.get(stream).map_or(0, |times| times.losses + times.open_losses())
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
                times.judge(packet, jumps, step(times.shift_micros), duration_micros);
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
    fn is_video(&self) -> bool {
        self.medium == media::Type::Video
    }

    /// A picture is damaged unless what follows shows that it is not; sound is not, unless a gap follows.
    fn open_losses(&self) -> u64 {
        u64::from(self.suspect.is_some() && self.is_video())
    }

    /// Whether anything is missing of the suspect, by what follows it. `packet` has the time that the file gives it.
    fn judge(&mut self, packet: &Packet, jumps: bool, step_micros: i64, duration_micros: i64) {
        let is_video = self.is_video();
        let Some(suspect) = &mut self.suspect else { return };
        let limit = if duration_micros > 0 { duration_micros / 2 } else { UNKNOWN_DURATION_MICROS };
        let is_gap = step_micros > limit;
        // Another part begins at once, with a picture that needs no other.
        let is_another = jumps || (is_video && suspect.has_come && packet.is_key() && !is_gap);
        suspect.packets_left -= 1;
        let is_lost = is_gap || (is_video && (suspect.has_come || suspect.packets_left == 0));
        suspect.has_come |= packet.dts() == suspect.dts_ticks;
        if !is_another && is_lost {
            self.losses += 1;
        }
        if is_another || is_lost || suspect.packets_left == 0 {
            self.suspect = None;
        }
    }
}
