//! Every kind of colour that files come in, against its definition: depths, samplings, ranges, matrices, wide gamut, high
//! dynamic range, RGB, palettes and transparency.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::path::Path;

use common::{
    cli::ffmpeg,
    convert::convert,
    flat::{Coding, LightTags, first_picture, write_flat_as},
    options, read_frames,
};
use ffmpeg_next::{
    color::{Primaries, Range, Space, TransferCharacteristic as Transfer},
    format::Pixel,
};
use pastiche_frame::Frame;
use pastiche_media::{AudioMode, DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder};

const COLORS: [[u8; 3]; 6] =
    [[200, 60, 40], [40, 180, 60], [50, 70, 200], [128, 128, 128], [230, 220, 60], [16, 16, 16]];

const UNTAGGED: LightTags = LightTags { primaries: Primaries::Unspecified, transfer: Transfer::Unspecified };

fn middle(frame: &Frame) -> [u8; 3] {
    let at = frame.height() as usize / 2 * frame.stride_bytes() + frame.width() as usize / 2 * 3;
    frame.data()[at..at + 3].try_into().unwrap()
}

fn assert_near(actual: [u8; 3], expected: [f64; 3], what: &str) {
    for (actual_channel, expected_channel) in actual.iter().zip(expected) {
        let difference = (f64::from(*actual_channel) - expected_channel).abs();
        assert!(difference <= 2.0, "{what}: {actual:?} is not {expected:.1?}");
    }
}

/// Decodes the file's first picture; encodes it at the best quality, and decodes that.
fn there_and_back(path: &Path) -> ([u8; 3], [u8; 3]) {
    let first = |path: &Path| middle(&read_frames(path, &DecodeOptions::default())[0]);
    let output = path.with_extension("out.mp4");
    let decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let (width, height) = decoder.size();
    let color_space = decoder.info().color_space;
    let mut encoder =
        VideoEncoder::create(&output, &EncodeOptions { color_space, crf: Some(1), ..options(width, height) })
            .unwrap();
    encoder.write(&read_frames(path, &DecodeOptions::default())[0]).unwrap();
    encoder.finish().unwrap();
    let coded = first_picture(&output);
    assert_eq!(coded.color_range(), Range::MPEG, "{}", path.display());
    assert!(matches!(coded.color_space(), Space::BT709 | Space::SMPTE170M), "{}", path.display());
    assert_eq!(coded.color_transfer_characteristic(), Transfer::BT709, "{}", path.display());
    (first(path), first(&output))
}

/// Code values of an R'G'B' colour from 0 to 1, by ITU-R BT.709, 601 and 2020 (one formula, three pairs of weights).
fn codes(rgb: [f64; 3], matrix: Space, range: Range, bits: u32) -> [u16; 3] {
    let (kr, kb) = match matrix {
        Space::BT709 => (0.2126, 0.0722),
        Space::BT2020NCL => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    };
    let [r, g, b] = rgb;
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
    let unit = f64::from(1 << (bits - 8));
    let full = f64::from((1 << bits) - 1);
    let values = match range {
        Range::JPEG => [y * full, u * full + 128.0 * unit, v * full + 128.0 * unit],
        _ => [(219.0 * y + 16.0) * unit, (224.0 * u + 128.0) * unit, (224.0 * v + 128.0) * unit],
    };
    values.map(|value| value.round() as u16)
}

#[test]
fn every_depth_sampling_range_and_matrix_gives_its_colours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flat.mkv");
    let formats = [
        (Pixel::YUV420P, 8),
        (Pixel::YUV422P, 8),
        (Pixel::YUV444P, 8),
        (Pixel::YUV411P, 8),
        (Pixel::YUV440P, 8),
        (Pixel::YUV420P10LE, 10),
        (Pixel::YUV422P10LE, 10),
        (Pixel::YUV444P10LE, 10),
        (Pixel::YUV420P12LE, 12),
        (Pixel::YUV422P12LE, 12),
        (Pixel::YUV444P12LE, 12),
    ];
    for (format, bits) in formats {
        for matrix in [Space::SMPTE170M, Space::BT709] {
            for range in [Range::MPEG, Range::JPEG] {
                for rgb in COLORS {
                    let yuv = codes(rgb.map(|c| f64::from(c) / 255.0), matrix, range, bits);
                    write_flat_as(&path, (64, 48), format, yuv, Coding { matrix, range }, UNTAGGED);
                    let (decoded, again) = there_and_back(&path);
                    let what = format!("{rgb:?} in {format:?}, {matrix:?}, {range:?}");
                    assert_near(decoded, rgb.map(f64::from), &what);
                    assert_near(again, rgb.map(f64::from), &what);
                }
            }
        }
    }
}

/// Linear BT.2020 from linear BT.709, by ITU-R BT.2087.
fn wide_from_linear([r, g, b]: [f64; 3]) -> [f64; 3] {
    [
        0.6274 * r + 0.3293 * g + 0.0433 * b,
        0.0691 * r + 0.9195 * g + 0.0114 * b,
        0.0164 * r + 0.0880 * g + 0.8956 * b,
    ]
}

/// SMPTE ST 2084, equation 4.1's inverse.
fn pq(nits: f64) -> f64 {
    let power = (nits / 10_000.0).powf(0.159_301_757_812_5);
    ((0.835_937_5 + 18.851_562_5 * power) / (1.0 + 18.6875 * power)).powf(78.843_75)
}

/// ITU-R BT.2100's inverse OOTF for 1000 nits, and its OETF.
fn hlg(nits: [f64; 3]) -> [f64; 3] {
    let luma = 0.2627 * nits[0] + 0.678 * nits[1] + 0.0593 * nits[2];
    let scene_luma = (luma / 1000.0).powf(1.0 / 1.2);
    nits.map(|channel| {
        let scene = if scene_luma > 0.0 { channel / (1000.0 * scene_luma.powf(0.2)) } else { 0.0 };
        if scene <= 1.0 / 12.0 {
            (3.0 * scene).sqrt()
        } else {
            0.178_832_77 * (12.0 * scene - 0.284_668_92).ln() + 0.559_910_73
        }
    })
}

/// Colours that a wide or bright coding can hold exactly: dark enough to lie below the knee of the tone curve.
const MODEST: [[u8; 3]; 5] = [[170, 60, 40], [40, 160, 60], [50, 70, 170], [128, 128, 128], [16, 16, 16]];

/// BT.2020 of an SDR colour, whose white is graphics white, 203 nits.
fn write_wide(path: &Path, (format, bits): (Pixel, u32), range: Range, nits: [f64; 3], transfer: Transfer) {
    let signal = match transfer {
        Transfer::SMPTE2084 => nits.map(pq),
        Transfer::ARIB_STD_B67 => hlg(nits),
        _ => nits.map(|channel| (channel / 203.0).powf(1.0 / 2.4)),
    };
    let yuv = codes(signal, Space::BT2020NCL, range, bits);
    let coding = Coding { matrix: Space::BT2020NCL, range };
    let light = LightTags { primaries: Primaries::BT2020, transfer };
    write_flat_as(path, (64, 48), format, yuv, coding, light);
}

#[test]
fn wide_gamut_and_high_dynamic_range_become_what_screens_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.mkv");
    for (format, range) in [
        ((Pixel::YUV420P10LE, 10), Range::MPEG),
        ((Pixel::YUV422P10LE, 10), Range::MPEG),
        ((Pixel::YUV420P10LE, 10), Range::JPEG),
        ((Pixel::YUV444P12LE, 12), Range::MPEG),
    ] {
        for transfer in [Transfer::BT2020_10, Transfer::SMPTE2084, Transfer::ARIB_STD_B67] {
            for rgb in MODEST {
                let linear = rgb.map(|c| (f64::from(c) / 255.0).powf(2.4) * 203.0);
                write_wide(&path, format, range, wide_from_linear(linear), transfer);
                let (decoded, again) = there_and_back(&path);
                let what = format!("{rgb:?} in {transfer:?}, {format:?}, {range:?}");
                assert_near(decoded, rgb.map(f64::from), &what);
                assert_near(again, rgb.map(f64::from), &what);
            }
        }
    }
}

#[test]
fn highlights_are_bent_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bright.mkv");
    for transfer in [Transfer::SMPTE2084, Transfer::ARIB_STD_B67] {
        let shown = [100.0, 150.0, 203.0, 300.0, 400.0, 1000.0].map(|nits| {
            write_wide(&path, (Pixel::YUV420P10LE, 10), Range::MPEG, [nits; 3], transfer);
            middle(&read_frames(&path, &DecodeOptions::default())[0])[1]
        });
        assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{transfer:?}: {shown:?}");
        assert!(
            (190..235).contains(&shown[2]) && shown[4] < 253 && shown[5] >= 253,
            "{transfer:?}: {shown:?}"
        );
    }
}

#[test]
fn rgb_and_palettes_give_their_colours() {
    let folder = tempfile::tempdir().unwrap();
    for (name, coding) in [
        ("a.png", "-frames:v 1 -pix_fmt rgb24"),
        ("b.png", "-frames:v 1 -pix_fmt rgb48be"),
        ("c.mov", "-c:v qtrle -pix_fmt rgb24"),
        ("d.mkv", "-c:v ffv1 -pix_fmt bgr0"),
        ("e.mkv", "-c:v ffv1 -pix_fmt gbrp10le"),
        ("f.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("g.mp4", "-c:v libx264rgb -qp 0 -pix_fmt rgb24"),
        ("h.gif", ""),
        ("i.png", "-frames:v 1 -pix_fmt pal8"),
    ] {
        for rgb in COLORS {
            let hex: String = rgb.iter().map(|c| format!("{c:02x}")).collect();
            let palette = if coding.contains("pal8") || name.ends_with("gif") {
                ",split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse"
            } else {
                ""
            };
            ffmpeg(
                folder.path(),
                format!(
                    "-filter_complex color=0x{hex}:s=64x48:r=25:d=0.2,format=gbrp{palette} {coding} {name}"
                )
                .replace("  ", " ")
                .as_str(),
            );
            let (decoded, again) = there_and_back(&folder.path().join(name));
            assert_near(decoded, rgb.map(f64::from), name);
            assert_near(again, rgb.map(f64::from), name);
        }
    }
}

#[test]
fn what_is_transparent_is_over_black() {
    let folder = tempfile::tempdir().unwrap();
    for (name, coding) in [
        ("a.png", "-frames:v 1 -pix_fmt rgba"),
        ("b.mov", "-c:v qtrle -pix_fmt argb"),
        ("c.mkv", "-c:v ffv1 -pix_fmt yuva444p"),
        ("d.mov", "-c:v png -pix_fmt rgba64be"),
        ("e.mov", "-c:v prores_ks -pix_fmt yuva444p10le -profile:v 4444 -alpha_bits 16 -q:v 1"),
        ("f.webm", "-c:v libvpx-vp9 -pix_fmt yuva420p -lossless 1"),
        ("g.webm", "-c:v libvpx -pix_fmt yuva420p -auto-alt-ref 0 -crf 4 -b:v 5M"),
        ("h.webp", "-c:v libwebp_anim -lossless 1"),
    ] {
        ffmpeg(
            folder.path(),
            &format!("-f lavfi -i color=0xc83c28@0.5:s=64x48:r=25:d=0.2,format=rgba {coding} {name}"),
        );
        let (decoded, again) = there_and_back(&folder.path().join(name));
        // An opacity of 0.5 is stored as 127 or 128 of 255.
        assert_near(decoded, [100.0, 30.0, 20.0], name);
        assert_near(again, [100.0, 30.0, 20.0], name);
    }
    ffmpeg(
        folder.path(),
        "-filter_complex color=0xffffff@0:s=64x48:r=25:d=0.2,format=rgba,split[a][b];[a]palettegen[p];[b][p]paletteuse clear.gif",
    );
    assert_near(there_and_back(&folder.path().join("clear.gif")).0, [0.0; 3], "a transparent GIF");
}

#[test]
fn a_phone_s_ten_bit_film_is_shown_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=0.4 -vf format=yuv420p10le -c:v libx265 -x265-params log-level=none \
         -color_primaries bt2020 -color_trc arib-std-b67 -colorspace bt2020nc -tag:v hvc1 phone.mov",
    );
    let (source, output) = (folder.path().join("phone.mov"), folder.path().join("out.mp4"));
    convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
    let picture = first_picture(&output);
    assert_eq!((picture.color_space(), picture.color_primaries()), (Space::BT709, Primaries::BT709));
    assert_eq!(picture.color_transfer_characteristic(), Transfer::BT709);
    assert_eq!(read_frames(&output, &DecodeOptions::default()).len(), 10);
}
