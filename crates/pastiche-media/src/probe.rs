//! What a file holds, without decoding it.

use std::{fs, path::Path, time::Duration};

use ffmpeg::{ChannelLayout, Stream, codec, format, media};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorSpace, Orientation, Rational, Rotation, Timestamp};

use crate::{
    HardwareDecoding, MediaError,
    error::Result,
    geometry::{orientation_from_display_matrix, square_pixel_size},
    input, raw,
    rgb_pictures::RgbPictures,
    scale,
};

/// What a media file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInfo {
    /// The container's name as FFmpeg gives it, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// How long the file is, where that is known.
    pub duration: Option<Duration>,
    /// The file's length.
    pub bytes: u64,
    /// The moving pictures, where there are any.
    pub video: Option<VideoInfo>,
    /// The sound streams.
    pub audio: Vec<AudioInfo>,
}

/// What a video stream holds.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoInfo {
    /// The codec's name, such as `h264`.
    pub codec: String,
    /// In pixels, as shown: upright and with square pixels.
    pub width: u32,
    /// In pixels, as shown: upright and with square pixels.
    pub height: u32,
    /// Frames a second on average, where that is known.
    pub frame_rate: Option<Rational>,
    /// The clock that the frames' times are on.
    pub time_base: Rational,
    /// How long the video is, where that is known.
    pub duration: Option<Duration>,
    /// How many frames there are, where the container says.
    pub frame_count: Option<u64>,
    /// The pixel format's name, such as `yuv420p`.
    pub pixel_format: String,
    /// How the pictures are coded, guessed from the height where the file does not say.
    pub color_space: ColorSpace,
    /// The turn that makes the pictures upright; decoded frames have had it.
    pub rotation: Rotation,
    /// Whether the pictures are stored with left and right exchanged; decoded frames have them back, before the turn.
    pub mirrored: bool,
}

/// What a sound stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioInfo {
    /// The codec's name, such as `aac`.
    pub codec: String,
    /// Samples a second and channel; 0 where no decoder tells.
    pub sample_rate_hz: u32,
    /// How many channels; 0 where no decoder tells.
    pub channels: u32,
    /// The channels' arrangement, such as `stereo` or `5.1`.
    pub channel_layout: String,
}

/// Reads what a file holds.
///
/// # Errors
/// The file is missing or cannot be read, or is no media file, or its video cannot be decoded.
pub fn probe(path: &Path) -> Result<MediaInfo> {
    crate::init();
    if let Some(pictures) = RgbPictures::open(path, None)? {
        let video = pictures.info().clone();
        return Ok(MediaInfo {
            container: video.codec.clone(),
            duration: video.duration,
            bytes: fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |metadata| metadata.len()),
            video: Some(video),
            audio: Vec::new(),
        });
    }
    let input = input::open(path)?;
    let video = match input::video_stream(&input) {
        Some(stream) => {
            let decoder = open_decoder(&stream, HardwareDecoding::None, path)?;
            Some(VideoInfo::new(&input, &stream, &decoder))
        }
        None => None,
    };
    let audio = input.streams().filter(|stream| stream.parameters().medium() == media::Type::Audio);
    Ok(MediaInfo {
        container: input.format().name().to_owned(),
        duration: container_duration(&input),
        bytes: fs::metadata(path).map_or(0, |metadata| metadata.len()),
        video,
        audio: audio.map(|stream| AudioInfo::new(&stream)).collect(),
    })
}

/// Opens the decoder for a video stream, on as many threads as it likes.
pub(crate) fn open_decoder(
    stream: &Stream<'_>,
    hardware: HardwareDecoding,
    path: &Path,
) -> Result<ffmpeg::decoder::Video> {
    let codec = stream.parameters().id().name();
    let open = || {
        let mut decoder = codec::Context::from_parameters(stream.parameters())?.decoder();
        decoder.set_packet_time_base(stream.time_base());
        hardware.prepare(&mut decoder);
        decoder.set_threading(codec::threading::Config::kind(codec::threading::Type::Frame));
        match decoder_of_opacity(stream) {
            Some(codec) => decoder.open_as(codec)?.video(),
            None => decoder.video(),
        }
    };
    let unusable = |source| MediaError::NoDecoder { codec, path: path.to_owned(), source };
    let decoder = open().map_err(unusable)?;
    if decoder.width() == 0 || decoder.height() == 0 {
        return Err(unusable(ffmpeg::Error::InvalidData));
    }
    Ok(decoder)
}

/// WebM has opacity as a second picture beside the first, which FFmpeg's own decoders of VP8 and VP9 leave out; those of
/// libvpx, where it is there, do not.
fn decoder_of_opacity(stream: &Stream<'_>) -> Option<ffmpeg::Codec> {
    let name = match stream.parameters().id() {
        codec::Id::VP8 => "libvpx",
        codec::Id::VP9 => "libvpx-vp9",
        _ => return None,
    };
    let tags = raw::stream_tags(stream);
    let is_there = tags.iter().any(|(key, value)| key.eq_ignore_ascii_case("alpha_mode") && value == "1");
    ffmpeg::decoder::find_by_name(name).filter(|_| is_there)
}

/// The width of a pixel to its height: the container's word, else the codec's.
pub(crate) fn pixel_aspect(stream: &Stream<'_>, decoder: &ffmpeg::decoder::Video) -> ffmpeg::Rational {
    let aspect = raw::container_pixel_aspect(stream);
    if aspect.numerator() > 0 { aspect } else { decoder.aspect_ratio() }
}

impl VideoInfo {
    /// How the pictures are stored.
    pub(crate) fn orientation(&self) -> Orientation {
        Orientation { mirrored: self.mirrored, rotation: self.rotation }
    }

    pub(crate) fn new(
        input: &format::context::Input,
        stream: &Stream<'_>,
        decoder: &ffmpeg::decoder::Video,
    ) -> Self {
        let time_base = input::rational(stream.time_base()).unwrap_or(Rational::MICROSECONDS);
        let Orientation { mirrored, rotation } = stream
            .side_data()
            .find(|data| data.kind() == codec::packet::side_data::Type::DisplayMatrix)
            .map_or(Orientation::default(), |data| orientation_from_display_matrix(data.data()));
        let (width, height) =
            square_pixel_size((decoder.width(), decoder.height()), pixel_aspect(stream, decoder));
        let (width, height) = rotation.turned_size(width, height);
        Self {
            codec: stream.parameters().id().name().to_owned(),
            width,
            height,
            frame_rate: input::rational(stream.avg_frame_rate()).or_else(|| input::rational(stream.rate())),
            time_base,
            duration: duration(stream.duration(), time_base).or_else(|| container_duration(input)),
            frame_count: u64::try_from(stream.frames()).ok().filter(|count| *count > 0),
            pixel_format: decoder.format().descriptor().map_or("unknown", |format| format.name()).to_owned(),
            color_space: scale::color_space(decoder),
            rotation,
            mirrored,
        }
    }
}

impl AudioInfo {
    fn new(stream: &Stream<'_>) -> Self {
        let codec = stream.parameters().id().name().to_owned();
        let decoder = codec::Context::from_parameters(stream.parameters())
            .and_then(|context| context.decoder().audio());
        // A codec that FFmpeg cannot decode is still worth naming.
        let (sample_rate_hz, channels, channel_layout) = match &decoder {
            Ok(decoder) => {
                let channels = u32::from(decoder.channels());
                (decoder.rate(), channels, layout_name(decoder.channel_layout(), channels))
            }
            Err(_) => (0, 0, "unknown".to_owned()),
        };
        Self { codec, sample_rate_hz, channels, channel_layout }
    }
}

/// The usual name of an arrangement of channels, else their number.
pub(crate) fn layout_name(layout: ChannelLayout, channels: u32) -> String {
    let names = [
        (ChannelLayout::MONO, "mono"),
        (ChannelLayout::STEREO, "stereo"),
        (ChannelLayout::_2POINT1, "2.1"),
        (ChannelLayout::SURROUND, "3.0"),
        (ChannelLayout::_4POINT0, "4.0"),
        (ChannelLayout::_2_1, "3.0(back)"),
        (ChannelLayout::QUAD, "quad"),
        (ChannelLayout::_2_2, "quad(side)"),
        (ChannelLayout::_6POINT0_FRONT, "6.0(front)"),
        (ChannelLayout::_5POINT0_BACK, "5.0"),
        (ChannelLayout::_5POINT0, "5.0(side)"),
        (ChannelLayout::_5POINT1_BACK, "5.1"),
        (ChannelLayout::_5POINT1, "5.1(side)"),
        (ChannelLayout::_6POINT1, "6.1"),
        (ChannelLayout::_7POINT1, "7.1"),
    ];
    match names.iter().find(|(known, _)| *known == layout) {
        Some((_, name)) => (*name).to_owned(),
        None if channels == 1 => "mono".to_owned(),
        None if channels == 2 => "stereo".to_owned(),
        None => format!("{channels} channels"),
    }
}

fn container_duration(input: &format::context::Input) -> Option<Duration> {
    duration(input.duration(), Rational::MICROSECONDS)
}

/// FFmpeg gives what it does not know as a large negative number.
pub(crate) fn duration(ticks: i64, time_base: Rational) -> Option<Duration> {
    let micros = Timestamp::new(ticks, time_base).rescaled(Rational::MICROSECONDS).ticks;
    u64::try_from(micros).ok().filter(|micros| *micros > 0).map(Duration::from_micros)
}
