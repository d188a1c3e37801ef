//! How well forecasts and their intervals do, on the CSV files of a directory and on generated series: `forecasts
//! [DIRECTORY]`.
//!
//! Each series is cut at several places of its last third; each cut is forecast a tenth of the past ahead, at most a day.
//! Beside the chosen model stands "the same as a period ago" with the empirical quantiles of its own past errors. The
//! interval score is that of Gneiting and Raftery ("Strictly Proper Scoring Rules", 2007): its width, and twenty times
//! what lies outside.

#[path = "../tests/families/mod.rs"]
mod families;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use devops::forecast::{Forecast, Request, forecast};
use devops::readers::csv;
use devops::season::{DAY_MS, seasons};
use devops::series::Series;

/// Cuts of each series.
const CUTS: usize = 6;
/// Generated series of each family.
const GENERATED: u64 = 6;
const LEVEL: f64 = 0.9;

/// Sums over the values of one or more series.
#[derive(Clone, Copy, Default)]
struct Sums {
    values: f64,
    held: f64,
    score: f64,
    naive_score: f64,
    error: f64,
    naive_error: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.held += other.held;
        self.score += other.score;
        self.naive_score += other.naive_score;
        self.error += other.error;
        self.naive_error += other.naive_error;
    }

    fn ratios(&self) -> [f64; 3] {
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 1.0 };
        [self.held / self.values, ratio(self.score, self.naive_score), ratio(self.error, self.naive_error)]
    }
}

fn main() -> io::Result<()> {
    let mut all: Vec<(String, Series)> = Vec::new();
    for directory in std::env::args().skip(1) {
        files(Path::new(&directory), &mut all)?;
    }
    for family in families::FAMILIES {
        for seed in 0..GENERATED {
            let series = families::series(family, 1_000 + seed, 14);
            let series = if series.counts().is_some() { series.rates() } else { series };
            all.push((format!("generated: {family}"), series));
        }
    }
    let mut out = io::stdout().lock();
    let (mut pooled, mut each) = (Sums::default(), Vec::new());
    writeln!(out, "{:<58} {:>8} {:>8} {:>8}", "series", "covered", "score", "error")?;
    for (name, series) in &all {
        let Some(sums) = judged(series) else { continue };
        let [covered, score, error] = sums.ratios();
        writeln!(out, "{name:<58} {covered:8.3} {score:8.3} {error:8.3}")?;
        each.push([covered, score, error]);
        pooled.add(&sums);
    }
    let count = each.len() as f64;
    let mean = |at: usize| each.iter().map(|row| row[at]).sum::<f64>() / count;
    let enough = each.iter().filter(|row| row[0] >= 0.75).count();
    let [covered, ..] = pooled.ratios();
    writeln!(out, "{} series, {} values", each.len(), pooled.values)?;
    writeln!(out, "pooled: {LEVEL} intervals hold {covered:.3} of the values")?;
    writeln!(out, "{:.3} of the series hold at least 0.75", enough as f64 / count)?;
    writeln!(
        out,
        "interval score over that of repeating with empirical quantiles, mean over series: {:.3}",
        mean(1)
    )?;
    writeln!(out, "mean absolute error over that of repeating, mean over series: {:.3}", mean(2))
}

fn files(directory: &Path, all: &mut Vec<(String, Series)>) -> io::Result<()> {
    let mut paths: Vec<_> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, all)?;
        } else if path.extension().is_some_and(|kind| kind == "csv") {
            let table = csv::read(&fs::read_to_string(&path)?, None).map_err(io::Error::other)?;
            all.extend(table.series.into_iter().map(|series| (path.display().to_string(), series)));
        }
    }
    Ok(())
}

/// All cuts of one series; `None` where it is too short.
fn judged(series: &Series) -> Option<Sums> {
    let mut sums = Sums::default();
    for cut in 0..CUTS {
        let place = series.len() * 2 / 3 + series.len() / 3 * cut / CUTS;
        let end = *series.times().get(place)?;
        let past = series.between(i64::MIN, end);
        let hours = (past.span_ms() / 10).min(DAY_MS) as f64 / 3_600_000.0;
        let found = forecast(&past, Request { hours: Some(hours), level: Some(LEVEL) }).ok()?;
        sums.add(&compared(&past, series, &found));
    }
    (sums.values > 0.0).then_some(sums)
}

/// A forecast, and repeating, with what came.
fn compared(past: &Series, series: &Series, found: &Forecast) -> Sums {
    let filled = found.grid.filled();
    let period = seasons(&found.grid, &filled).last().map_or(1, |season| season.steps);
    // Errors of repeating at each distance: within a period they are those of one period ago.
    let mut sums = Sums::default();
    let mut known: Option<(usize, (f64, f64))> = None;
    let last = filled.len();
    for (at, point) in found.points.iter().enumerate() {
        let half = found.grid.step_ms / 2;
        let came = series.between(point.time_ms - half, point.time_ms + half.max(1));
        if came.is_empty() || point.time_ms - half <= past.times().last().copied().unwrap_or(i64::MIN) {
            continue;
        }
        let value = came.values().iter().sum::<f64>() / came.len() as f64;
        let lag = period * (at / period + 1);
        let lag = if period == 1 { at + 1 } else { lag };
        let Some(naive) = (last + at).checked_sub(lag).and_then(|place| filled.get(place)) else { continue };
        if known.is_none_or(|(known, _)| known != lag) {
            known = ends(&filled, lag).map(|ends| (lag, ends));
        }
        let Some((_, (low, high))) = known else { continue };
        let (low, high) = (naive + low, naive + high);
        sums.values += 1.0;
        sums.held += f64::from(u8::from((point.low..=point.high).contains(&value)));
        sums.score += score(point.low, point.high, value);
        sums.naive_score += score(low, high, value);
        sums.error += (value - point.value).abs();
        sums.naive_error += (value - naive).abs();
    }
    sums
}

/// The quantiles of the errors of repeating at a distance; `None` where there are none.
fn ends(values: &[f64], lag: usize) -> Option<(f64, f64)> {
    let mut errors: Vec<f64> = values.windows(lag + 1).map(|window| window[lag] - window[0]).collect();
    errors.sort_unstable_by(f64::total_cmp);
    let most = errors.len().checked_sub(1)? as f64;
    let quantile = |share: f64| errors[(most * share).round() as usize];
    Some((quantile(0.05), quantile(0.95)))
}

fn score(low: f64, high: f64, value: f64) -> f64 {
    let outside = (low - value).max(value - high).max(0.0);
    high - low + 2.0 / (1.0 - LEVEL) * outside
}
