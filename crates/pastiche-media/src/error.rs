//! What can go wrong at the edge, a variant a cause.

use std::{io, path::PathBuf, time::Duration};

use ffmpeg_next as ffmpeg;

/// Why a media file could not be read or written: one line that says what, why and what to do, the path last.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// There is nothing at the path.
    #[error("there is no such file; check the name: {}", path.display())]
    InputMissing {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there but cannot be opened or read.
    #[error("the file cannot be read ({source}); check that it is a file and may be read: {}", path.display())]
    InputUnreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// FFmpeg takes paths in UTF-8 only.
    #[error("the path is not valid Unicode, which FFmpeg needs; rename it: {}", path.display())]
    PathNotUnicode {
        /// The path asked for.
        path: PathBuf,
    },
    /// There is nothing in the file.
    #[error("the file is empty, as where copying it broke off; choose another: {}", path.display())]
    InputEmpty {
        /// The file asked for.
        path: PathBuf,
    },
    /// No demuxer knows the file.
    #[error("this is not a video or sound file that FFmpeg knows, or it breaks off before its index ({source}); choose another file: {}", path.display())]
    NotMedia {
        /// The file asked for.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// The file holds only other streams, such as sound.
    #[error("there is no video in this file, only {found}; choose a file with pictures: {}", path.display())]
    NoVideo {
        /// What the file holds instead.
        found: String,
        /// The file asked for.
        path: PathBuf,
    },
    /// The pictures are locked.
    #[error("the video is encrypted; choose a copy that is not: {}", path.display())]
    Encrypted {
        /// The file asked for.
        path: PathBuf,
    },
    /// There is no sound of the number asked for.
    #[error("there is no sound number {number} in this file, which has {count}; count from 1: {}", path.display())]
    NoSuchSound {
        /// The number asked for.
        number: usize,
        /// How many there are.
        count: usize,
        /// The file asked for.
        path: PathBuf,
    },
    /// This build of FFmpeg lacks the decoder, or the decoder refuses the stream.
    #[error("FFmpeg cannot decode {codec} ({source}); convert the file to H.264 first: {}", path.display())]
    NoDecoder {
        /// The codec's name.
        codec: &'static str,
        /// The file asked for.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// A start time at or after the end of the video.
    #[error(
        "the start of {:.3} s is past the end of the video at {:.3} s; choose an earlier one: {}",
        start.as_secs_f64(), length.as_secs_f64(), path.display()
    )]
    StartPastEnd {
        /// The start asked for.
        start: Duration,
        /// How long the video is.
        length: Duration,
        /// The file asked for.
        path: PathBuf,
    },
    /// Reading stopped in the middle of the file.
    #[error("reading stopped in the middle of the file ({source}); it may be damaged: {}", path.display())]
    Read {
        /// The file being read.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// A picture came out of the decoder in a form that cannot be converted.
    #[error("a decoded picture could not be converted to RGB ({source}); the file may be damaged: {}", path.display())]
    Convert {
        /// The file being read.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// A name with a number's place in it that no picture has.
    #[error("there are no pictures of this name; check its folder and digits: {}", path.display())]
    NoSequence {
        /// The name asked for.
        path: PathBuf,
    },
    /// Animated pictures that cannot be read.
    #[error("the animation cannot be read ({reason}); choose another file: {}", path.display())]
    Animation {
        /// The file asked for.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder to write into does not exist.
    #[error("the output folder does not exist; create it or choose another: {}", folder.display())]
    OutputFolderMissing {
        /// The folder named by the output path.
        folder: PathBuf,
    },
    /// The output file cannot be created or replaced.
    #[error("the output cannot be written ({source}); choose another place: {}", path.display())]
    OutputNotWritable {
        /// The output asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output is whole, but cannot have its name.
    #[error("the finished output cannot be renamed to {} ({source}); do that by hand: {}", path.display(), part.display())]
    NotRenamed {
        /// The output asked for.
        path: PathBuf,
        /// Where it is.
        part: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Every temporary name for the output is taken by a file that is there already.
    #[error("too many jobs write this output at once, or its temporary files cannot be told from theirs; remove those that are no longer written: {}", path.display())]
    PartialFilesTaken {
        /// The last name that was tried.
        path: PathBuf,
    },
    /// The output's name ends in something that is not written.
    #[error("this kind of output is not written; let its name end in {supported}: {}", path.display())]
    OutputKind {
        /// The endings that are.
        supported: &'static str,
        /// The output asked for.
        path: PathBuf,
    },
    /// A piece of a video that was written before is not as it was.
    #[error("a finished piece of the video is damaged; remove its folder to start anew: {}", path.display())]
    PartDamaged {
        /// The piece.
        path: PathBuf,
    },
    /// The drive takes no more: it is full, or gone.
    #[error("writing stopped ({source}); make room on the drive, or choose another: {}", path.display())]
    Drive {
        /// The output asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The container refuses a stream, its tags, or a packet.
    #[error("the file cannot be written like this ({source}); choose another kind of output: {}", path.display())]
    Write {
        /// The output asked for.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// A size that 4:2:0 video cannot have.
    #[error("a video of {width}x{height} cannot be encoded; both sides must be even and from 2 to {max}; choose another size", max = crate::MAX_SIDE)]
    EncodeSize {
        /// The width asked for.
        width: u32,
        /// The height asked for.
        height: u32,
    },
    /// A frame of another size than the encoder was opened for.
    #[error(
        "a frame of {width}x{height} was sent to an encoder for {expected_width}x{expected_height}; scale it first"
    )]
    FrameSize {
        /// The frame's width.
        width: u32,
        /// The frame's height.
        height: u32,
        /// The video's width.
        expected_width: u32,
        /// The video's height.
        expected_height: u32,
    },
    /// The encoder asked for by name is unknown, not built in, or does not open on this machine.
    #[error("the encoder {name:?} does not work here ({reason}); those that do: {usable}")]
    EncoderMissing {
        /// The encoder asked for.
        name: String,
        /// Why it does not work.
        reason: String,
        /// The encoders that do, separated by commas.
        usable: String,
    },
    /// Not one of the encoders that the crate knows opens.
    #[error("no video encoder works here; install an FFmpeg with libx264 or libopenh264")]
    NoEncoder,
    /// An encoder was given a setting that it does not take.
    #[error("the encoder {encoder} takes no {option} of {value:?}; it takes {allowed}")]
    EncoderOption {
        /// The encoder chosen.
        encoder: &'static str,
        /// The setting's name.
        option: &'static str,
        /// The value asked for.
        value: String,
        /// What it takes.
        allowed: String,
    },
    /// The encoder refused a picture.
    #[error("the encoder {encoder} failed ({source}); try another encoder")]
    Encode {
        /// The encoder in use.
        encoder: &'static str,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// The sound could not be brought into the output.
    #[error("the sound ({codec}) could not be converted ({source}); leave it out or convert it first: {}", path.display())]
    Audio {
        /// The codec of the sound.
        codec: &'static str,
        /// The file that the sound is from.
        path: PathBuf,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// The system does not tell which cameras there are.
    #[error("the cameras cannot be listed ({reason}); check that the system allows this program to use them")]
    Cameras {
        /// What the system said.
        reason: String,
    },
    /// The camera asked for is not plugged in.
    #[error("{wanted} is not there; plug it in or choose another ({found})")]
    CameraMissing {
        /// What was asked for.
        wanted: String,
        /// The cameras that there are, in words.
        found: String,
    },
    /// Another program has the camera.
    #[error("{camera} is used by another program; close that one")]
    CameraBusy {
        /// The camera.
        camera: String,
    },
    /// The camera is not there any more.
    #[error("{camera} was unplugged; plug it in again")]
    CameraGone {
        /// The camera.
        camera: String,
    },
    /// The camera is there but gives no pictures.
    #[error("{camera} gives no pictures; unplug it and plug it in again if it does not go on")]
    CameraStalled {
        /// The camera.
        camera: String,
    },
    /// The camera, its driver or the system refused something.
    #[error("{camera} does not work ({reason}); try another camera or size")]
    CameraFailed {
        /// The camera.
        camera: String,
        /// What was said.
        reason: String,
    },
    /// A camera's picture cannot be decoded.
    #[error("the pictures of {camera} cannot be decoded ({source}); try another camera or size")]
    CameraPicture {
        /// The camera.
        camera: String,
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// The system does not tell which microphones there are.
    #[error(
        "the microphones cannot be listed ({reason}); check that the system allows this program to use them"
    )]
    Microphones {
        /// What the system said.
        reason: String,
    },
    /// The microphone asked for is not plugged in.
    #[error("{wanted} is not there; plug it in or choose another (there are: {found})")]
    MicrophoneMissing {
        /// What was asked for.
        wanted: String,
        /// The microphones that there are.
        found: String,
    },
    /// Another program has the microphone.
    #[error("{microphone} is used by another program; close that one")]
    MicrophoneBusy {
        /// The microphone.
        microphone: String,
    },
    /// The microphone is not there, or not any more.
    #[error("{microphone} is not there; plug it in or choose another")]
    MicrophoneGone {
        /// The microphone.
        microphone: String,
    },
    /// The microphone is there but gives no sound.
    #[error("{microphone} gives no sound; unplug it and plug it in again if it does not go on")]
    MicrophoneStalled {
        /// The microphone.
        microphone: String,
    },
    /// The microphone, its driver or the system refused something.
    #[error("{microphone} does not work ({reason}); try another microphone")]
    MicrophoneFailed {
        /// The microphone.
        microphone: String,
        /// What was said.
        reason: String,
    },
    /// A microphone's sound could not be encoded.
    #[error("the microphone's sound could not be encoded ({source}); record without it")]
    MicrophoneSound {
        /// What FFmpeg said.
        source: ffmpeg::Error,
    },
    /// There is no virtual camera.
    #[error("there is no virtual camera; {remedy}")]
    NoVirtualCamera {
        /// How to get one.
        remedy: &'static str,
    },
    /// A virtual camera does not take pictures.
    #[error("the virtual camera cannot be used ({reason}); choose another: {}", path.display())]
    VirtualCamera {
        /// What the system said.
        reason: String,
        /// The device.
        path: PathBuf,
    },
    /// A still that is larger than pictures can be.
    #[error("the picture has more than {max} pixels on a side; reduce it before: {}", path.display(), max = crate::MAX_SIDE)]
    ImageTooLarge {
        /// The file asked for.
        path: PathBuf,
    },
    /// A still of a kind that is not read, or a damaged one.
    #[error("the picture cannot be read ({source}); PNG, JPEG, WebP, TIFF and BMP can: {}", path.display())]
    ImageRead {
        /// The file asked for.
        path: PathBuf,
        /// What the image library said.
        source: image::ImageError,
    },
    /// A still could not be written.
    #[error("the picture cannot be written ({source}); check the space left on the drive: {}", path.display())]
    ImageWrite {
        /// The output asked for.
        path: PathBuf,
        /// What the image library said.
        source: image::ImageError,
    },
}

/// The crate's result.
pub(crate) type Result<T, E = MediaError> = std::result::Result<T, E>;
