//! All that the crate does with a file that is given to it. What comes out does not matter here, only that something does.

use std::{path::Path, time::Duration};

use pastiche_frame::{ColorSpace, Frame, FramePool, PixelFormat, Rational};
use pastiche_media::{
    AudioMode, AudioRequest, DecodeOptions, EncodeOptions, Extras, VideoDecoder, VideoEncoder, probe,
    read_image,
};

/// More frames than small files have; what claims more is not followed.
const MAX_FRAMES: usize = 60;
/// Of a picture that is decoded; what claims more is not followed.
const MAX_PIXELS: u64 = 1 << 22;
/// Of the sound that is taken over.
const SOUND: Duration = Duration::from_secs(2);

/// Opens and reads a file as jobs do, those for pictures and those for videos.
pub(crate) fn read(path: &Path) {
    drop(read_image(path));
    drop(probe(path));
    let part = DecodeOptions { start: Some(Duration::from_millis(200)), ..DecodeOptions::default() };
    for options in [DecodeOptions::default(), part] {
        let Ok(mut decoder) = VideoDecoder::open(path, &options) else { continue };
        // A damaged header may claim any size, which is refused or takes memory for one frame.
        let (width, height) = decoder.size();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            continue;
        }
        let pool = FramePool::new(1);
        for _ in 0..MAX_FRAMES {
            if !matches!(decoder.next_frame(&pool), Ok(Some(_))) {
                break;
            }
        }
    }
    take_the_rest(path);
}

/// Takes over sound, tags, chapters and subtitles, into a file beside this one.
fn take_the_rest(path: &Path) {
    let audio =
        AudioRequest { source: path.to_owned(), mode: AudioMode::Aac, start: None, duration: Some(SOUND) };
    let extras = Extras { source: path.to_owned(), start: None, duration: Some(SOUND) };
    let (width, height) = (32, 32);
    let options = EncodeOptions {
        width,
        height,
        time_base: Rational::MILLISECONDS,
        frame_rate: None,
        constant_frame_rate: None,
        color_space: ColorSpace::default(),
        encoder: None,
        crf: None,
        preset: Some("ultrafast".to_owned()),
        audio: Some(audio),
    };
    if let Ok(mut encoder) =
        VideoEncoder::create_with(&path.with_extension("rest.mkv"), &options, Some(&extras))
    {
        let grey = vec![128; (width * height * 3) as usize];
        drop(encoder.write(&Frame::from_data(width, height, PixelFormat::Rgb8, grey)));
        drop(encoder.finish());
    }
}
