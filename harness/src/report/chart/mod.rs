//! Charts: drawn once as a scene in logical pixels, then written as SVG and as PNG at twice the size.

mod axis;
mod builds;
mod calls;
mod forest;
mod gate;
mod glyph;
mod heatmap;
mod latency;
mod launches;
mod marker;
mod paint;
pub(crate) mod palette;
mod power;
mod scale;
mod scene;
mod throughput;
mod trend;

pub use gate::gate_chart;
pub use latency::latency_charts;
pub use power::calibration_charts;
pub use trend::trend_chart;

use thiserror::Error;

use crate::report::Report;
use crate::report::view::View;

/// One picture, as SVG and, where somebody asks for it, as PNG.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its file name, without an ending: `calls`, `throughput`, `forest`, `heatmap`, `launches`, `builds`.
    pub name: &'static str,
    /// What it shows, in a line.
    pub title: String,
    /// A whole SVG document, in logical pixels.
    pub svg: String,
    scene: scene::Scene,
}

impl Chart {
    /// The same as a PNG, with two pixels for each logical one. It takes longer than all else of a chart.
    ///
    /// # Errors
    /// The drawing library or the encoder refused.
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        paint::png(&self.scene)
    }
}

/// Why a chart could not be made. None of these depends on the numbers.
#[derive(Debug, Error)]
pub enum ChartError {
    /// The font inside this program cannot be read.
    #[error("the charts' font could not be loaded; this is a defect of the lab's executable")]
    Font,
    /// The drawing library refused.
    #[error("a chart could not be drawn: {said}")]
    Drawing {
        /// Its words.
        said: String,
    },
    /// The PNG encoder refused.
    #[error("a chart could not be encoded as PNG")]
    Encoding(#[from] png::EncodingError),
}

/// A chart before it is painted.
struct Drawing {
    name: &'static str,
    title: String,
    scene: scene::Scene,
}

/// Every chart that the report has numbers for: calls from Python by cost and by payload, ratios as a forest,
/// ratios as a heat map, launches of the row with the widest spread, build time and sizes.
///
/// # Errors
/// When the font, the drawing library or the encoder fails; never because of the numbers.
pub fn charts(report: &Report<'_>) -> Result<Vec<Chart>, ChartError> {
    paint::load_font()?;
    drawings(report).into_iter().map(|drawing| paint::chart(&drawing)).collect()
}

/// The names and titles of the charts that [`charts`] makes.
pub(crate) fn titles(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let view = View::of(report);
    let mut titles = Vec::new();
    if !calls::ways(&view).is_empty() {
        titles.push((calls::NAME, calls::title(&view)));
    }
    if throughput::has_numbers(&view) {
        titles.push((throughput::NAME, throughput::title(&view)));
    }
    if forest::has_numbers(&view) {
        titles.push((heatmap::NAME, heatmap::title(&view)));
        titles.push((forest::NAME, forest::title(&view)));
    }
    if let Some(benchmark) = launches::widest(&view) {
        titles.push((launches::NAME, launches::title(benchmark)));
    }
    if builds::has_numbers(&view) {
        titles.push((builds::NAME, builds::title(&view)));
    }
    titles
}

fn drawings(report: &Report<'_>) -> Vec<Drawing> {
    let view = View::of(report);
    titles(report)
        .into_iter()
        .map(|(name, title)| {
            let scene = match name {
                calls::NAME => calls::scene(&view),
                throughput::NAME => throughput::scene(&view),
                forest::NAME => forest::scene(&view),
                heatmap::NAME => heatmap::scene(&view),
                launches::NAME => launches::scene(&view),
                _ => builds::scene(&view),
            };
            Drawing { name, title, scene }
        })
        .collect()
}

/// The charts of a report that can be drawn.
#[cfg(test)]
pub(crate) fn pictures(report: &Report<'_>) -> Vec<Chart> {
    charts(report).expect("pictures")
}

#[cfg(test)]
mod tests;
