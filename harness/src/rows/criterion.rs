//! Criterion's files as rows: `benchmark.json`, `estimates.json` and `sample.json` of one result.
//!
//! Below `target/criterion` each benchmark has a directory `new` for its last run, and one for every run that was kept
//! (`base`, or the name given with `--save-baseline`). A directory `change` beside them holds criterion's own comparison
//! of two runs; it has estimates of another meaning and no `benchmark.json`, and is not read.
//!
//! `cargo criterion` keeps the same in CBOR: `benchmark.cbor`, and a `measurement_*.cbor` for every run.

use serde::Deserialize;
use serde_json::Value;

use crate::rows::{Measure, Measured, Throughput, Work};
use crate::stats::Interval;

/// The texts of one result's files.
#[derive(Clone, Copy, Debug)]
pub struct CriterionFiles<'a> {
    /// The directory that they are in: `new`, `base`, or the name of a kept run.
    pub kept_as: &'a str,
    /// `benchmark.json`.
    pub benchmark: &'a str,
    /// `estimates.json`.
    pub estimates: &'a str,
    /// `sample.json`; older versions wrote it too, but a result is readable without.
    pub sample: Option<&'a str>,
}

/// Why a result cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CriterionError {
    /// A file does not hold what criterion writes.
    #[error("{file} is not as criterion 0.3 to 0.8 writes it ({wrong}): run the bench again")]
    Malformed {
        /// Its name.
        file: &'static str,
        /// What was wrong.
        wrong: String,
    },
    /// The numbers cannot be times.
    #[error("{file} has no usable time ({wrong}): run the bench again")]
    Unusable {
        /// Its name.
        file: &'static str,
        /// What was wrong.
        wrong: String,
    },
}

#[derive(Deserialize)]
struct BenchmarkFile {
    full_id: Option<String>,
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    directory_name: Option<String>,
    throughput: Option<Value>,
}

#[derive(Deserialize)]
struct EstimatesFile {
    mean: Statistic,
    #[serde(default)]
    slope: Option<Statistic>,
}

#[derive(Deserialize)]
struct Statistic {
    confidence_interval: Confidence,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Confidence {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

#[derive(Deserialize)]
struct SampleFile {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// A result: its row, and what else tells it from others.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionResult {
    /// The row, whose benchmark is criterion's full id.
    pub row: Measured,
    /// Its group, which the full id does not part from the function: `a/b` with `c` reads as `a` with `b/c`.
    pub group: String,
    /// Its directory below `target/criterion`, without the name that it is kept under; older versions leave it out.
    pub directory: Option<String>,
}

/// One result. Its value is what criterion prints: the slope over samples of growing length where it was
/// fitted, else the mean. The interval is criterion's own where it was taken at 95 %; it speaks of one process.
///
/// # Errors
/// [`CriterionError`]: a file that criterion did not write, or times that are none.
pub fn of_criterion(files: &CriterionFiles<'_>) -> Result<CriterionResult, CriterionError> {
    let benchmark: BenchmarkFile = parsed("benchmark.json", files.benchmark)?;
    let estimates: EstimatesFile = parsed("estimates.json", files.estimates)?;
    if let Some(text) = files.sample {
        checked(&parsed::<SampleFile>("sample.json", text)?)?;
    }
    result(benchmark, estimates, files.kept_as, "estimates.json")
}

/// The name of the measurement that `benchmark.cbor` of `cargo criterion` calls its last.
///
/// # Errors
/// As [`of_criterion`].
pub fn last_measurement(benchmark: &[u8]) -> Result<String, CriterionError> {
    Ok(unpacked::<StoredBenchmark>("benchmark.cbor", benchmark)?.latest_record)
}

/// As [`of_criterion`], of `benchmark.cbor` and a measurement as `cargo criterion` keeps them in a timeline.
///
/// # Errors
/// As [`of_criterion`].
pub fn of_cargo_criterion(
    timeline: &str,
    benchmark: &[u8],
    measurement: &[u8],
) -> Result<CriterionResult, CriterionError> {
    let StoredBenchmark { id, .. } = unpacked("benchmark.cbor", benchmark)?;
    let StoredMeasurement { estimates } = unpacked("the measurement", measurement)?;
    result(id, estimates, timeline, "the measurement")
}

#[derive(Deserialize)]
struct StoredBenchmark {
    id: BenchmarkFile,
    latest_record: String,
}

#[derive(Deserialize)]
struct StoredMeasurement {
    estimates: EstimatesFile,
}

fn result(
    benchmark: BenchmarkFile,
    estimates: EstimatesFile,
    kept_as: &str,
    file: &'static str,
) -> Result<CriterionResult, CriterionError> {
    let typical = estimates.slope.unwrap_or(estimates.mean);
    let value = typical.point_estimate;
    if !(value.is_finite() && value > 0.0) {
        return Err(CriterionError::Unusable { file, wrong: format!("the estimate is {value} ns") });
    }
    let Confidence { confidence_level, lower_bound, upper_bound } = typical.confidence_interval;
    let at_95 = (confidence_level - 0.95).abs() < 1e-9;
    let row = Measured {
        benchmark: named(&benchmark),
        arm: kept_as.to_owned(),
        measure: Measure::Time,
        value,
        interval: at_95.then_some(Interval { lo: lower_bound, hi: upper_bound }),
        launches: vec![value],
        change: None,
        build: String::new(),
        throughput: benchmark.throughput.as_ref().and_then(throughput),
        exit_codes: Vec::new(),
    };
    Ok(CriterionResult { row, group: benchmark.group_id, directory: benchmark.directory_name })
}

/// Criterion's throughput, `{"Bytes":1024}` and the like; `None` for one that is not known here.
fn throughput(value: &Value) -> Option<Throughput> {
    let (kind, amount) = value.as_object()?.iter().next()?;
    let (amount, of) = match kind.as_str() {
        "Bytes" | "BytesDecimal" => (amount.as_f64()?, Work::Bytes),
        "Bits" => (amount.as_f64()? / 8.0, Work::Bytes),
        "Elements" => (amount.as_f64()?, Work::Elements),
        "ElementsAndBytes" => (amount["bytes"].as_f64()?, Work::Bytes),
        _ => return None,
    };
    Some(Throughput { amount, of })
}

fn parsed<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, CriterionError> {
    serde_json::from_str(text).map_err(|wrong| CriterionError::Malformed { file, wrong: wrong.to_string() })
}

fn unpacked<T: for<'de> Deserialize<'de>>(file: &'static str, bytes: &[u8]) -> Result<T, CriterionError> {
    ciborium::from_reader(bytes).map_err(|wrong| CriterionError::Malformed { file, wrong: wrong.to_string() })
}

fn checked(sample: &SampleFile) -> Result<(), CriterionError> {
    let usable = |value: &f64| value.is_finite() && *value > 0.0;
    let wrong = if sample.iters.len() == sample.times.len() {
        let all = sample.iters.iter().chain(&sample.times);
        let unusable = all.into_iter().find(|value| !usable(value));
        unusable.map(|value| format!("a sample of {value}"))
    } else {
        Some(format!("{} counts for {} times", sample.iters.len(), sample.times.len()))
    };
    wrong.map_or(Ok(()), |wrong| Err(CriterionError::Unusable { file: "sample.json", wrong }))
}

fn named(benchmark: &BenchmarkFile) -> String {
    let BenchmarkFile { group_id, function_id, value_str, full_id, .. } = benchmark;
    let parts = [Some(group_id), function_id.as_ref(), value_str.as_ref()];
    let joined = || parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
    full_id.clone().unwrap_or_else(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BENCHMARK: &str = r#"{"group_id":"json","function_id":"parse","value_str":"1024","throughput":null,
        "full_id":"json/parse/1024","directory_name":"json/parse/1024","title":"json/parse/1024"}"#;
    const SAMPLE: &str =
        r#"{"sampling_mode":"Linear","iters":[10.0,20.0,30.0],"times":[1010.0,2000.0,2990.0]}"#;

    fn estimates(slope: &str) -> String {
        let statistic = |value: f64, level: f64| {
            format!(
                r#"{{"confidence_interval":{{"confidence_level":{level},"lower_bound":{},"upper_bound":{}}},
                "point_estimate":{value},"standard_error":0.5}}"#,
                value - 1.0,
                value + 2.0
            )
        };
        let slope = if slope == "null" { slope.to_owned() } else { statistic(99.75, 0.95) };
        let mean = statistic(100.25, 0.99);
        format!(
            r#"{{"mean":{mean},"median":{mean},"median_abs_dev":{mean},"slope":{slope},"std_dev":{mean}}}"#
        )
    }

    fn files<'a>(estimates: &'a str, sample: &'a str) -> CriterionFiles<'a> {
        CriterionFiles { kept_as: "new", benchmark: BENCHMARK, estimates, sample: Some(sample) }
    }

    #[test]
    fn the_slope_counts_where_there_is_one_and_its_interval_where_it_is_a_95_percent_one() {
        let row = of_criterion(&files(&estimates("slope"), SAMPLE)).unwrap().row;
        assert_eq!((row.benchmark.as_str(), row.arm.as_str(), row.value), ("json/parse/1024", "new", 99.75));
        assert_eq!(row.interval, Some(Interval { lo: 98.75, hi: 101.75 }));
        assert_eq!(row.launches, [99.75], "one process is one repetition");
        let row = of_criterion(&files(&estimates("null"), SAMPLE)).unwrap().row;
        assert_eq!((row.value, row.interval), (100.25, None));
    }

    #[test]
    fn what_criterion_did_not_write_is_refused_by_name() {
        let said =
            |estimates: &str, sample: &str| of_criterion(&files(estimates, sample)).unwrap_err().to_string();
        assert!(
            said("{}", SAMPLE).starts_with("estimates.json is not as criterion"),
            "{}",
            said("{}", SAMPLE)
        );
        let good = estimates("null");
        let uneven = r#"{"iters":[1.0],"times":[]}"#;
        assert_eq!(
            said(&good, uneven),
            "sample.json has no usable time (1 counts for 0 times): run the bench again"
        );
        assert!(said(&good, r#"{"iters":[1.0],"times":[-2.0]}"#).contains("a sample of -2"));
        let negative = good.replace("100.25", "-1.0");
        assert!(said(&negative, SAMPLE).contains("the estimate is -1 ns"));
    }

    #[test]
    fn what_a_call_gets_done_is_kept_and_gives_a_rate() {
        let of = |throughput: &str| {
            let benchmark = BENCHMARK.replace("\"throughput\":null", &format!("\"throughput\":{throughput}"));
            let estimates = estimates("null");
            let files = CriterionFiles { benchmark: &benchmark, ..files(&estimates, SAMPLE) };
            of_criterion(&files).unwrap().row
        };
        for (throughput, amount, work) in [
            (r#"{"Bytes":1024}"#, 1024.0, Work::Bytes),
            (r#"{"BytesDecimal":1000}"#, 1000.0, Work::Bytes),
            (r#"{"Bits":64}"#, 8.0, Work::Bytes),
            (r#"{"Elements":5}"#, 5.0, Work::Elements),
            (r#"{"ElementsAndBytes":{"elements":5,"bytes":40}}"#, 40.0, Work::Bytes),
        ] {
            let row = of(throughput);
            assert_eq!(row.throughput, Some(Throughput { amount, of: work }), "{throughput}");
            let (rate, of) = row.rate().unwrap();
            assert!((rate / (amount / 100.25 * 1e9) - 1.0).abs() < 1e-12 && of == work, "{rate}");
        }
        assert_eq!((of("null").rate(), of(r#"{"Furlongs":1}"#).rate()), (None, None));
    }

    #[test]
    fn what_cargo_criterion_keeps_is_a_row_too() {
        let packed = |json: &str| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&serde_json::from_str::<Value>(json).unwrap(), &mut bytes).unwrap();
            bytes
        };
        let benchmark = packed(
            r#"{"id":{"group_id":"json","function_id":"parse","value_str":null,"throughput":{"Elements":5}},
            "latest_record":"measurement_1.cbor"}"#,
        );
        let measurement = packed(&format!(
            r#"{{"datetime":"2026-11-30T09:00:00Z","iterations":[1.0],"values":[100.0],"avg_values":[100.0],
            "estimates":{},"throughput":null,"changes":null,"change_direction":null}}"#,
            estimates("slope")
        ));
        assert_eq!(last_measurement(&benchmark).unwrap(), "measurement_1.cbor");
        let row = of_cargo_criterion("main", &benchmark, &measurement).unwrap().row;
        assert_eq!((row.benchmark.as_str(), row.arm.as_str(), row.value), ("json/parse", "main", 99.75));
        assert_eq!(row.throughput, Some(Throughput { amount: 5.0, of: Work::Elements }));
        let said = of_cargo_criterion("main", &benchmark, &measurement[..20]).unwrap_err().to_string();
        assert!(said.starts_with("the measurement is not as criterion"), "{said}");
    }
}
