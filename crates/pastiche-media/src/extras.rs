//! What a file holds beside pictures and sound, and what of it goes into the output: its tags, chapters and subtitles.

use std::{path::PathBuf, time::Duration};

use ffmpeg::Dictionary;
use ffmpeg_next as ffmpeg;
use pastiche_frame::{Rational, Timestamp};

use crate::{
    error::Result,
    input::{self, Window},
    mux::Muxer,
    raw,
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
        for (key, value) in raw::file_tags(&input).iter().filter(|(key, _)| !is_of_the_file(key)) {
            tags.set(key, value);
        }
        muxer.set_tags(tags);

        let window = Window::new(input::origin(&input), self.start, self.duration, Rational::MICROSECONDS);
        for chapter in input.chapters() {
            let Some(time_base) = input::rational(chapter.time_base()) else { continue };
            let on_our_clock =
                |ticks| Timestamp::new(ticks, time_base).rescaled(Rational::MICROSECONDS).ticks;
            let from_start = |ticks: i64| ticks.saturating_sub(window.start);
            let start = from_start(on_our_clock(chapter.start()).max(window.start));
            let end = from_start(on_our_clock(chapter.end()).min(window.end.unwrap_or(i64::MAX)));
            if start < end {
                let tags = raw::chapter_tags(&chapter);
                let title = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case("title"));
                muxer.add_chapter(start, end, title.map_or("", |(_, title)| title))?;
            }
        }
        Ok(())
    }
}

fn is_of_the_file(key: &str) -> bool {
    OF_THE_FILE.iter().any(|own| key.eq_ignore_ascii_case(own))
        || key.to_ascii_lowercase().starts_with("_statistics")
}
