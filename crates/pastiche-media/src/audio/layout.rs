//! Which arrangement of channels converted sound gets.

use ffmpeg::{ChannelLayout, codec::Id};
use ffmpeg_next as ffmpeg;

/// Those that players of AAC know by themselves or by the description that FFmpeg's encoder writes; of others they would
/// know only the number of channels.
const KEPT_BY_AAC: [ChannelLayout; 12] = [
    ChannelLayout::MONO,
    ChannelLayout::STEREO,
    ChannelLayout::_2POINT1,
    ChannelLayout::_2_1,
    ChannelLayout::SURROUND,
    ChannelLayout::_4POINT0,
    ChannelLayout::QUAD,
    ChannelLayout::_2_2,
    ChannelLayout::_5POINT0_BACK,
    ChannelLayout::_5POINT1_BACK,
    ChannelLayout::_6POINT0_FRONT,
    ChannelLayout::_7POINT1,
];
/// Those of RFC 7845, section 5.1.1.2.
const KEPT_BY_OPUS: [ChannelLayout; 8] = [
    ChannelLayout::MONO,
    ChannelLayout::STEREO,
    ChannelLayout::SURROUND,
    ChannelLayout::QUAD,
    ChannelLayout::_5POINT0_BACK,
    ChannelLayout::_5POINT1_BACK,
    ChannelLayout::_6POINT1,
    ChannelLayout::_7POINT1,
];
/// The same channels by another name.
const SAME: [(ChannelLayout, ChannelLayout); 2] = [
    (ChannelLayout::_5POINT0, ChannelLayout::_5POINT0_BACK),
    (ChannelLayout::_5POINT1, ChannelLayout::_5POINT1_BACK),
];

/// Raw sound often says only how many channels there are.
pub(super) fn layout_of(layout: ChannelLayout, channels: u16) -> ChannelLayout {
    if layout.bits() == 0 { ChannelLayout::default(i32::from(channels)) } else { layout }
}

/// The arrangement that sound of this codec takes for this one, and whether it is another: then one in which all channels
/// have a place, where there is one.
pub(super) fn kept_layout(layout: ChannelLayout, codec: Id) -> (ChannelLayout, bool) {
    let kept = if codec == Id::OPUS { &KEPT_BY_OPUS[..] } else { &KEPT_BY_AAC };
    let same = SAME.iter().find(|(name, _)| *name == layout).map_or(layout, |(_, other)| *other);
    if kept.contains(&same) {
        return (same, false);
    }
    let roomier = match layout.channels() {
        ..=2 => ChannelLayout::STEREO,
        3..=6 => ChannelLayout::_5POINT1_BACK,
        _ => ChannelLayout::_7POINT1,
    };
    (roomier, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_channel_is_lost_where_there_is_room() {
        for (layout, codec, expected) in [
            (ChannelLayout::_2POINT1, Id::AAC, (ChannelLayout::_2POINT1, false)),
            (ChannelLayout::_2POINT1, Id::OPUS, (ChannelLayout::_5POINT1_BACK, true)),
            (ChannelLayout::_5POINT1, Id::AAC, (ChannelLayout::_5POINT1_BACK, false)),
            (ChannelLayout::_6POINT1, Id::AAC, (ChannelLayout::_7POINT1, true)),
            (ChannelLayout::_6POINT1, Id::OPUS, (ChannelLayout::_6POINT1, false)),
            (ChannelLayout::STEREO_DOWNMIX, Id::AAC, (ChannelLayout::STEREO, true)),
            (ChannelLayout::HEXADECAGONAL, Id::AAC, (ChannelLayout::_7POINT1, true)),
        ] {
            assert_eq!(kept_layout(layout, codec), expected, "{layout:?} in {codec:?}");
        }
    }
}
