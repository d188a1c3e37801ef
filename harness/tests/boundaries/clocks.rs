//! Somebody may set the time of day while the lab measures: nothing that times or judges may read it.

use std::fs;
use std::path::{Path, PathBuf};

/// What reads the time of day.
const READS: [&str; 3] = ["SystemTime::now", "Timestamp::now", "CLOCK_REALTIME"];

/// Sources that time, analyse or judge.
const TIMELESS: [&str; 7] = [
    "src/measure",
    "host/src/stats",
    "host/src/schedule.rs",
    "src/analyse",
    "src/judge",
    "src/experiment/trials.rs",
    "subject/src",
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|kind| kind == "rs") {
        found.push(path.to_owned());
    }
}

fn readings(text: &str) -> Vec<&str> {
    text.lines().filter(|line| READS.iter().any(|reads| line.contains(reads))).map(str::trim).collect()
}

#[test]
fn nothing_that_times_reads_the_time_of_day() {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for place in TIMELESS {
        let before = files.len();
        sources(&harness.join(place), &mut files);
        assert!(files.len() > before, "no source in {place}");
    }
    // Cargo decides by a file's time whether it was edited: that is not a reading of a duration.
    let allowed = "set_modified(std::time::SystemTime::now())";
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let wrong: Vec<_> = readings(&text).into_iter().filter(|line| !line.contains(allowed)).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", file.display());
    }
}

#[test]
fn a_reading_is_seen() {
    assert_eq!(readings("let a = 1;\nlet start = std::time::SystemTime::now();\n").len(), 1);
    assert!(readings("let start = Instant::now();").is_empty());
}
