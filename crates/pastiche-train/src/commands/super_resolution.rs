//! `pastiche-train evaluate --super-resolution`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use candle_core::Device;
use clap::Args;
use image::ImageFormat;
use pastiche_nn::{Network, WeightsFile};
use pastiche_train::{
    TrainError,
    evaluate::{self, Enlargers, PaperRow, Reduction, SuperResolutionReport},
    photos::PhotoFolder,
};

use super::{
    Outcome,
    args::{DeviceArgs, refuse_missing_folder},
    console::{Counter, tell},
    wrong_usage,
};

/// Measuring super-resolution.
#[derive(Args)]
pub(crate) struct SuperResolutionArgs {
    /// Instead of a style, measure enlargement on the pictures of a folder: they are made small, enlarged again, and
    /// compared with what they were.
    #[arg(long = "super-resolution", value_name = "DIR", conflicts_with_all = ["style", "painting", "photos", "count",
          "size", "iterations", "keep", "stability", "frames", "plot"])]
    folder: Option<PathBuf>,

    /// By how much the pictures are made small.
    #[arg(long, value_name = "N", default_value_t = 4, requires = "folder", value_parser = clap::value_parser!(u32).range(2..=16))]
    factor: u32,

    /// Deviation in pixels of the Gaussian blur before they are made small.
    #[arg(long, value_name = "PIXELS", default_value_t = 0.0, requires = "folder", value_parser = blur)]
    blur: f64,

    /// Networks to measure beside bicubic enlargement: files that `pastiche-train super-resolution` made.
    #[arg(long = "network", value_name = "FILE", num_args = 1.., requires = "folder")]
    networks: Vec<PathBuf>,

    /// Measure each network a second time, its colours brought back to those of the small picture.
    #[arg(long, requires = "networks")]
    match_histograms: bool,

    /// Show the first pictures, as they were and by each method, as a PNG.
    #[arg(long, value_name = "FILE.png", requires = "folder")]
    grid: Option<PathBuf>,

    /// How many of them.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "grid", value_parser = clap::value_parser!(u16).range(1..=50))]
    grid_rows: u16,
}

fn blur(word: &str) -> Result<f64, String> {
    let value: f64 = word.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=16.0).contains(&value) { Ok(value) } else { Err("from 0 to 16".to_owned()) }
}

impl SuperResolutionArgs {
    /// Measures, where a folder is given.
    pub(crate) fn run(&self, device: &DeviceArgs, json: bool) -> Option<Result<Outcome>> {
        self.folder.as_ref().map(|folder| self.measure(folder, device, json))
    }

    fn measure(&self, folder: &Path, device: &DeviceArgs, json: bool) -> Result<Outcome> {
        if let Some(path) = &self.grid {
            if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("png")) {
                return Err(wrong_usage(format!("the grid's name must end with .png: {}", path.display())));
            }
            refuse_missing_folder(path)?;
        }
        let pictures = PhotoFolder::open(folder)?;
        let reduction = Reduction { factor: self.factor, blur: self.blur };
        let mut counter = Counter::new("pictures", pictures.photos().len() as u64);
        let (mut done, mut shown) = (0, Vec::new());
        let mut watch = |compared| {
            done += 1;
            counter.update(done);
            if self.grid.is_some() && shown.len() < usize::from(self.grid_rows) {
                shown.push(compared);
            }
        };
        let report = if self.networks.is_empty() {
            evaluate::super_resolution(&pictures, reduction, &Enlargers::default(), &mut watch)?
        } else {
            device.run(|device| {
                let networks = self.networks.iter().map(|path| open(path, device)).collect::<Result<_>>()?;
                let enlargers = Enlargers { networks, match_histograms: self.match_histograms };
                Ok(evaluate::super_resolution(&pictures, reduction, &enlargers, &mut watch)?)
            })?
        };
        drop(counter);
        if let (Some(path), Some(grid)) = (&self.grid, evaluate::grid(&shown)?) {
            let failed = || format!("the grid cannot be written: {}", path.display());
            grid.save_with_format(path, ImageFormat::Png).with_context(failed)?;
            let columns: Vec<&str> = report.rows.iter().map(|row| row.method.as_str()).collect();
            let rows: Vec<&str> = shown.iter().map(|row| row.name.as_str()).collect();
            let (columns, rows) = (columns.join(", "), rows.join(", "));
            tell(format_args!("{}: as it was, {columns}; rows: {rows}", path.display()));
        }
        if json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print(&report);
        }
        Ok(Outcome::Done)
    }
}

/// A network that enlarges, by its file's name.
fn open(path: &Path, device: &Device) -> Result<(String, Network)> {
    let failed = |source| TrainError::Style { source, path: path.to_owned() };
    let network = WeightsFile::open(path).and_then(|file| file.enlarging_network(device)).map_err(failed)?;
    Ok((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), network))
}

fn print(report: &SuperResolutionReport) {
    let SuperResolutionReport { factor, blur, pictures, rows, paper } = report;
    let blurred = if *blur > 0.0 { format!(", blurred by {blur} before") } else { String::new() };
    println!("x{factor}, mean of {pictures} pictures{blurred}");
    for row in rows {
        println!("  {:<24} {:>7.2} dB   SSIM {:.4}", row.method, row.psnr, row.ssim);
    }
    let Some(paper) = paper else { return };
    println!("the paper's rows for {}, to look at:", paper.set);
    for PaperRow { method, psnr, ssim } in &paper.rows {
        let ssim = ssim.map_or(String::new(), |ssim| format!("   SSIM {ssim:.4}"));
        println!("  {method:<24} {psnr:>7.2} dB{ssim}");
    }
    println!("  ({})", paper.note);
}
