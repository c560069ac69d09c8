//! The sound in an MP4 file, packet by packet, read from its boxes (ISO/IEC 14496-12) without FFmpeg.

use std::{fs, path::Path};

/// The contents of the boxes named `kind` among those that lie side by side in `bytes`.
fn boxes<'a>(bytes: &'a [u8], kind: &'a [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        while rest.len() >= 8 {
            let (size, header) = match u32_at(rest, 0) {
                0 => (rest.len(), 8),
                1 => (u64_at(rest, 8) as usize, 16),
                size => (size as usize, 8),
            };
            let (here, after) = rest.split_at(size);
            rest = after;
            if &here[4..8] == kind {
                return Some(&here[header..]);
            }
        }
        None
    })
}

/// The one box that `path` leads to.
fn inner<'a>(bytes: &'a [u8], path: &[&'static [u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, kind| boxes(bytes, kind).next())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The entries of a table of `u32`s that starts with version, flags and count.
fn entries(table: &[u8]) -> impl Iterator<Item = u32> + '_ {
    (0..u32_at(table, 4) as usize).map(|index| u32_at(table, 8 + 4 * index))
}

/// The packets of an MP4 file's first sound track, in order; none where it has no sound.
pub fn sound_samples(path: &Path) -> Vec<Vec<u8>> {
    let file = fs::read(path).unwrap();
    let movie = inner(&file, &[b"moov"]).unwrap();
    let is_sound =
        |track: &&[u8]| inner(track, &[b"mdia", b"hdlr"]).is_some_and(|box_| &box_[8..12] == b"soun");
    let Some(track) = boxes(movie, b"trak").find(is_sound) else { return Vec::new() };
    let tables = inner(track, &[b"mdia", b"minf", b"stbl"]).unwrap();

    let sizes = inner(tables, &[b"stsz"]).unwrap();
    let count = u32_at(sizes, 8) as usize;
    let size = |sample: usize| match u32_at(sizes, 4) {
        0 => u32_at(sizes, 12 + 4 * sample) as usize,
        uniform => uniform as usize,
    };
    let chunks: Vec<usize> = match inner(tables, &[b"stco"]) {
        Some(table) => entries(table).map(|offset| offset as usize).collect(),
        None => {
            let table = inner(tables, &[b"co64"]).unwrap();
            (0..u32_at(table, 4) as usize).map(|index| u64_at(table, 8 + 8 * index) as usize).collect()
        }
    };
    // Each run: the first chunk that it holds for, counted from 1, and the samples in each of its chunks.
    let runs = inner(tables, &[b"stsc"]).unwrap();
    let runs: Vec<(usize, usize)> = (0..u32_at(runs, 4) as usize)
        .map(|run| (u32_at(runs, 8 + 12 * run) as usize, u32_at(runs, 12 + 12 * run) as usize))
        .collect();
    let in_chunk = |chunk: usize| runs.iter().rev().find(|(first, _)| *first <= chunk).unwrap().1;

    let mut samples = Vec::with_capacity(count);
    for (index, &offset) in chunks.iter().enumerate() {
        let mut at = offset;
        for _ in 0..in_chunk(index + 1) {
            let end = at + size(samples.len());
            samples.push(file[at..end].to_vec());
            at = end;
        }
    }
    assert_eq!(samples.len(), count, "samples in chunks and in the table of sizes: {}", path.display());
    samples
}
