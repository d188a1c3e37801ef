//! How often the gate finds a slow-down, by its size.

use crate::judge::{Calibration, PowerRow};
use crate::report::chart::latency::frame::{Frame, Scale};
use crate::report::chart::palette::{BETTER, Color, INK, SAME, WORSE};
use crate::report::chart::scene::{MARGIN, Scene};
use crate::report::chart::{Chart, ChartError, Drawing, paint};
use crate::report::words;

/// Every chart that a calibration has numbers for.
///
/// # Errors
/// When the font, the drawing library or the encoder fails; never because of the numbers.
pub fn calibration_charts(calibration: &Calibration) -> Result<Vec<Chart>, ChartError> {
    paint::load_font()?;
    drawing(calibration).iter().map(paint::chart).collect()
}

fn drawing(calibration: &Calibration) -> Option<Drawing> {
    let gate = calibration.gate.as_ref().filter(|gate| gate.power.iter().any(|row| row.nominal > 0.0))?;
    let title = "How often the gate fails, by the true slow-down".to_owned();
    let mut scene = Scene::new();
    let lines = vec![
        format!("{}; {} benchmarks", calibration.environment.class(), gate.benchmarks.len()),
        "After confirmation and Holm's correction. A line a class of spread between launches and noise threshold."
            .to_owned(),
    ];
    let top = scene.title(&title, &lines);
    let most = gate.power.iter().map(|row| row.truth).fold(0.02, f64::max) * 1.05;
    let x = Scale::linear(most, words::percent);
    let y = Scale::linear(1.0, words::share);
    let mut frame = Frame::new(scene, top, (x, "true slow-down"), (y, "gates that fail"));
    let mut groups: Vec<(Option<f64>, f64)> = Vec::new();
    for row in &gate.power {
        let group = (row.most_sd, row.noise_threshold);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for (place, group) in groups.iter().enumerate() {
        let of = |row: &&PowerRow| (row.most_sd, row.noise_threshold) == *group && row.trials > 0;
        let mut points: Vec<(f64, f64)> = gate
            .power
            .iter()
            .filter(of)
            .map(|row| (row.truth.max(0.0), row.failed as f64 / row.trials as f64))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let color = color(place);
        let spread = group.0.map_or("wider".to_owned(), |most| format!("sd ≤ {}", words::percent(most)));
        let name = format!("{spread}, beyond {}", words::percent(group.1));
        frame.curve(&points, &name, color, false);
        for point in points {
            frame.dot(point, color, true);
        }
    }
    let (scene, bottom) = frame.end();
    let width = scene.text_end() + MARGIN;
    Some(Drawing { name: "power", title, scene: scene.finish(width.max(760.0), bottom + MARGIN) })
}

fn color(place: usize) -> Color {
    [BETTER, WORSE, INK, SAME][place % 4]
}
