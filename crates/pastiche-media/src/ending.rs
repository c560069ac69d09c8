//! Telling a file that breaks off from one that is whole.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use ffmpeg::{Stream, format};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::raw;

/// How much less than it says a file may hold before it counts as cut short.
const END_SLACK: Duration = Duration::from_millis(250);
/// More than a page of Ogg, which has 65,307 bytes at most.
const TAIL_BYTES: u64 = 128 << 10;
/// The lengths of MPEG-TS's packets: bare, with a time in front, with a checksum behind.
const TS_PACKET_BYTES: [u64; 3] = [188, 192, 204];

/// When a stream ends by what the file says of this stream itself, in its ticks.
pub(crate) fn stream_end_ticks(stream: &Stream<'_>) -> Option<i64> {
    let start = Some(stream.start_time()).filter(|ticks| *ticks != ffmpeg::ffi::AV_NOPTS_VALUE)?;
    Some(stream.duration()).filter(|ticks| *ticks > 0).and_then(|ticks| start.checked_add(ticks))
}

/// When the last of a file's streams ends by what the file says, in microseconds.
pub(crate) fn file_end_micros(input: &format::context::Input) -> Option<i64> {
    if raw::is_duration_guessed(input) {
        return None;
    }
    let start = Some(raw::start_time_micros(input)).filter(|ticks| *ticks != ffmpeg::ffi::AV_NOPTS_VALUE)?;
    Some(input.duration()).filter(|micros| *micros > 0).and_then(|micros| start.checked_add(micros))
}

/// What lies between when something ends and when it was to end, where that is more than files' sloppiness.
pub(crate) fn missing(promised_end_ticks: i64, end_ticks: i64, time_base: Rational) -> Option<Duration> {
    let ticks = promised_end_ticks.saturating_sub(end_ticks);
    let micros = Timestamp::new(ticks, time_base).rescaled(Rational::MICROSECONDS).ticks;
    u64::try_from(micros).ok().map(Duration::from_micros).filter(|missing| *missing > END_SLACK)
}

/// Whether a file of a kind that does not say how long it is to be ends in the middle of something. A file that cannot be
/// looked at does not; reading it will tell.
pub(crate) fn breaks_off(path: &Path, input: &format::context::Input) -> bool {
    match input.format().name() {
        "ogg" => tail(path).is_ok_and(|tail| ogg_breaks_off(&tail)),
        "avi" => File::open(path).and_then(riff_breaks_off).unwrap_or(false),
        "mpegts" => path.metadata().is_ok_and(|metadata| {
            TS_PACKET_BYTES.iter().all(|packet_bytes| !metadata.len().is_multiple_of(*packet_bytes))
        }),
        _ => false,
    }
}

fn tail(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

/// By the lengths of its chunks, of which large files have several. Recorders that were killed leave one of length 0, which
/// says nothing.
fn riff_breaks_off(mut file: File) -> std::io::Result<bool> {
    const HEADER_BYTES: u64 = 8;
    let length = file.metadata()?.len();
    let mut end = 0;
    while end + HEADER_BYTES <= length {
        let mut header = [0; HEADER_BYTES as usize];
        file.seek(SeekFrom::Start(end))?;
        file.read_exact(&mut header)?;
        let [b'R', b'I', b'F', b'F', bytes @ ..] = header else { return Ok(false) };
        end += HEADER_BYTES + u64::from(u32::from_le_bytes(bytes));
    }
    Ok(end > length)
}

/// By its last page (RFC 3533, section 6), which is to be whole, and marked as the last of its stream.
fn ogg_breaks_off(tail: &[u8]) -> bool {
    const HEADER_BYTES: usize = 27;
    const END_OF_STREAM: u8 = 4;
    let Some(start) = tail.windows(4).rposition(|bytes| bytes == b"OggS") else { return true };
    let page = &tail[start..];
    let Some(&count) = page.get(HEADER_BYTES - 1) else { return true };
    let Some(lengths) = page.get(HEADER_BYTES..HEADER_BYTES + usize::from(count)) else { return true };
    let bytes = HEADER_BYTES + lengths.len() + lengths.iter().map(|bytes| usize::from(*bytes)).sum::<usize>();
    page.len() < bytes || page[5] & END_OF_STREAM == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ogg_file_ends_with_a_whole_last_page() {
        let page = |flags: u8| {
            let mut page = b"OggS\0".to_vec();
            page.push(flags);
            page.resize(26, 0);
            page.extend([2, 255, 10]);
            page.resize(29 + 265, 7);
            page
        };
        assert!(!ogg_breaks_off(&page(4)));
        assert!(!ogg_breaks_off(&[page(0), page(4)].concat()));
        assert!(ogg_breaks_off(&page(0)), "no page is the last");
        assert!(ogg_breaks_off(&page(4)[..293]), "the last page is cut");
        assert!(ogg_breaks_off(&page(4)[..20]) && ogg_breaks_off(&[1, 2, 3]));
    }

    #[test]
    fn an_avi_is_as_long_as_its_chunks() {
        let breaks_off = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
            riff_breaks_off(file).unwrap()
        };
        let chunk = b"RIFF\x04\0\0\0AVI ";
        assert!(!breaks_off(chunk) && !breaks_off(&[*chunk, *chunk].concat()));
        assert!(breaks_off(&chunk[..11]) && breaks_off(&[&chunk[..], &chunk[..10]].concat()));
        assert!(
            !breaks_off(b"RIFF\0\0\0\0AVI words") && !breaks_off(&[&chunk[..], b"junk at the end"].concat())
        );
    }

    #[test]
    fn a_little_less_than_promised_is_nothing() {
        assert_eq!(missing(1000, 900, Rational::MILLISECONDS), None);
        assert_eq!(missing(1000, 500, Rational::MILLISECONDS), Some(Duration::from_millis(500)));
        assert_eq!(missing(1000, 2000, Rational::MILLISECONDS), None);
    }
}
