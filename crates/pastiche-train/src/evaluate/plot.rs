//! The paper's figure 5: the objective over the optimiser's iterations, with the network and the photos as levels.

use plotters::prelude::*;

use super::ObjectiveReport;

const SIZE: (u32, u32) = (800, 480);

/// The figure as an SVG.
///
/// # Errors
/// What the drawing library says.
pub fn plot(
    report: &ObjectiveReport,
    title: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let last = report.optimiser.keys().next_back().copied().unwrap_or(1) as f64;
        let levels = [("the photo as it is", report.content_image), ("the network", report.network)];
        let values = || report.optimiser.values().copied().chain(levels.map(|(_, value)| value));
        let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max));
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..last, (least * 0.8..most * 1.25).log_scale())?;
        chart.configure_mesh().x_desc("iterations of L-BFGS").y_desc("equation 5").draw()?;
        let colors = [RGBColor(120, 120, 120), RGBColor(196, 78, 42), RGBColor(42, 110, 187)];
        let points = report.optimiser.iter().map(|(iterations, value)| (*iterations as f64, *value));
        let optimiser: Vec<(f64, f64)> = points.collect();
        let flat = levels.map(|(name, value)| (name, vec![(0.0, value), (last, value)]));
        let lines = flat.into_iter().chain([("the optimiser, from noise", optimiser)]);
        for ((name, points), color) in lines.zip(colors) {
            let series = LineSeries::new(points, color.stroke_width(2)).point_size(3);
            chart
                .draw_series(series)?
                .label(name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
        area.present()?;
    }
    Ok(svg)
}
