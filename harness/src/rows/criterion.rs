//! Criterion's files as rows: `benchmark.json`, `estimates.json` and `sample.json` of one result.
//!
//! Below `target/criterion` each benchmark has a directory `new` for its last run, and one for every run that was kept
//! (`base`, or the name given with `--save-baseline`). A directory `change` beside them holds criterion's own comparison
//! of two runs; it has estimates of another meaning and no `benchmark.json`, and is not read.

use serde::Deserialize;

use crate::rows::{Measure, Measured};
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
        wrong: serde_json::Error,
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

/// The row of one result. Its value is what criterion prints: the slope over samples of growing length where it was
/// fitted, else the mean. The interval is criterion's own where it was taken at 95 %; it speaks of one process.
///
/// # Errors
/// [`CriterionError`]: a file that criterion did not write, or times that are none.
pub fn of_criterion(files: &CriterionFiles<'_>) -> Result<Measured, CriterionError> {
    let benchmark: BenchmarkFile = parsed("benchmark.json", files.benchmark)?;
    let estimates: EstimatesFile = parsed("estimates.json", files.estimates)?;
    if let Some(text) = files.sample {
        checked(&parsed::<SampleFile>("sample.json", text)?)?;
    }
    let typical = estimates.slope.unwrap_or(estimates.mean);
    let value = typical.point_estimate;
    if !(value.is_finite() && value > 0.0) {
        let wrong = format!("the estimate is {value} ns");
        return Err(CriterionError::Unusable { file: "estimates.json", wrong });
    }
    let Confidence { confidence_level, lower_bound, upper_bound } = typical.confidence_interval;
    let at_95 = (confidence_level - 0.95).abs() < 1e-9;
    Ok(Measured {
        benchmark: named(benchmark),
        arm: files.kept_as.to_owned(),
        measure: Measure::Time,
        value,
        interval: at_95.then_some(Interval { lo: lower_bound, hi: upper_bound }),
        launches: vec![value],
        change: None,
        build: String::new(),
    })
}

fn parsed<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, CriterionError> {
    serde_json::from_str(text).map_err(|wrong| CriterionError::Malformed { file, wrong })
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

fn named(benchmark: BenchmarkFile) -> String {
    let parts = [Some(benchmark.group_id), benchmark.function_id, benchmark.value_str];
    benchmark.full_id.unwrap_or_else(|| parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
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
        let row = of_criterion(&files(&estimates("slope"), SAMPLE)).unwrap();
        assert_eq!((row.benchmark.as_str(), row.arm.as_str(), row.value), ("json/parse/1024", "new", 99.75));
        assert_eq!(row.interval, Some(Interval { lo: 98.75, hi: 101.75 }));
        assert_eq!(row.launches, [99.75], "one process is one repetition");
        let row = of_criterion(&files(&estimates("null"), SAMPLE)).unwrap();
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
}
