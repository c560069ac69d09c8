//! The words of subtitles, out of one codec's packets and into another's.

use ffmpeg::codec::Id;
use ffmpeg_next as ffmpeg;

/// What SubRip and WebVTT have between angle brackets; anything else there is text.
const TAGS: [&str; 12] = ["b", "i", "u", "s", "c", "v", "font", "lang", "ruby", "rt", "span", "br"];
/// Those of them that say who speaks, or in which language or font; of the others an attribute is expected.
const ANNOTATED: [&str; 4] = ["font", "lang", "span", "v"];
/// How WebVTT writes what has a meaning of its own there.
const ENTITIES: [(&str, &str); 6] =
    [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}"), ("&lrm;", ""), ("&rlm;", ""), ("&amp;", "&")];

/// The plain text of a packet, without fonts and colours.
pub(crate) fn text_of(codec: Id, data: &[u8]) -> String {
    let text = match codec {
        // The text's length, then the text, then boxes of styles.
        Id::MOV_TEXT => {
            let length = data.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
            String::from_utf8_lossy(data.get(2..2 + length).unwrap_or_default()).into_owned()
        }
        // Eight fields with commas between, then the text.
        Id::ASS | Id::SSA => {
            let line = String::from_utf8_lossy(data);
            let text = line.splitn(9, ',').nth(8).unwrap_or_default();
            without(text, '{', '}', |_| true).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
        }
        Id::WEBVTT => {
            let text = without(&String::from_utf8_lossy(data), '<', '>', |tag| is_tag(tag) || is_time(tag));
            // The ampersand last, so that what it is part of is not read twice.
            ENTITIES.iter().fold(text, |text, (entity, meant)| text.replace(entity, meant))
        }
        // Places, as in ASS, are common in SubRip too.
        Id::SUBRIP => {
            let text = without(&String::from_utf8_lossy(data), '<', '>', is_tag);
            without(&text, '{', '}', |inside| inside.starts_with('\\'))
        }
        _ => String::from_utf8_lossy(data).into_owned(),
    };
    text.replace('\r', "").trim().to_owned()
}

/// Whether this, between angle brackets, is one of the [`TAGS`], open or closed, with whatever it says.
fn is_tag(inside: &str) -> bool {
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let end = inside.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    let is_one_of = |names: &[&str]| names.iter().any(|tag| name.eq_ignore_ascii_case(tag));
    let says_nothing_else = rest.is_empty() || rest.starts_with(['.', '/']);
    // `a <b and c> d` is text.
    let says_more =
        rest.starts_with([' ', '\t']) && (rest.contains('=') || rest.trim() == "/" || is_one_of(&ANNOTATED));
    is_one_of(&TAGS) && (says_nothing_else || says_more)
}

/// Whether this is a time at which the words behind it are shown, or the end of a nameless tag.
fn is_time(inside: &str) -> bool {
    inside == "/"
        || inside.contains(':')
            && inside.chars().all(|letter| letter.is_ascii_digit() || ":.".contains(letter))
}

/// The text without what stands between these brackets, where `is_left_out` says so. A bracket that is never closed is text.
fn without(text: &str, open: char, close: char, is_left_out: impl Fn(&str) -> bool) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        match after.split_once(close) {
            Some((inside, after)) if is_left_out(inside) => rest = after,
            _ => {
                kept.push(open);
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// A packet of this text.
pub(crate) fn packed(codec: Id, text: &str) -> Vec<u8> {
    match codec {
        Id::WEBVTT => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into_bytes(),
        Id::MOV_TEXT => {
            let mut end = text.len().min(usize::from(u16::MAX));
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let length = (end as u16).to_be_bytes();
            [&length, &text.as_bytes()[..end]].concat()
        }
        _ => text.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_their_styles_and_keep_their_words() {
        for (codec, data, expected) in [
            (Id::SUBRIP, &b"<i>Hello</i>,\r\nworld 1 < 2"[..], "Hello,\nworld 1 < 2"),
            (Id::SUBRIP, b"a < b and c > d", "a < b and c > d"),
            (Id::SUBRIP, b"a <b and c> d, 1<2>0", "a <b and c> d, 1<2>0"),
            (Id::SUBRIP, b"{\\an8}<font color=\"red\">Tom & {Jerry}</font><br/>", "Tom & {Jerry}"),
            (Id::SUBRIP, b"R&amp;B", "R&amp;B"),
            (Id::TEXT, b"<b> is a letter", "<b> is a letter"),
            (Id::WEBVTT, b"<v Ann>Hello", "Hello"),
            (
                Id::WEBVTT,
                b"<c.yellow>a &lt; b &amp;&amp; c &gt; d</c> <00:01.500>&amp;lt;",
                "a < b && c > d &lt;",
            ),
            (Id::ASS, b"0,0,Default,,0,0,0,,{\\b1}Hello{\\b0}, you\\Nthere", "Hello, you\nthere"),
            (Id::MOV_TEXT, b"\0\x05Hello\0\0\0\x0cstyl", "Hello"),
            (Id::MOV_TEXT, b"\0\0", ""),
            (Id::MOV_TEXT, b"\xff", ""),
            (Id::ASS, b"nonsense", ""),
        ] {
            assert_eq!(text_of(codec, data), expected, "{codec:?}");
        }
        let words = "a < b && c > d &lt; <i>";
        assert_eq!(text_of(Id::WEBVTT, &packed(Id::WEBVTT, words)), words);
        assert_eq!(packed(Id::MOV_TEXT, "Hé"), b"\0\x03H\xc3\xa9");
        assert_eq!(text_of(Id::MOV_TEXT, &packed(Id::MOV_TEXT, "Hé\nyou")), "Hé\nyou");
        let long = "é".repeat(40_000);
        assert_eq!(packed(Id::MOV_TEXT, &long).len(), 2 + 65_534);
    }
}
