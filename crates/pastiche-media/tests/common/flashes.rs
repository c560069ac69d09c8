//! Films that flash and beep, by which pictures and sound are held together.

use std::path::Path;

use pastiche_frame::Frame;
use pastiche_media::DecodeOptions;

use super::{cli::ffmpeg, read_frames};

/// Whether a picture is lit: white, not black.
fn is_lit(frame: &Frame) -> bool {
    frame.data()[frame.data().len() / 2] > 128
}

/// A film of 25 pictures a second, no two of them equal, that is white, and beeps, for the first tenth of every second.
pub(crate) fn flashes(folder: &Path, name: &str, seconds: u32, coding: &str) {
    let flash = "if(lt(mod(T\\,1)\\,0.0999)\\,255\\,0)";
    let dot = "lt(Y\\,8)*eq(X\\,mod(N\\,96))";
    let beep = "0.8*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.0999)";
    ffmpeg(
        folder,
        &format!(
            "-f lavfi -i color=black:s=96x64:r=25:d={seconds},geq=lum='if({dot}\\,128\\,{flash})':cb=128:cr=128,format=yuv420p \
             -f lavfi -i aevalsrc='{beep}':s=48000:d={seconds} {coding} {name}"
        ),
    );
}

/// When the pictures turn white, in seconds.
pub(crate) fn flash_times(path: &Path) -> Vec<f64> {
    let frames = read_frames(path, &DecodeOptions::default());
    let lit: Vec<bool> = frames.iter().map(is_lit).collect();
    let turns_white = |index: &usize| lit[*index] && (*index == 0 || !lit[index - 1]);
    let flashes = (0..frames.len()).filter(turns_white).map(|index| frames[index].timestamp.as_secs_f64());
    flashes.collect()
}
