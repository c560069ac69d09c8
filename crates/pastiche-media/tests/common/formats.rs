//! What is read and written, in one list: the tests walk it, and README's table is checked against it.

/// A file with what is in it, made by the `ffmpeg` program.
pub(crate) struct Source {
    /// As README calls it.
    pub(crate) container: &'static str,
    pub(crate) file: &'static str,
    /// As README calls it.
    pub(crate) pictures: &'static str,
    pub(crate) sound: Option<SourceSound>,
    /// How the program makes it.
    pub(crate) coding: &'static str,
}

pub(crate) struct SourceSound {
    /// As README calls it.
    pub(crate) codec: &'static str,
    /// Whether MP4 takes it as it is.
    pub(crate) is_copied: bool,
}

const fn source(
    [container, file]: [&'static str; 2],
    pictures: &'static str,
    sound: Option<SourceSound>,
    coding: &'static str,
) -> Source {
    Source { container, file, pictures, sound, coding }
}

const fn copied(codec: &'static str) -> Option<SourceSound> {
    Some(SourceSound { codec, is_copied: true })
}

const fn converted(codec: &'static str) -> Option<SourceSound> {
    Some(SourceSound { codec, is_copied: false })
}

/// Containers, each with codecs that are common in it.
pub(crate) const SOURCES: [Source; 18] = [
    source(["MP4", "a.mp4"], "H.264", copied("AAC"), "-c:v libx264 -c:a aac"),
    source(["MP4", "b.mp4"], "AV1", copied("E-AC-3"), "-c:v libaom-av1 -cpu-used 8 -c:a eac3"),
    source(["MOV", "a.mov"], "ProRes", converted("PCM"), "-c:v prores_ks -c:a pcm_s16le"),
    source(["MOV", "b.mov"], "Motion JPEG", copied("ALAC"), "-c:v mjpeg -c:a alac"),
    source(
        ["Matroska", "a.mkv"],
        "HEVC",
        converted("FLAC"),
        "-c:v libx265 -x265-params log-level=none -c:a flac",
    ),
    source(["Matroska", "b.mkv"], "FFV1", copied("AC-3"), "-c:v ffv1 -c:a ac3"),
    source(["WebM", "a.webm"], "VP9", copied("Opus"), "-c:v libvpx-vp9 -c:a libopus"),
    source(["WebM", "b.webm"], "VP8", converted("Vorbis"), "-c:v libvpx -c:a libvorbis"),
    source(["AVI", "a.avi"], "MPEG-4", copied("MP3"), "-c:v mpeg4 -c:a libmp3lame"),
    source(["MPEG-TS", "a.ts"], "MPEG-2", converted("MP2"), "-c:v mpeg2video -c:a mp2"),
    source(["MPEG-TS", "b.ts"], "H.264", copied("AAC"), "-c:v libx264 -c:a aac"),
    source(["FLV", "a.flv"], "Sorenson", copied("AAC"), "-c:v flv -c:a aac"),
    source(["Ogg", "a.ogv"], "Theora", converted("Vorbis"), "-c:v libtheora -c:a libvorbis"),
    source(["DV", "a.dv"], "DV", converted("PCM"), "-c:v dvvideo -s 720x576 -ar 48000 -ac 2"),
    source(["MPEG-PS", "a.mpg"], "MPEG-1", converted("MP2"), "-c:v mpeg1video -c:a mp2"),
    source(["GIF", "a.gif"], "GIF", None, "-an"),
    source(["animated WebP", "a.webp"], "WebP", None, "-c:v libwebp_anim -an"),
    source(["numbered pictures", "%03d.png"], "PNG", None, "-an"),
];

/// The containers that are written, with the endings of their names.
pub(crate) const TARGETS: [(&str, &[&str]); 4] =
    [("MP4", &["mp4", "m4v"]), ("MOV", &["mov"]), ("Matroska", &["mkv"]), ("WebM", &["webm"])];

/// The endings of the names of pictures that are written, alone or numbered.
pub(crate) const STILL_TARGETS: [&str; 3] = ["png", "jpg", "jpeg"];
