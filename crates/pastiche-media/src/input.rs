//! Opening a file for reading, and the facts about it that pictures and sound must agree on.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use ffmpeg::{Dictionary, Packet, Stream, format, format::stream::Disposition, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{MediaError, discontinuities, error::Result, raw};

/// Demuxers that take any text or any bytes for a picture of characters, and those of lists, which open other files.
const REFUSED_DEMUXERS: [&str; 10] =
    ["tty", "bin", "xbin", "adf", "idf", "concat", "hls", "dash", "sdp", "imf"];

/// All others, as FFmpeg's option lists them.
static DEMUXERS: LazyLock<String> = LazyLock::new(|| {
    raw::demuxer_names().filter(|name| !REFUSED_DEMUXERS.contains(name)).collect::<Vec<_>>().join(",")
});

/// Opens a media file and finds its streams.
pub(crate) fn open(path: &Path) -> Result<format::context::Input> {
    check_readable(path)?;
    let not_media = |source| MediaError::NotMedia { path: path.to_owned(), source };
    let options = Dictionary::from_iter([("format_whitelist", DEMUXERS.as_str())]);
    let input = format::input_with_dictionary(&ffmpeg_url(path)?, options).map_err(not_media)?;
    if input.nb_streams() == 0 {
        return Err(not_media(ffmpeg::Error::InvalidData));
    }
    Ok(input)
}

/// Tells a missing file from one that cannot be read, before a library flattens both to one code.
pub(crate) fn check_readable(path: &Path) -> Result<()> {
    let unreadable = |source| MediaError::InputUnreadable { path: path.to_owned(), source };
    // Opening a pipe would wait for its other end, and it could be read only once.
    let open = |metadata: Metadata| match metadata {
        metadata if metadata.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        metadata if !metadata.is_file() => Err(io::Error::other("it is no file")),
        _ => File::open(path),
    };
    match fs::metadata(path).and_then(open) {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.len() == 0) => {
            Err(MediaError::InputEmpty { path: path.to_owned() })
        }
        Ok(_) => Ok(()),
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            Err(MediaError::InputMissing { path: path.to_owned(), source })
        }
        Err(source) => Err(unreadable(source)),
    }
}

/// The path as FFmpeg takes it: with its protocol, so that a colon in a file's name is not taken for one.
pub(crate) fn ffmpeg_url(path: &Path) -> Result<PathBuf> {
    let text = path.to_str().ok_or_else(|| MediaError::PathNotUnicode { path: path.to_owned() })?;
    Ok(PathBuf::from(format!("file:{text}")))
}

/// The stream of moving pictures; a cover picture in a sound file is none.
pub(crate) fn video_stream(input: &format::context::Input) -> Option<Stream<'_>> {
    let moving = |stream: &Stream<'_>| {
        stream.parameters().medium() == media::Type::Video
            && !stream.disposition().contains(Disposition::ATTACHED_PIC)
    };
    input.streams().best(media::Type::Video).filter(moving).or_else(|| input.streams().find(moving))
}

/// The sound that players play.
pub(crate) fn audio_stream(input: &format::context::Input) -> Option<Stream<'_>> {
    input.streams().best(media::Type::Audio)
}

/// When the file's first picture or sound starts, whichever is earlier; but zero where one of them starts before it and
/// the other does not, since that is only there to settle a decoder. All times the crate hands out count from here, so
/// that pictures and sound, read by two demuxers, stay in step.
pub(crate) fn origin(input: &format::context::Input) -> Timestamp {
    let starts: Vec<Timestamp> = [video_stream(input), audio_stream(input)]
        .into_iter()
        .flatten()
        .filter(|stream| stream.start_time() != ffmpeg::ffi::AV_NOPTS_VALUE)
        .filter_map(|stream| Some(Timestamp::new(stream.start_time(), rational(stream.time_base())?)))
        .collect();
    let (first, last) = (starts.iter().min(), starts.iter().max());
    match (first, last) {
        (Some(first), Some(last)) if *first < Timestamp::ZERO && *last >= Timestamp::ZERO => Timestamp::ZERO,
        (first, _) => first.copied().unwrap_or(Timestamp::ZERO),
    }
}

/// A part of a file on the clock of one of its streams, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first tick inside.
    pub(crate) start: i64,
    /// The first tick after the end.
    pub(crate) end: Option<i64>,
    /// No later start is asked for: nothing is left out before `start`, not even what an encoder put there.
    pub(crate) from_beginning: bool,
}

impl Window {
    /// `start` and `duration` count from `origin`; both are rounded to the nearest tick, so that a start typed with
    /// a microsecond's precision still hits the frame it means.
    pub(crate) fn new(
        origin: Timestamp,
        start: Option<Duration>,
        duration: Option<Duration>,
        time_base: Rational,
    ) -> Self {
        let ticks = |duration| Timestamp::from_duration(duration).rescaled(time_base).ticks;
        let from_beginning = start.is_none_or(|start| start.is_zero());
        let start = origin.rescaled(time_base).ticks.saturating_add(ticks(start.unwrap_or_default()));
        let end = duration.map(|duration| start.saturating_add(ticks(duration)));
        Self { start, end, from_beginning }
    }
}

/// Tells the demuxer not to read the streams that nobody wants, as far as it can do without.
pub(crate) fn discard_others(input: &mut format::context::Input, is_wanted: impl Fn(usize) -> bool) {
    if discontinuities::may_be_discontinuous(input) {
        return;
    }
    for mut stream in input.streams_mut().filter(|stream| !is_wanted(stream.index())) {
        raw::discard(&mut stream);
    }
}

/// Goes to where reading begins: before `start`, as [`seek_before`] does, or to the beginning.
pub(crate) fn go_to(
    input: &mut format::context::Input,
    stream_index: usize,
    origin: Timestamp,
    start: Option<Duration>,
    path: &Path,
) {
    if let Some(start) = start.filter(|start| !start.is_zero()) {
        seek_before(input, stream_index, origin, start, path);
    } else if discontinuities::may_be_discontinuous(input) {
        // What the log heard when the file was opened, it is to hear again with the packets.
        if let Err(error) = raw::rewind(input) {
            log::info!("no going back in this file ({error}): {}", path.display());
        }
    }
}

/// How much further back than asked to look for a key frame, in turn. Containers without an index, such as MPEG-TS, go to
/// wherever the time is, which may be between two.
const STEPS_BACK: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(6),
    Duration::from_secs(20),
    Duration::from_secs(60),
];
/// How much further still in program streams, which say the time of few of their pictures: behind where reading begins,
/// FFmpeg guesses the others' wrongly until some of those have come.
const PROGRAM_STREAM: &str = "mpeg";
const PROGRAM_STREAM_RUN_UP: Duration = Duration::from_secs(5);
/// Packets in which a key frame must come.
const MAX_PACKETS_TO_KEY_FRAME: usize = 10_000;

/// Goes to a key frame of a stream at or before `start`; where none is found the file is read from its beginning instead,
/// which only takes longer.
fn seek_before(
    input: &mut format::context::Input,
    stream_index: usize,
    origin: Timestamp,
    start: Duration,
    path: &Path,
) {
    let microseconds = |time: Timestamp| time.rescaled(Rational::MICROSECONDS).ticks;
    let target = microseconds(origin).saturating_add(microseconds(Timestamp::from_duration(start)));
    let is_program_stream = input.format().name() == PROGRAM_STREAM;
    let run_up = if is_program_stream { PROGRAM_STREAM_RUN_UP } else { Duration::ZERO };
    for back in STEPS_BACK.map(|back| back + run_up) {
        let wanted = target.saturating_sub(microseconds(Timestamp::from_duration(back)));
        if back > start || input.seek(wanted, ..wanted).is_err() {
            break;
        }
        let found = next_key_frame(input, stream_index);
        if found.is_some_and(|time| microseconds(time) <= target) && input.seek(wanted, ..wanted).is_ok() {
            return;
        }
    }
    // By its time the first key frame may be missed where nothing but times is known of the packets.
    if discontinuities::may_be_discontinuous(input) && raw::rewind(input).is_ok() {
        return;
    }
    let beginning = microseconds(origin);
    if let Err(error) = input.seek(beginning, ..beginning).or_else(|_| input.seek(beginning, ..)) {
        log::info!(
            "no seeking in this file ({error}), so it is read from where it stands: {}",
            path.display()
        );
    }
}

/// When the next key frame of a stream is shown.
fn next_key_frame(input: &mut format::context::Input, stream_index: usize) -> Option<Timestamp> {
    let time_base = rational(input.stream(stream_index)?.time_base())?;
    for _ in 0..MAX_PACKETS_TO_KEY_FRAME {
        let mut packet = Packet::empty();
        packet.read(input).ok()?;
        if packet.stream() == stream_index && packet.is_key() {
            // Where an edit list joins parts, what it hides of the next has the times of what it shows of this one.
            if raw::is_hidden(&packet) {
                return None;
            }
            return packet.pts().or(packet.dts()).map(|ticks| Timestamp::new(ticks, time_base));
        }
    }
    None
}

/// A fraction of FFmpeg's that is positive, as all that are known are.
pub(crate) fn rational(value: ffmpeg::Rational) -> Option<Rational> {
    Rational::new(value.numerator(), value.denominator()).ok()
}

/// The other way round.
pub(crate) fn ffmpeg_rational(value: Rational) -> ffmpeg::Rational {
    ffmpeg::Rational::new(value.numerator(), value.denominator())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_from_the_origin_and_rounds_to_ticks() {
        let time_base = Rational::new(1, 24).unwrap();
        let origin = Timestamp::new(1, Rational::ONE);
        // One frame of 24 a second, cut to whole microseconds, still means frame 1.
        let window =
            Window::new(origin, Some(Duration::from_micros(41_666)), Some(Duration::from_secs(2)), time_base);
        assert_eq!(window, Window { start: 25, end: Some(73), from_beginning: false });
        let whole = Window { start: 24, end: None, from_beginning: true };
        assert_eq!(Window::new(origin, None, None, time_base), whole);
        assert_eq!(Window::new(origin, Some(Duration::ZERO), None, time_base), whole);
    }

    #[test]
    fn a_file_s_name_may_hold_a_colon() {
        assert_eq!(ffmpeg_url(Path::new("a:b.mp4")).unwrap(), Path::new("file:a:b.mp4"));
    }
}
