//! The kinds of files that videos are written to, and what each of them holds.

use std::path::Path;

use ffmpeg::{Dictionary, codec::Id};
use ffmpeg_next as ffmpeg;

/// A kind of file, by its name's ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Mp4,
    Mov,
    Matroska,
    WebM,
}

/// Of a Matroska or WebM file, how much is put together in memory before it is written.
const CLUSTER_MS: &str = "1000";

/// The endings that are known.
const ENDINGS: [(&str, Container); 5] = [
    ("mp4", Container::Mp4),
    ("m4v", Container::Mp4),
    ("mov", Container::Mov),
    ("mkv", Container::Matroska),
    ("webm", Container::WebM),
];

impl Container {
    /// The endings, for people.
    pub(crate) const SUPPORTED: &'static str = ".mp4, .m4v, .mov, .mkv or .webm";

    /// By the ending of a file's name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        ENDINGS
            .iter()
            .find(|(ending, _)| extension.eq_ignore_ascii_case(ending))
            .map(|&(_, container)| container)
    }

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "MP4",
            Self::Mov => "MOV",
            Self::Matroska => "Matroska",
            Self::WebM => "WebM",
        }
    }

    /// What FFmpeg calls its writer.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }

    /// How to write it: what players need to start is moved to the file's front, and colours are tagged. Of the others a
    /// second at a time is put together in memory, so that a drive which takes no more costs no more than that.
    pub(crate) fn options(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        if self.is_iso() {
            options.set("movflags", "+faststart+write_colr");
        } else {
            options.set("cluster_time_limit", CLUSTER_MS);
        }
        options
    }

    /// How to write it so that it plays at every moment: in fragments of a second, each of which is on the disk when it
    /// is whole. Nothing is left to do at the end, however long it is.
    pub(crate) fn growing_options(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        if self.is_iso() {
            options.set("movflags", "+frag_keyframe+delay_moov+default_base_moof+write_colr");
            options.set("frag_duration", "1000000");
            options.set("flush_packets", "1");
        } else {
            options.set("cluster_time_limit", CLUSTER_MS);
        }
        options
    }

    /// Whether it is of ISO/IEC 14496-12's family.
    fn is_iso(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }

    /// Whether it, and the usual players of it, take this video codec.
    pub(crate) fn takes_video(self, codec: Id) -> bool {
        match self {
            Self::WebM => matches!(codec, Id::VP8 | Id::VP9 | Id::AV1),
            Self::Mov => matches!(codec, Id::H264 | Id::MPEG4 | Id::HEVC),
            Self::Mp4 | Self::Matroska => true,
        }
    }

    /// Whether it, and the usual players of it, take this sound as it is.
    pub(crate) fn takes_sound(self, codec: Id) -> bool {
        match self {
            Self::Mp4 => matches!(codec, Id::AAC | Id::MP3 | Id::AC3 | Id::EAC3 | Id::ALAC | Id::OPUS),
            Self::Mov => {
                matches!(codec, Id::AAC | Id::MP3 | Id::AC3 | Id::EAC3 | Id::ALAC)
                    || matches!(
                        codec,
                        Id::PCM_S16LE | Id::PCM_S16BE | Id::PCM_S24LE | Id::PCM_S24BE | Id::PCM_F32LE
                    )
            }
            Self::Matroska => {
                matches!(
                    codec,
                    Id::AAC | Id::MP3 | Id::MP2 | Id::AC3 | Id::EAC3 | Id::DTS | Id::ALAC | Id::OPUS
                ) || matches!(codec, Id::VORBIS | Id::FLAC | Id::PCM_S16LE | Id::PCM_S24LE | Id::PCM_F32LE)
            }
            Self::WebM => matches!(codec, Id::OPUS | Id::VORBIS),
        }
    }

    /// What other sound is converted to.
    pub(crate) fn sound_codec(self) -> Id {
        if self == Self::WebM { Id::OPUS } else { Id::AAC }
    }

    /// Whether it takes these subtitles as they are.
    pub(crate) fn takes_subtitles(self, codec: Id) -> bool {
        match self {
            Self::Mp4 | Self::Mov => codec == Id::MOV_TEXT,
            Self::Matroska => matches!(codec, Id::SUBRIP | Id::ASS | Id::SSA),
            Self::WebM => codec == Id::WEBVTT,
        }
    }

    /// What other text subtitles are converted to.
    pub(crate) fn subtitle_codec(self) -> Id {
        match self {
            Self::Mp4 | Self::Mov => Id::MOV_TEXT,
            Self::Matroska => Id::SUBRIP,
            Self::WebM => Id::WEBVTT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_in_any_case() {
        let of = |name: &str| Container::of(Path::new(name));
        assert_eq!(
            (of("a.MP4"), of("b.m4v"), of("c.mov")),
            (Some(Container::Mp4), Some(Container::Mp4), Some(Container::Mov))
        );
        assert_eq!((of("d.mkv"), of("e.webm")), (Some(Container::Matroska), Some(Container::WebM)));
        assert_eq!((of("f.avi"), of("mp4")), (None, None));
    }

    #[test]
    fn what_is_converted_is_converted_to_what_the_container_takes() {
        for container in [Container::Mp4, Container::Mov, Container::Matroska, Container::WebM] {
            assert!(container.takes_sound(container.sound_codec()), "{container:?}");
            assert!(container.takes_subtitles(container.subtitle_codec()), "{container:?}");
        }
    }
}
