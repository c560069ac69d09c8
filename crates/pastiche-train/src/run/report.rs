//! `report.html`: the curves of the losses and the held-out photographs, refreshed as the training runs.

use std::{fmt::Write, io, path::Path};

use image::{ImageFormat, RgbImage};
use pastiche_nn::Network;
use plotters::prelude::*;

use super::{RunFolder, StepFigures, write_whole};
use crate::{TrainError, learner::Learner};

/// Photographs that are kept from the training, to see how it goes.
pub(crate) trait HeldOut {
    /// What to call them.
    const TITLE: &'static str;

    /// Whether none could be kept from the training, or read.
    fn is_empty(&self) -> bool;

    /// What to compare with.
    fn originals(&self) -> Result<RgbImage, TrainError>;

    /// What the network makes of them now.
    fn painted(&self, network: &Network) -> Result<RgbImage, TrainError>;
}

/// Points of a curve at most; each is the mean of the steps around it.
const POINTS: usize = 300;
const SIZE: (u32, u32) = (960, 420);

/// Writes the report.
pub(super) struct Report<H> {
    run: RunFolder,
    held_out: H,
    /// How many steps there are to be.
    steps: u64,
}

impl<H: HeldOut> Report<H> {
    pub(super) fn new(run: &RunFolder, held_out: H, steps: u64) -> Self {
        Self { run: run.clone(), held_out, steps }
    }

    /// Adds a sheet of the network as it is now and draws the curves anew.
    pub(super) fn refresh<S: StepFigures>(&self, learner: &Learner, steps: &[S]) -> Result<(), TrainError> {
        if !self.held_out.is_empty() {
            let originals = self.run.samples().join("photos.png");
            if !originals.exists() {
                write_picture(&self.held_out.originals()?, &originals)?;
            }
            let sheet = self.run.sample_sheet(learner.steps_done());
            write_picture(&self.held_out.painted(&learner.finished()?)?, &sheet)?;
        }
        let page = self.page(learner.steps_done(), steps);
        let path = self.run.report();
        write_whole(&path, page.as_bytes()).map_err(TrainError::unwritable(&path))
    }

    fn page<S: StepFigures>(&self, done: u64, steps: &[S]) -> String {
        let all = self.steps;
        let mut page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Training: step {done}</title>\
             <style>body{{font:16px sans-serif;margin:2em auto;max-width:70em;color:#222}}\
             img{{max-width:100%}}</style>\n<h1>Step {done} of {all}</h1>\n{}\n",
            curves(steps),
        );
        if !self.held_out.is_empty() {
            let title = H::TITLE;
            // Writing to a string cannot fail.
            let _ = writeln!(
                page,
                "<h2>{title}</h2>\n<p><img src=\"samples/photos.png\" alt=\"the photographs\"></p>"
            );
        }
        for sheet in self.run.sample_sheets().iter().rev() {
            let name = sheet.file_name().unwrap_or_default().to_string_lossy();
            let step = name.trim_start_matches("step-").trim_end_matches(".png").trim_start_matches('0');
            let _ = writeln!(
                page,
                "<h3>After step {step}</h3><p><img src=\"samples/{name}\" alt=\"step {step}\"></p>"
            );
        }
        page
    }
}

/// The losses over the steps as an SVG, both axes as their sizes ask for.
fn curves<S: StepFigures>(steps: &[S]) -> String {
    let mut svg = String::new();
    if let Err(error) = draw(&mut svg, steps) {
        log::warn!("the loss curves could not be drawn: {error}");
        return String::new();
    }
    svg
}

fn draw<S: StepFigures>(svg: &mut String, steps: &[S]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let curves: Vec<Vec<(f64, f64)>> = S::TERMS.iter().map(|(_, value, _)| thinned(steps, value)).collect();
    let positive = || curves.iter().flatten().map(|point| point.1).filter(|value| *value > 0.0);
    let (least, most) = (positive().fold(f64::MAX, f64::min), positive().fold(0.0, f64::max));
    let Some(last) = steps.last().filter(|_| least <= most) else { return Ok(()) };
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(32)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..last.step() as f64, (least * 0.9..most * 1.1).log_scale())?;
    chart.configure_mesh().x_desc("step").y_desc("loss, weighted").draw()?;
    for ((name, _, [red, green, blue]), curve) in S::TERMS.iter().zip(&curves) {
        let color = RGBColor(*red, *green, *blue);
        let points = curve.iter().copied().filter(|point| point.1 > 0.0);
        let line = chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
        line.label(*name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}

/// A term's mean over every so many steps.
fn thinned<S: StepFigures>(steps: &[S], value: &fn(&S) -> f32) -> Vec<(f64, f64)> {
    let group = steps.len().div_ceil(POINTS).max(1);
    let mean = |steps: &[S]| {
        let sum: f64 = steps.iter().map(|step| f64::from(value(step))).sum();
        (steps[steps.len() / 2].step() as f64, sum / steps.len() as f64)
    };
    steps.chunks(group).map(mean).collect()
}

fn write_picture(picture: &RgbImage, path: &Path) -> Result<(), TrainError> {
    let mut bytes = io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|source| TrainError::WritePicture { source, path: path.to_owned() })?;
    write_whole(path, bytes.get_ref()).map_err(TrainError::unwritable(path))
}
