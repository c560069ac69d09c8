//! What can be read, in one list: the tests walk it, and README's table is checked against it.

/// A container with what is in it, made by the `ffmpeg` program.
pub(crate) struct Source {
    /// As README calls it.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) codecs: &'static str,
    /// Whether it has sound, and whether MP4 takes that as it is.
    pub(crate) sound: Option<bool>,
}

const fn source(name: &'static str, file: &'static str, codecs: &'static str, sound: Option<bool>) -> Source {
    Source { name, file, codecs, sound }
}

/// Containers, each with codecs that are common in it.
pub(crate) const SOURCES: [Source; 14] = [
    source("MP4", "a.mp4", "-c:v libx264 -c:a aac", Some(true)),
    source("MOV", "a.mov", "-c:v prores_ks -c:a pcm_s16le", Some(false)),
    source("Matroska", "a.mkv", "-c:v libx265 -x265-params log-level=none -c:a flac", Some(false)),
    source("Matroska", "b.mkv", "-c:v libx264 -c:a ac3", Some(true)),
    source("WebM", "a.webm", "-c:v libvpx-vp9 -c:a libopus", Some(true)),
    source("WebM", "b.webm", "-c:v libvpx -c:a libvorbis", Some(false)),
    source("AVI", "a.avi", "-c:v mpeg4 -c:a libmp3lame", Some(true)),
    source("MPEG-TS", "a.ts", "-c:v mpeg2video -c:a mp2", Some(false)),
    source("MPEG-TS", "b.ts", "-c:v libx264 -c:a aac", Some(true)),
    source("FLV", "a.flv", "-c:v flv -c:a aac", Some(true)),
    source("Ogg", "a.ogv", "-c:v libtheora -c:a libvorbis", Some(false)),
    source("DV", "a.dv", "-c:v dvvideo -s 720x576 -ar 48000 -ac 2", Some(false)),
    source("GIF", "a.gif", "-an", None),
    source("MPEG-PS", "a.mpg", "-c:v mpeg1video -c:a mp2", Some(false)),
];

/// The containers that are written, with the endings of their names.
pub(crate) const TARGETS: [(&str, &[&str]); 4] =
    [("MP4", &["mp4", "m4v"]), ("MOV", &["mov"]), ("Matroska", &["mkv"]), ("WebM", &["webm"])];
