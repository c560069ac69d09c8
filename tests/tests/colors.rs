//! Colours through the whole program: decoded, put through a style at strength 0, encoded at crf 1, and read by the
//! `ffmpeg` program, which shares nothing with it but the libraries' codecs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path};

use pastiche_e2e::{ffmpeg, run_in, write_style};

const COLORS: [[u8; 3]; 6] =
    [[200, 60, 40], [40, 180, 60], [50, 70, 200], [128, 128, 128], [230, 220, 60], [16, 16, 16]];
const SIZE: usize = 64 * 48;

/// How the source is coded, and its file.
const SOURCES: [(&str, &str); 8] = [
    ("-vf scale=out_color_matrix=bt601,format=yuv420p -colorspace smpte170m -qp 0", "sd.mp4"),
    ("-vf scale=out_color_matrix=bt709,format=yuv420p -colorspace bt709 -qp 0", "hd.mkv"),
    (
        "-vf scale=out_color_matrix=bt709:out_range=full,format=yuv420p -colorspace bt709 -color_range pc -qp 0",
        "full.mp4",
    ),
    ("-vf scale=out_color_matrix=bt709,format=yuv422p10le -colorspace bt709 -c:v ffv1", "deep.mkv"),
    ("-vf scale=out_color_matrix=bt709,format=yuv444p12le -colorspace bt709 -c:v ffv1", "deeper.mkv"),
    (
        "-vf scale=out_color_matrix=bt709,format=yuv444p -colorspace bt709 -c:v libvpx-vp9 -lossless 1",
        "web.webm",
    ),
    ("-pix_fmt gbrp -c:v ffv1", "rgb.mkv"),
    ("-vf split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse", "palette.gif"),
];

/// The middle of each picture of an output.
fn middles(folder: &Path, name: &str) -> Vec<[u8; 3]> {
    let exact = "-vf scale=flags=accurate_rnd+full_chroma_int -vsync passthrough -f rawvideo -pix_fmt rgb24";
    ffmpeg(folder, &format!("-i {name} {exact} out.rgb"));
    let pictures = fs::read(folder.join("out.rgb")).unwrap();
    let middle = |picture: &[u8]| <[u8; 3]>::try_from(&picture[3 * (24 * 64 + 32)..][..3]).unwrap();
    pictures.chunks_exact(3 * SIZE).map(middle).collect()
}

#[test]
fn flat_colors_come_out_within_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_style(&here.join("dots.safetensors"));
    let pictures: Vec<u8> = COLORS.iter().flat_map(|rgb| rgb.repeat(SIZE)).collect();
    fs::write(here.join("in.rgb"), pictures).unwrap();
    for (coding, name) in SOURCES {
        ffmpeg(here, &format!("-f rawvideo -pix_fmt rgb24 -s 64x48 -r 25 -i in.rgb {coding} {name}"));
        let options = "--style dots.safetensors --strength 0 --smoothing 0 --crf 1 --process-size 32x24 -y";
        run_in(here, &format!("video {name} -o out.mp4 {options}")).done();
        let shown = middles(here, "out.mp4");
        assert_eq!(shown.len(), COLORS.len(), "{name}");
        for (shown, expected) in shown.iter().zip(COLORS) {
            let off = shown.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= 2, "{name}: {expected:?} came out as {shown:?}");
        }
    }
}
