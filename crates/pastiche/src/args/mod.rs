//! Argument groups that several subcommands share, and how their values are read.

mod controls;
mod device;
mod fraction;
mod output;
mod rate;
mod size;
mod style;
mod time;
mod upscale;

pub(crate) use controls::{ControlArgs, SmoothingArgs};
pub(crate) use device::{DeviceArgs, threads_beside_a_codec};
pub(crate) use output::{OverwriteArgs, ProgressMode, refuse_existing, refuse_input, refuse_inputs};
pub(crate) use rate::parse_frame_rate;
pub(crate) use size::{PictureSize, ProcessSizeArgs, SizeArgs, check_sides};
pub(crate) use style::{DEFAULT_STYLE, OptionalStyleArgs, StyleArgs, find_style};
pub(crate) use time::parse_time;
pub(crate) use upscale::{UPSCALE_FACTORS, UpscaleArgs};
