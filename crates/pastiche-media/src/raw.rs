//! The few calls for which ffmpeg-next has no safe form. All the `unsafe` of this crate is here and in `demuxer_log.rs`,
//! `hardware.rs`, `nvdec.rs` and `vaapi.rs`.
#![allow(unsafe_code, reason = "FFI calls that ffmpeg-next does not wrap")]

use std::{
    ffi::CStr,
    iter,
    ops::{Deref, DerefMut},
    ptr::{self, addr_of},
};

use ffmpeg::{
    Chapter, Error, Packet, Rational, Stream, StreamMut,
    codec::{Id, packet::Ref},
    color, ffi,
    format::Pixel,
    format::context::Input,
    frame,
    software::scaling,
};
use ffmpeg_next as ffmpeg;

/// A scaling context that may move to another thread, which ffmpeg-next leaves out.
pub(crate) struct SendScaler(scaling::Context);

// SAFETY: an `SwsContext` holds no thread-local state; FFmpeg only asks that no two threads use it at once, which
// `&mut` on every call already forbids. Nothing else holds the pointer.
unsafe impl Send for SendScaler {}

impl SendScaler {
    pub(crate) fn new(scaler: scaling::Context) -> Self {
        Self(scaler)
    }
}

impl Deref for SendScaler {
    type Target = scaling::Context;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for SendScaler {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Y'CbCr matrix and whether all code values are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) matrix: color::Space,
    pub(crate) full_range: bool,
}

/// Tells a scaler how its input and output are coded; left alone, it takes everything for limited-range BT.601.
pub(crate) fn set_coding(scaler: &mut scaling::Context, input: Coding, output: Coding) {
    let neutral = 1 << 16; // 1.0 in 16.16 fixed point: contrast and saturation as they are
    // SAFETY: the pointer is that of a live context; `sws_getCoefficients` returns a static table for every value
    // (its default for those it does not know). The call copies both tables. It reports only that a conversion has
    // no matrix in it (RGB to RGB), in which case there is nothing to set.
    unsafe {
        ffi::sws_setColorspaceDetails(
            scaler.as_mut_ptr(),
            ffi::sws_getCoefficients(ffi::AVColorSpace::from(input.matrix) as i32),
            i32::from(input.full_range),
            ffi::sws_getCoefficients(ffi::AVColorSpace::from(output.matrix) as i32),
            i32::from(output.full_range),
            0,
            neutral,
            neutral,
        );
    }
}

/// How a file says that its colours are coded, in FFmpeg's numbers. Files hold numbers that are none of FFmpeg's, and those
/// must never become one of its enumerations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColorNumbers {
    pub(crate) matrix: u32,
    pub(crate) range: u32,
    pub(crate) primaries: u32,
    pub(crate) transfer: u32,
}

/// A picture's colour tags.
pub(crate) fn color_numbers(picture: &frame::Video) -> ColorNumbers {
    // SAFETY: plain fields of a live frame, C enumerations of 32 bits, read as the numbers that they are.
    unsafe {
        let picture = picture.as_ptr();
        ColorNumbers {
            matrix: addr_of!((*picture).colorspace).cast::<u32>().read(),
            range: addr_of!((*picture).color_range).cast::<u32>().read(),
            primaries: addr_of!((*picture).color_primaries).cast::<u32>().read(),
            transfer: addr_of!((*picture).color_trc).cast::<u32>().read(),
        }
    }
}

/// The colour tags of the pictures that a decoder will give.
pub(crate) fn decoder_color_numbers(decoder: &ffmpeg::decoder::Video) -> ColorNumbers {
    // SAFETY: as above, of a live context.
    unsafe {
        let context = decoder.as_ptr();
        ColorNumbers {
            matrix: addr_of!((*context).colorspace).cast::<u32>().read(),
            range: addr_of!((*context).color_range).cast::<u32>().read(),
            primaries: addr_of!((*context).color_primaries).cast::<u32>().read(),
            transfer: addr_of!((*context).color_trc).cast::<u32>().read(),
        }
    }
}

/// A picture of this form with unspecified contents. ffmpeg-next's own call gives one without memory where there is none.
pub(crate) fn new_picture(format: Pixel, width: u32, height: u32) -> Result<frame::Video, Error> {
    let picture = frame::Video::new(format, width, height);
    // SAFETY: a plain field of a live frame.
    if unsafe { (*picture.as_ptr()).data[0].is_null() } {
        return Err(Error::Other { errno: ffmpeg::error::ENOMEM });
    }
    Ok(picture)
}

/// The names of all demuxers of this build of FFmpeg.
pub(crate) fn demuxer_names() -> impl Iterator<Item = &'static str> {
    let mut position = ptr::null_mut();
    iter::from_fn(move || {
        // SAFETY: the position is null at first, and then what the last call left there; a demuxer lives for ever, its name
        // is a C string that does, too.
        unsafe {
            let demuxer = ffi::av_demuxer_iterate(&raw mut position).as_ref()?;
            Some(CStr::from_ptr(demuxer.name))
        }
    })
    .filter_map(|name| name.to_str().ok())
}

/// A file's tags. ffmpeg-next takes them for UTF-8, whatever they are.
pub(crate) fn file_tags(input: &Input) -> Vec<(String, String)> {
    // SAFETY: a plain field of a live context, which is borrowed for as long as the dictionary is read.
    unsafe { tags_of((*input.as_ptr()).metadata) }
}

/// A stream's tags.
pub(crate) fn stream_tags(stream: &Stream<'_>) -> Vec<(String, String)> {
    // SAFETY: as above, of a live stream.
    unsafe { tags_of((*stream.as_ptr()).metadata) }
}

/// A chapter's tags.
pub(crate) fn chapter_tags(chapter: &Chapter<'_>) -> Vec<(String, String)> {
    // SAFETY: as above, of a live chapter.
    unsafe { tags_of((*chapter.as_ptr()).metadata) }
}

/// # Safety
/// The dictionary is null or live, and not changed meanwhile.
unsafe fn tags_of(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    let mut entry: *const ffi::AVDictionaryEntry = ptr::null();
    loop {
        // SAFETY: the dictionary is null, which has no entries, or live; the entry is none or one of its own.
        entry = unsafe { ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX) };
        // SAFETY: an entry's key and value are strings that end in a zero and live as long as it.
        let Some((key, value)) = (unsafe { entry.as_ref() })
            .map(|entry| unsafe { (CStr::from_ptr(entry.key), CStr::from_ptr(entry.value)) })
        else {
            return tags;
        };
        tags.push((text_of(key.to_bytes()), text_of(value.to_bytes())));
    }
}

/// UTF-8, else Latin-1, in which old files are written.
fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}

/// Makes sure that nobody else (an encoder that looks ahead) still reads the frame, with a new buffer if need be.
pub(crate) fn make_writable(frame: &mut frame::Frame) -> Result<(), Error> {
    // SAFETY: the pointer is that of a live frame with reference-counted buffers.
    match unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) } {
        code if code < 0 => Err(Error::from(code)),
        _ => Ok(()),
    }
}

/// Whether pictures in this format have an opacity, a palette's included.
pub(crate) fn has_alpha(format: Pixel) -> bool {
    // SAFETY: descriptors are static; the call returns null for what it does not know.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(format.into()).as_ref() };
    descriptor.is_some_and(|descriptor| descriptor.flags & ffi::AV_PIX_FMT_FLAG_ALPHA as u64 != 0)
}

/// Whether pictures in this format are RGB or a palette of it, which no Y'CbCr matrix is about.
pub(crate) fn is_rgb(format: Pixel) -> bool {
    // SAFETY: descriptors are static; the call returns null for what it does not know.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(format.into()).as_ref() };
    let rgb = (ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) as u64;
    descriptor.is_some_and(|descriptor| descriptor.flags & rgb != 0)
}

/// The width of a stream's pixels to their height as the container says, which wins over what the codec says; 0 where it
/// says nothing.
pub(crate) fn container_pixel_aspect(stream: &Stream<'_>) -> Rational {
    // SAFETY: a plain field of a live stream.
    unsafe { (*stream.as_ptr()).sample_aspect_ratio }.into()
}

/// Forgets the source container's code for the codec, so that the muxer picks its own.
pub(crate) fn clear_codec_tag(stream: &mut StreamMut<'_>) {
    // SAFETY: a stream always has parameters, and nobody else holds them while the stream is borrowed mutably.
    unsafe { (*(*stream.as_mut_ptr()).codecpar).codec_tag = 0 };
}

/// Gives the codec of a stream this code in its container.
pub(crate) fn set_codec_tag(stream: &mut StreamMut<'_>, tag: [u8; 4]) {
    // SAFETY: as above.
    unsafe { (*(*stream.as_mut_ptr()).codecpar).codec_tag = u32::from_le_bytes(tag) };
}

/// Makes a stream one of subtitles of this codec, with what stands before its packets.
pub(crate) fn set_subtitle_parameters(
    stream: &mut StreamMut<'_>,
    codec: Id,
    header: &[u8],
) -> Result<(), Error> {
    // SAFETY: a stream always has parameters, and nobody else holds them while the stream is borrowed mutably. The
    // header is copied into memory of FFmpeg's own, padded with zeros as it asks, which the parameters free.
    unsafe {
        let parameters = (*stream.as_mut_ptr()).codecpar;
        (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_SUBTITLE;
        (*parameters).codec_id = codec.into();
        if !header.is_empty() {
            let copy =
                ffi::av_mallocz(header.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
            if copy.is_null() {
                return Err(Error::Other { errno: ffmpeg::error::ENOMEM });
            }
            copy.copy_from_nonoverlapping(header.as_ptr(), header.len());
            (*parameters).extradata = copy;
            (*parameters).extradata_size = header.len() as i32;
        }
    }
    Ok(())
}

/// Tells the demuxer not to read this stream at all.
pub(crate) fn discard(stream: &mut StreamMut<'_>) {
    // SAFETY: a plain field of a live stream, meant to be set by the caller.
    unsafe { (*stream.as_mut_ptr()).discard = ffi::AVDiscard::AVDISCARD_ALL };
}

/// Whether a packet is there only so that those behind it can be decoded.
pub(crate) fn is_hidden(packet: &Packet) -> bool {
    // SAFETY: a plain field of a live packet.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// Why the drive gives no more of a file, where it does not; demuxers take that for the file's end.
pub(crate) fn read_error(input: &Input) -> Option<Error> {
    // SAFETY: plain fields of a live context and of its reader, which is null where the demuxer has none.
    let code = unsafe { (*input.as_ptr()).pb.as_ref() }.map_or(0, |reader| reader.error);
    (code < 0).then(|| Error::from(code)).filter(|error| *error != Error::Eof)
}

/// Goes back to the first byte.
pub(crate) fn rewind(input: &mut Input) -> Result<(), Error> {
    // SAFETY: the context is live, and nobody else uses it while it is borrowed mutably.
    match unsafe { ffi::avformat_seek_file(input.as_mut_ptr(), -1, 0, 0, 0, ffi::AVSEEK_FLAG_BYTE) } {
        code if code < 0 => Err(Error::from(code)),
        _ => Ok(()),
    }
}

/// Lets [`read_error`] tell of what is read from now on.
pub(crate) fn forget_read_error(input: &mut Input) {
    // SAFETY: plain fields of a live context and of its reader, which nobody else uses while the context is borrowed mutably.
    if let Some(reader) = unsafe { (*input.as_mut_ptr()).pb.as_mut() } {
        reader.error = 0;
    }
}

/// Whether a file's length in time is only worked out from its length in bytes.
pub(crate) fn is_duration_guessed(input: &Input) -> bool {
    use ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    // SAFETY: a plain field of a live context, which FFmpeg sets to one of its own values.
    unsafe { (*input.as_ptr()).duration_estimation_method == AVFMT_DURATION_FROM_BITRATE }
}

/// When a file's first stream starts, in microseconds; `AV_NOPTS_VALUE` where that is not known.
pub(crate) fn start_time_micros(input: &Input) -> i64 {
    // SAFETY: a plain field of a live context.
    unsafe { (*input.as_ptr()).start_time }
}
