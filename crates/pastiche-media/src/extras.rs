//! What a file holds beside pictures and sound, and what of it goes into the output: its tags, chapters and subtitles.

use std::{path::PathBuf, time::Duration};

use ffmpeg::Dictionary;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    error::Result,
    input::{self, Window},
    mux::Muxer,
};

/// Where tags, chapters and text subtitles are taken from, and for which part of the video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extras {
    /// The file.
    pub source: PathBuf,
    /// Leaves out what is before this time.
    pub start: Option<Duration>,
    /// Stops this long after the start.
    pub duration: Option<Duration>,
}

/// Tags that describe the source's own file, not what it shows.
const OF_THE_FILE: [&str; 6] =
    ["major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode"];

impl Extras {
    /// Takes over tags and chapters; before the output's header is written.
    pub(crate) fn describe(&self, muxer: &mut Muxer) -> Result<()> {
        let input = input::open(&self.source)?;
        let mut tags = Dictionary::new();
        for (key, value) in input.metadata().iter().filter(|(key, _)| !is_of_the_file(key)) {
            tags.set(key, value);
        }
        muxer.set_tags(tags);

        let window = Window::new(input::origin(&input), self.start, self.duration, Rational::MICROSECONDS);
        for chapter in input.chapters() {
            let Some(time_base) = input::rational(chapter.time_base()) else { continue };
            let on_our_clock =
                |ticks| Timestamp::new(ticks, time_base).rescaled(Rational::MICROSECONDS).ticks;
            let start = on_our_clock(chapter.start()).max(window.start) - window.start;
            let end = on_our_clock(chapter.end()).min(window.end.unwrap_or(i64::MAX)) - window.start;
            if start < end {
                let metadata = chapter.metadata();
                muxer.add_chapter(start, end, metadata.get("title").unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

fn is_of_the_file(key: &str) -> bool {
    OF_THE_FILE.iter().any(|own| key.eq_ignore_ascii_case(own))
        || key.to_ascii_lowercase().starts_with("_statistics")
}
