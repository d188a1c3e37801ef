//! Charts of latencies: by percentile, response against service time, capacity, starts, soaks.

mod bars;
mod field;
pub(crate) mod frame;
mod lines;

use crate::latency::{LatencyFile, Mode, Placement, Series};
use crate::report::chart::{Chart, ChartError, Drawing, paint};
use crate::report::latency::{load_words, who};
use crate::report::words::NBSP;

/// Every chart that a latency record has numbers for.
///
/// # Errors
/// When the font, the drawing library or the encoder fails; never because of the numbers.
pub fn latency_charts(file: &LatencyFile) -> Result<Vec<Chart>, ChartError> {
    paint::load_font()?;
    drawings(file).iter().map(paint::chart).collect()
}

fn drawings(file: &LatencyFile) -> Vec<Drawing> {
    let mut all = Vec::new();
    let shown: Vec<&Series> = file.series.iter().filter(|series| series.response.count > 1).collect();
    if matches!(file.mode, Mode::Latency | Mode::Sweep | Mode::Soak) && !shown.is_empty() {
        let title = "Latency by percentile".to_owned();
        all.push(Drawing { name: "percentiles", scene: lines::percentiles(file, &shown, &title), title });
    }
    let open = shown.iter().find(|series| series.service.is_some());
    if let Some(series) = open.filter(|_| file.mode == Mode::Latency) {
        let title = format!("Response and service time of {}", who(file, series.member));
        all.push(Drawing { name: "response", scene: lines::response(file, series, &title), title });
    }
    if let Some(capacity) = file.capacities.first() {
        let title = "Latency by load, up to the capacity".to_owned();
        all.push(Drawing { name: "capacity", scene: lines::capacity(file, capacity, &title), title });
    }
    if file.mode == Mode::Field && !shown.is_empty() {
        let title = "Servers side by side".to_owned();
        all.push(Drawing { name: "servers", scene: field::scene(file, &title), title });
    } else if bars::has_numbers(file) {
        let title = "Start-up and memory".to_owned();
        all.push(Drawing { name: "starts", scene: bars::scene(file, &title), title });
    }
    if let Some(memory) = file.memories.first().filter(|memory| memory.windows.len() > 1) {
        let title = "Latency and memory over time".to_owned();
        all.push(Drawing { name: "soak", scene: lines::soak(file, memory, &title), title });
    }
    all
}

/// What a chart says below its title.
fn subtitle(file: &LatencyFile) -> Vec<String> {
    let server = file.servers.first();
    let name =
        server.map_or(String::new(), |facts| facts.name.clone().unwrap_or_else(|| facts.command.clone()));
    let name: String = name.chars().take(70).collect();
    let one = file.series.first().filter(|_| !matches!(file.mode, Mode::Capacity | Mode::Sweep));
    let load = one.map_or(String::new(), |series| format!(", {}", load_words(&series.load)));
    vec![format!("{name}{load}"), format!("{}; record {}", file.environment.class(), file.name)]
}

/// Bytes in the unit of memory.
const MIB: f64 = 1024.0 * 1024.0;

/// An amount of memory in MiB.
fn mebibytes(value: f64) -> String {
    let text = format!("{value:.1}");
    format!("{}{NBSP}MiB", text.trim_end_matches(".0"))
}

/// The name of a series in a chart.
fn name_of(file: &LatencyFile, series: &Series) -> String {
    let mut name = who(file, series.member);
    if !series.label.is_empty() {
        name.clone_from(&series.label);
    }
    let both = file.series.iter().any(|other| other.placement != series.placement);
    match series.placement {
        Placement::Same if both => name + ", same core",
        Placement::Split if both => name + ", split cores",
        _ => name,
    }
}

#[cfg(test)]
mod tests;
