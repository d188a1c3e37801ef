//! The history as a whole: one writer and many readers, kills and cuts, the bound on its size.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::process::{Command, Stdio};
use std::time::Duration;

use devops::ring::{Limits, Ring, RingError, Row, Writer, directory};
use proptest::prelude::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, rows: 10 };

fn names() -> Vec<String> {
    ["a", "b"].map(str::to_owned).to_vec()
}

fn row(at: i64) -> Row {
    Row { time_ms: at * 1000, values: vec![at as f64, -(at as f64)] }
}

fn filled(rows: i64) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(place.path(), LIMITS).unwrap();
    for at in 0..rows {
        writer.append(&names(), &row(at)).unwrap();
    }
    place
}

fn values(place: &std::path::Path) -> Vec<f64> {
    Ring::new(place).series("a", i64::MIN, i64::MAX).values().to_vec()
}

#[test]
fn what_is_written_is_read_from_head_and_segments() {
    let place = filled(57);
    let known: Vec<f64> = (0..57).map(f64::from).collect();
    assert_eq!(values(place.path()), known);
    let ring = Ring::new(place.path());
    assert_eq!(ring.series("b", 10_000, 13_000).values(), &[-10.0, -11.0, -12.0]);
    assert!(ring.series("c", i64::MIN, i64::MAX).is_empty());
    let metrics = ring.metrics();
    assert_eq!((metrics.len(), metrics[0].first_ms, metrics[0].last_ms), (2, 0, 56_000));
    // A second writer goes on where the first has ended, and while it lives there is no third.
    let mut writer = Writer::open(place.path(), LIMITS).unwrap();
    writer.append(&names(), &row(57)).unwrap();
    assert!(matches!(Writer::open(place.path(), LIMITS), Err(RingError::Taken(_))));
    assert_eq!(values(place.path()).len(), 58);
}

#[test]
fn another_schema_begins_another_chunk() {
    let place = filled(5);
    let mut writer = Writer::open(place.path(), LIMITS).unwrap();
    writer.append(&["b".to_owned()], &Row { time_ms: 9000, values: vec![7.0] }).unwrap();
    assert_eq!(values(place.path()).len(), 5);
    let found = Ring::new(place.path()).series("b", i64::MIN, i64::MAX);
    assert_eq!(found.values(), &[0.0, -1.0, -2.0, -3.0, -4.0, 7.0]);
}

#[test]
fn the_size_is_bounded_and_the_newest_rows_stay() {
    let place = tempfile::tempdir().unwrap();
    let limits = Limits { bytes: 16 << 10, rows: 20 };
    let mut writer = Writer::open(place.path(), limits).unwrap();
    let size = || -> u64 {
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    for at in 0..4_000 {
        // Values that do not compress.
        let value = ((at * 2_654_435_761_i64) % 1_000_003) as f64 / 7.0;
        writer.append(&names(), &Row { time_ms: at * 1000, values: vec![value, value.sin()] }).unwrap();
        if at % 500 == 0 {
            assert!(size() <= limits.bytes + 2048, "{} bytes", size());
        }
    }
    let found = Ring::new(place.path()).series("a", i64::MIN, i64::MAX);
    assert_eq!(found.times().last(), Some(&3_999_000));
    assert!(found.len() > 200 && found.len() < 4_000, "{} rows", found.len());
    assert_eq!(found.step_ms(), 1000, "no row between is missing");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let error = Writer::open(std::path::Path::new("/proc/none"), LIMITS).unwrap_err().to_string();
    assert!(error.contains("/proc/none") && error.contains("--state"), "{error}");
}

#[test]
fn a_disk_that_is_full_loses_no_row_that_was_kept() {
    // A file system of 160 kB in memory, mounted where nobody else sees it: filled, and then given room again.
    let program = env!("CARGO_BIN_EXE_devops-mcp");
    let state = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=160k none {state} && cd {state} || exit 77
         sample() {{ {program} --state . sample --every 0.01 --count $1 2>>log; }}
         sample 40 && head -c 1000000 /dev/zero >fill 2>/dev/null
         : >/dev/null; rm -f log; sample 60 2>/tmp/none || exit 1
         cp -r history {out}/full && rm fill && sample 40 && cp -r history {out}/after",
        state = state.path().display(),
        out = "\"$OUT\"",
    );
    let out = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .env("OUT", out.path())
        .stdout(Stdio::null())
        .output();
    // Where namespaces are not allowed there is no such disk.
    let Ok(output) = output.map_err(drop).and_then(|output| match output.status.code() {
        Some(77) => Err(()),
        _ if String::from_utf8_lossy(&output.stderr).contains("unshare") => Err(()),
        _ => Ok(output),
    }) else {
        return;
    };
    let times = |name: &str| {
        let found = Ring::new(&out.path().join(name)).series("load.one", i64::MIN, i64::MAX);
        found.times().to_vec()
    };
    let (full, after) = (times("full"), times("after"));
    assert!((40..100).contains(&full.len()), "{} rows; {output:?}", full.len());
    assert!(full.iter().all(|time| after.contains(time)), "what was kept is still there; {output:?}");
    assert!(after.len() > full.len() + 20, "{} rows after {}; {output:?}", after.len(), full.len());
}

#[test]
fn rows_of_a_clock_that_was_wrong_keep_their_order() {
    let place = filled(20);
    let mut writer = Writer::open(place.path(), LIMITS).unwrap();
    // The clock goes back, ahead by years, and is right again.
    for at in [5, 6, 1_000_000_000, 20, 21] {
        writer.append(&names(), &Row { time_ms: at * 1000 + 500, values: vec![at as f64, 0.0] }).unwrap();
    }
    let found = Ring::new(place.path()).series("a", i64::MIN, i64::MAX);
    assert!(found.times().windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
    assert_eq!(found.len(), 25, "no row is lost");
    let now = found.clone().until(60_000);
    assert_eq!(
        (now.values().last(), now.faults().future),
        (Some(&21.0), 1),
        "what is ahead is left out, and said"
    );
}

#[test]
fn a_sampler_that_is_killed_at_any_moment_leaves_whole_rows() {
    let state = tempfile::tempdir().unwrap();
    let mut before = 0;
    for round in 0..6 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_devops-mcp"))
            .args(["--state", state.path().to_str().unwrap(), "sample", "--every", "0.02"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = Ring::new(&directory(state.path())).series("load.one", i64::MIN, i64::MAX);
        assert!(found.len() >= before, "round {round}: {} rows, {before} before", found.len());
        before = found.len();
    }
    assert!(before > 5, "{before} rows");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_file_cut_anywhere_loses_its_end_alone(rows in 1_i64..45, file in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let place = filled(rows);
        let mut files: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.metadata().unwrap().len() > 0);
        files.sort();
        let path = file.get(&files);
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..cut.index(bytes.len())]).unwrap();
        let left = values(place.path());
        // Whatever is left was written, and in order.
        prop_assert!(left.iter().all(|value| (0.0..rows as f64).contains(value)));
        prop_assert!(left.windows(2).all(|pair| pair[0] < pair[1]));
        // It can be written again, and nothing of what is left is lost.
        let mut writer = Writer::open(place.path(), LIMITS).unwrap();
        writer.append(&names(), &row(1000)).unwrap();
        let mut known = left;
        known.push(1000.0);
        prop_assert_eq!(values(place.path()), known);
    }
}
