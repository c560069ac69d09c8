//! `pastiche-train evaluate --super-resolution`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pastiche_train::{
    evaluate::{self, Reduction, SuperResolutionReport},
    photos::PhotoFolder,
};

use super::{Outcome, console::Counter};

/// Measuring super-resolution.
#[derive(Args)]
pub(crate) struct SuperResolutionArgs {
    /// Instead of a style, measure enlargement on the pictures of a folder: they are made small, enlarged again, and
    /// compared with what they were.
    #[arg(long = "super-resolution", value_name = "DIR", conflicts_with_all = ["style", "painting", "photos"])]
    folder: Option<PathBuf>,

    /// By how much the pictures are made small.
    #[arg(long, value_name = "N", default_value_t = 4, requires = "folder", value_parser = clap::value_parser!(u32).range(2..=16))]
    factor: u32,

    /// Deviation in pixels of the Gaussian blur before they are made small.
    #[arg(long, value_name = "PIXELS", default_value_t = 0.0, requires = "folder", value_parser = blur)]
    blur: f64,
}

fn blur(word: &str) -> Result<f64, String> {
    let value: f64 = word.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=16.0).contains(&value) { Ok(value) } else { Err("from 0 to 16".to_owned()) }
}

impl SuperResolutionArgs {
    /// Measures, where a folder is given.
    pub(crate) fn run(&self, json: bool) -> Option<Result<Outcome>> {
        self.folder.as_ref().map(|folder| {
            let pictures = PhotoFolder::open(folder)?;
            let mut counter = Counter::new("pictures", pictures.photos().len() as u64);
            let reduction = Reduction { factor: self.factor, blur: self.blur };
            let mut progress = |done: usize| counter.update(done as u64);
            let report = evaluate::super_resolution(&pictures, reduction, &mut progress)?;
            drop(counter);
            if json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                print(&report);
            }
            Ok(Outcome::Done)
        })
    }
}

fn print(report: &SuperResolutionReport) {
    let SuperResolutionReport { factor, blur, pictures, rows } = report;
    let blurred = if *blur > 0.0 { format!(", blurred by {blur} before") } else { String::new() };
    println!("x{factor}, mean of {pictures} pictures{blurred}");
    for row in rows {
        println!("  {:<12} {:>7.2} dB   SSIM {:.4}", row.method, row.psnr, row.ssim);
    }
}
