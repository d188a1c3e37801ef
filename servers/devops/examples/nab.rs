//! The detector's alarms and scores, and the forecasts' coverage, over a directory of CSV files: what `scripts/nab` and
//! `scripts/forecasts` read.
//!
//! `nab detect DIRECTORY OUT [RATE]` writes OUT/NAME for each file: a line for each point with 1 where an alarm is, and
//! the score. `nab forecast DIRECTORY` prints a line for each file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use devops::detect::detect;
use devops::readers::csv;
use devops::series::Series;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["detect", directory, out] => detections(Path::new(directory), Path::new(out), None),
        ["detect", directory, out, rate] => {
            let rate = rate.parse().map_err(io::Error::other)?;
            detections(Path::new(directory), Path::new(out), Some(rate))
        }
        _ => Err(io::Error::other("usage: nab detect DIRECTORY OUT [RATE]")),
    }
}

/// All CSV files below a directory, by their paths below it.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut waiting) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|kind| kind == "csv") {
                found.push(path.strip_prefix(directory).map_err(io::Error::other)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn series(path: &Path) -> io::Result<Series> {
    let table = csv::read(&fs::read_to_string(path)?, None).map_err(io::Error::other)?;
    table.series.into_iter().next().ok_or_else(|| io::Error::other("no series"))
}

fn detections(directory: &Path, out: &Path, rate: Option<f64>) -> io::Result<()> {
    for name in files(directory)? {
        let series = series(&directory.join(&name))?;
        let found = detect(&series, rate).map_err(io::Error::other)?;
        let mut text = String::from("timestamp_ms,alarm,score\n");
        for time in series.times() {
            let place =
                ((time - found.grid.start_ms + (found.grid.step_ms - 1) / 2) / found.grid.step_ms) as usize;
            let place = place.min(found.scores.len() - 1);
            let alarm = u8::from(found.alarms.contains(&place));
            text.push_str(&format!("{time},{alarm},{}\n", found.scores[place]));
        }
        let path = out.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    writeln!(io::stdout(), "written to {}", out.display())
}
