//! The video encoders that are tried, in order, and what quality and preset mean to each.

use ffmpeg::{Dictionary, codec, color, encoder, format::Pixel};
use ffmpeg_next as ffmpeg;
use pastiche_frame::{ColorMatrix, Rational};

use crate::{
    MediaError, color::matrix_tag, container::Container, error::Result, input::ffmpeg_rational,
    times::coarser_time_base, vaapi::Uploader,
};

/// A video encoder that works on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderInfo {
    /// The name to ask for, such as `libx264`.
    pub name: &'static str,
    /// What it is, in FFmpeg's words.
    pub description: String,
}

/// Constant rate factors that x264 takes at 8 bits; the other encoders' scales are mapped to it.
const CRF_RANGE: std::ops::RangeInclusive<u8> = 0..=51;
/// Hard to tell from the original.
const DEFAULT_CRF: u8 = 18;
/// x264's kernel of AVX-512 for its macroblock tree reads memory that nobody wrote where a row of macroblocks does not fill
/// its registers, so that the same pictures become other bytes. This names the instructions before.
const X264_WITHOUT_AVX512: &str = "asm=avx2,bmi2,fma3";
/// Of VP9, from 0 to 8: quick enough not to hold up a network, at little loss.
const VP9_SPEED: &str = "5";
/// Assumed where the source does not say.
const FALLBACK_FRAME_RATE: i32 = 30;

/// One encoder of the list.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    memory: Memory,
    quality: Quality,
    /// Those it takes, the default first; none where it has no such setting.
    presets: &'static [&'static str],
    /// The largest denominator of a time base that its bitstream holds.
    max_time_base_den: i32,
}

/// Where an encoder reads its pictures.
#[derive(Debug)]
enum Memory {
    /// The computer's.
    Main,
    /// That of a VA-API device.
    Vaapi,
}

/// How an encoder is told to keep the quality constant.
#[derive(Debug)]
enum Quality {
    /// x264's own scale.
    ConstantRateFactor,
    /// NVENC's, which is close to x264's.
    VariableRateTarget,
    /// A fixed H.264 quantiser, 1 to 51, whose scale x264's follows.
    FixedQuantiser,
    /// By a bit rate worked out from the size, the frame rate and the factor.
    BitRate,
    /// MPEG-4's quantiser, 1 to 31.
    Mpeg4Quantiser,
    /// VP9's, 0 to 63.
    Vp9,
}

/// Those of NVIDIA's encoders.
const NVENC_PRESETS: &[&str] = &["p5", "p1", "p2", "p3", "p4", "p6", "p7", "slow", "medium", "fast"];

/// In order of preference: hardware first, then the best software, then what every FFmpeg has.
const KINDS: [Kind; 8] = [
    Kind {
        name: "h264_nvenc",
        memory: Memory::Main,
        quality: Quality::VariableRateTarget,
        presets: NVENC_PRESETS,
        max_time_base_den: i32::MAX,
    },
    Kind {
        name: "h264_videotoolbox",
        memory: Memory::Main,
        quality: Quality::BitRate,
        presets: &[],
        max_time_base_den: i32::MAX,
    },
    Kind {
        name: "h264_vaapi",
        memory: Memory::Vaapi,
        quality: Quality::FixedQuantiser,
        presets: &[],
        max_time_base_den: i32::MAX,
    },
    Kind {
        name: "libx264",
        memory: Memory::Main,
        quality: Quality::ConstantRateFactor,
        presets: &[
            "veryfast",
            "ultrafast",
            "superfast",
            "faster",
            "fast",
            "medium",
            "slow",
            "slower",
            "veryslow",
            "placebo",
        ],
        max_time_base_den: i32::MAX,
    },
    Kind {
        name: "libopenh264",
        memory: Memory::Main,
        quality: Quality::BitRate,
        presets: &[],
        max_time_base_den: i32::MAX,
    },
    Kind {
        name: "mpeg4",
        memory: Memory::Main,
        quality: Quality::Mpeg4Quantiser,
        presets: &[],
        max_time_base_den: 65_535,
    },
    // Smaller files, which fewer players take: only where it is asked for, or nothing else takes the size.
    Kind {
        name: "hevc_nvenc",
        memory: Memory::Main,
        quality: Quality::VariableRateTarget,
        presets: NVENC_PRESETS,
        max_time_base_den: i32::MAX,
    },
    // For WebM, which takes none of the others.
    Kind {
        name: "libvpx-vp9",
        memory: Memory::Main,
        quality: Quality::Vp9,
        presets: &["good", "realtime", "best"],
        max_time_base_den: 1_000_000_000,
    },
];

/// What an encoder is opened for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) time_base: Rational,
    pub(crate) frame_rate: Option<Rational>,
    pub(crate) matrix: ColorMatrix,
    pub(crate) crf: Option<u8>,
    pub(crate) preset: Option<&'a str>,
    /// Where the pictures go.
    pub(crate) container: Container,
}

/// An encoder ready for pictures.
pub(crate) struct OpenEncoder {
    pub(crate) name: &'static str,
    pub(crate) encoder: encoder::Video,
    /// The clock for the pictures' times; coarser than the one asked for where the encoder needs that.
    pub(crate) time_base: Rational,
    /// What a picture is converted to before it is sent, or uploaded first where there is an uploader.
    pub(crate) picture_format: Pixel,
    pub(crate) uploader: Option<Uploader>,
}

/// Opens the encoder asked for by name, else the first of the list that opens and takes the settings.
pub(crate) fn open(name: Option<&str>, settings: &Settings<'_>) -> Result<OpenEncoder> {
    let Some(name) = name else {
        return open_first(settings);
    };
    let missing =
        |reason: String| MediaError::EncoderMissing { name: name.to_owned(), reason, usable: usable_names() };
    let kind =
        KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| missing("it is not known".to_owned()))?;
    if !kind.goes_into(settings.container) {
        return Err(missing(format!("its pictures do not go into {}", settings.container.name())));
    }
    kind.check(settings)?;
    kind.open(settings).map_err(|error| missing(error.to_string()))
}

fn open_first(settings: &Settings<'_>) -> Result<OpenEncoder> {
    let mut refusal = None;
    for kind in KINDS.iter().filter(|kind| kind.goes_into(settings.container)) {
        match kind.check(settings) {
            Ok(()) => match kind.open(settings) {
                Ok(opened) => return Ok(opened),
                Err(error) => log::info!("{} does not open here ({error})", kind.name),
            },
            // The first that works says what it takes, should no later one take the settings.
            Err(refused) if refusal.is_none() && kind.opens(settings) => refusal = Some(refused),
            Err(_) => {}
        }
    }
    Err(refusal.unwrap_or(MediaError::NoEncoder))
}

/// The encoders that open on this machine, in order of preference.
pub fn available_encoders() -> Vec<EncoderInfo> {
    crate::init();
    // A common size: some hardware refuses very small ones.
    let settings = Settings {
        width: 1280,
        height: 720,
        time_base: Rational::MICROSECONDS,
        frame_rate: None,
        matrix: ColorMatrix::Bt709,
        crf: None,
        preset: None,
        container: Container::Mp4,
    };
    KINDS
        .iter()
        .filter(|kind| kind.opens(&settings))
        .map(|kind| EncoderInfo {
            name: kind.name,
            description: encoder::find_by_name(kind.name)
                .map_or_else(String::new, |codec| codec.description().to_owned()),
        })
        .collect()
}

fn usable_names() -> String {
    let names: Vec<_> = available_encoders().iter().map(|encoder| encoder.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl Kind {
    /// Refuses what this encoder cannot honour.
    fn check(&self, settings: &Settings<'_>) -> Result<()> {
        let refuse =
            |option, value, allowed| MediaError::EncoderOption { encoder: self.name, option, value, allowed };
        if let Some(crf) = settings.crf.filter(|crf| !CRF_RANGE.contains(crf)) {
            return Err(refuse(
                "crf",
                crf.to_string(),
                format!("{} to {}", CRF_RANGE.start(), CRF_RANGE.end()),
            ));
        }
        match settings.preset {
            Some(preset) if !self.presets.contains(&preset) => {
                let allowed =
                    if self.presets.is_empty() { "none".to_owned() } else { self.presets.join(", ") };
                Err(refuse("preset", preset.to_owned(), allowed))
            }
            _ => Ok(()),
        }
    }

    /// Whether a container takes what it makes; what this FFmpeg does not have goes nowhere.
    fn goes_into(&self, container: Container) -> bool {
        encoder::find_by_name(self.name).is_none_or(|codec| container.takes_video(codec.id()))
    }

    /// Whether it works at all, with its own defaults.
    fn opens(&self, settings: &Settings<'_>) -> bool {
        self.open(&Settings { crf: None, preset: None, ..*settings }).is_ok()
    }

    /// The form of its pictures in main memory.
    fn picture_format(&self) -> Pixel {
        match self.memory {
            Memory::Main => Pixel::YUV420P,
            Memory::Vaapi => Uploader::PICTURE_FORMAT,
        }
    }

    fn uploader(&self, settings: &Settings<'_>) -> Result<Option<Uploader>, ffmpeg::Error> {
        match self.memory {
            Memory::Main => Ok(None),
            Memory::Vaapi => Uploader::open(settings.width, settings.height).map(Some),
        }
    }

    fn open(&self, settings: &Settings<'_>) -> Result<OpenEncoder, ffmpeg::Error> {
        let codec = encoder::find_by_name(self.name).ok_or(ffmpeg::Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
        let time_base = coarser_time_base(settings.time_base, self.max_time_base_den);
        video.set_width(settings.width);
        video.set_height(settings.height);
        let uploader = self.uploader(settings)?;
        match &uploader {
            Some(uploader) => uploader.feed(&mut video)?,
            None => video.set_format(self.picture_format()),
        }
        video.set_time_base(ffmpeg_rational(time_base));
        // Rate control and the level need a plausible rate, which a fine time base is not.
        let fallback = ffmpeg::Rational::new(FALLBACK_FRAME_RATE, 1);
        video.set_frame_rate(Some(settings.frame_rate.map_or(fallback, ffmpeg_rational)));
        tag_colors(&mut video, settings.matrix);

        let crf = settings.crf.unwrap_or(DEFAULT_CRF);
        // MP4 keeps the stream's headers apart from the packets.
        let mut flags = codec::Flags::GLOBAL_HEADER;
        let mut options = Dictionary::new();
        match self.quality {
            Quality::ConstantRateFactor => {
                options.set("crf", &crf.to_string());
                if has_avx512() {
                    options.set("x264-params", X264_WITHOUT_AVX512);
                }
            }
            Quality::VariableRateTarget => {
                video.set_bit_rate(0);
                options.set("rc", "vbr");
                // 0 would mean "choose for me".
                options.set("cq", &crf.max(1).to_string());
            }
            Quality::BitRate => video.set_bit_rate(bits_per_second(settings, crf)),
            Quality::FixedQuantiser => {
                options.set("rc_mode", "CQP");
                // 0 would mean "choose for me".
                options.set("qp", &crf.max(1).to_string());
            }
            Quality::Mpeg4Quantiser => {
                flags |= codec::Flags::QSCALE;
                video.set_global_quality(quantiser(crf) * ffmpeg::ffi::FF_QP2LAMBDA);
            }
            Quality::Vp9 => {
                video.set_bit_rate(0);
                options.set("crf", &vp9_quality(crf).to_string());
                options.set("cpu-used", VP9_SPEED);
                options.set("row-mt", "1");
            }
        }
        if let Some(preset) = settings.preset.or(self.presets.first().copied()) {
            options.set(if matches!(self.quality, Quality::Vp9) { "deadline" } else { "preset" }, preset);
        }
        video.set_flags(flags);
        let encoder = video.open_with(options)?;
        Ok(OpenEncoder {
            name: self.name,
            encoder,
            time_base,
            picture_format: self.picture_format(),
            uploader,
        })
    }
}

/// Whether there is AVX-512, and so all that [`X264_WITHOUT_AVX512`] names.
fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
}

/// Limited range, with the matrix and what goes with it.
fn tag_colors(video: &mut encoder::video::Video, matrix: ColorMatrix) {
    video.set_colorspace(matrix_tag(matrix));
    video.set_color_range(color::Range::MPEG);
    if matrix == ColorMatrix::Bt709 {
        video.set_color_primaries(color::Primaries::BT709);
    }
    // BT.601 and BT.709 share this curve; standard definition's primaries vary and stay unsaid.
    video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
}

/// Bits that look like `crf`: a tenth of a bit a pixel at 23, twice as many for every 6 less.
fn bits_per_second(settings: &Settings<'_>, crf: u8) -> usize {
    let frame_rate = settings.frame_rate.map_or(f64::from(FALLBACK_FRAME_RATE), Rational::as_f64);
    let pixels_per_second = f64::from(settings.width) * f64::from(settings.height) * frame_rate;
    (pixels_per_second * 0.1 * ((23.0 - f64::from(crf)) / 6.0).exp2()) as usize
}

/// MPEG-4's quantiser with the step of H.264's at this quality: a step of `2 q` there, of `0.625 * 2^(qp / 6)` here.
fn quantiser(crf: u8) -> i32 {
    let quantiser = 0.3125 * (f64::from(crf) / 6.0).exp2();
    (quantiser.round() as i32).clamp(1, 31)
}

/// VP9's quality for one on x264's scale, which ends at 51, not 63.
fn vp9_quality(crf: u8) -> u8 {
    (u16::from(crf) * 63 / 51) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_is_mapped_to_the_encoder_s_scale() {
        assert_eq!([1, 18, 23, 51].map(quantiser), [1, 3, 4, 31]);
        assert_eq!([0, 1, 18, 51].map(vp9_quality), [0, 1, 22, 63]);
        let settings = Settings {
            width: 1280,
            height: 720,
            time_base: Rational::MICROSECONDS,
            frame_rate: Rational::new(25, 1).ok(),
            matrix: ColorMatrix::Bt709,
            crf: None,
            preset: None,
            container: Container::Mp4,
        };
        assert_eq!(bits_per_second(&settings, 23), 2_304_000);
        assert_eq!(bits_per_second(&settings, 17), 4_608_000);
    }
}
