//! Edit lists in MP4 files (ISO/IEC 14496-12, 8.6.6), which the `ffmpeg` program writes with one entry only.

use std::{fs, path::Path};

/// Lets a file that has its index behind its packets show these parts alone, each from a second and for a number of them.
pub(crate) fn set_edits(path: &Path, edits: &[(f64, f64)]) {
    let file = fs::read(path).unwrap();
    let movie_ticks = |movie: &[u8]| u32_at(inner(movie, b"mvhd"), 12);
    let changed = changed(&file, b"moov", |movie| {
        let ticks = movie_ticks(movie);
        changed(movie, b"trak", |track| edited(track, ticks, edits))
    });
    fs::write(path, changed).unwrap();
}

/// A track whose list has these entries; each counts from where the one entry of the old list began.
fn edited(track: &[u8], movie_ticks: u32, edits: &[(f64, f64)]) -> Vec<u8> {
    let ticks = u32_at(inner(inner(track, b"mdia"), b"mdhd"), 12);
    let began = u32_at(inner(inner(track, b"edts"), b"elst"), 12);
    let count = edits.len() as u32;
    let mut list = [0, count].map(u32::to_be_bytes).concat();
    for (start, length) in edits {
        let length = (length * f64::from(movie_ticks)) as u32;
        let start = began + (start * f64::from(ticks)) as u32;
        let at_normal_speed = 1 << 16;
        list.extend([length, start, at_normal_speed].map(u32::to_be_bytes).concat());
    }
    changed(track, b"edts", |_| wrapped(b"elst", &list))
}

/// Boxes side by side, with the contents of those named `kind` changed.
fn changed(boxes: &[u8], kind: &[u8; 4], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let copy = |(name, contents): ([u8; 4], &[u8])| {
        if &name == kind { wrapped(&name, &change(contents)) } else { wrapped(&name, contents) }
    };
    split(boxes).flat_map(copy).collect()
}

fn wrapped(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    [&(contents.len() as u32 + 8).to_be_bytes(), &name[..], contents].concat()
}

/// The names and contents of boxes side by side.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = bytes.split_first_chunk::<8>()?;
        let (here, rest) = bytes.split_at(u32_at(bytes, 0) as usize);
        bytes = rest;
        Some((header[4..].try_into().unwrap(), &here[8..]))
    })
}

fn inner<'a>(boxes: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    split(boxes).find(|(name, _)| name == kind).unwrap().1
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}
