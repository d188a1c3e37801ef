//! One row of one calibrated gate, launch by launch, so that another rule can be tried on the same launches.

use serde::{Deserialize, Serialize};

use crate::judge::Launches;
use crate::plan::Bounds;

/// Launches are kept in millionths of a log ratio: a ten-thousandth of a percent.
pub(crate) const SCALE: f64 = 1e6;

/// One row of one experiment: a line of the log that campaigns add up in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct GateLine {
    /// The experiment.
    pub seed: u64,
    /// The benchmark.
    pub benchmark: String,
    /// The slow-down that was asked for.
    pub injected: f64,
    /// The steps that it came down to.
    pub extra: u64,
    /// The noise threshold of the gate.
    pub noise_threshold: f64,
    /// Its tolerance.
    pub tolerance: f64,
    /// The load average over one minute when the sitting began.
    pub load: f64,
    /// Seconds of measuring that the row and its baseline took.
    pub seconds: f64,
    /// The baseline's time of a call, in ns: the median over launches. How it varies between experiments is what a
    /// stored time is worth.
    pub baseline_ns: f64,
    /// The launches of the screening, as log ratios.
    #[serde(with = "millionths")]
    pub screening: Vec<f64>,
    /// Of the confirmation.
    #[serde(with = "millionths")]
    pub confirmation: Vec<f64>,
}

impl GateLine {
    /// What the gate's rule is tried on.
    pub(crate) fn launches(&self) -> Launches {
        let bounds = Bounds { noise_threshold: self.noise_threshold, tolerance: self.tolerance };
        Launches { screening: self.screening.clone(), confirmation: self.confirmation.clone(), bounds }
    }
}

mod millionths {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::experiment::calibrations::gate_line::SCALE;

    pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let words: Vec<String> = values.iter().map(|value| format!("{:.0}", value * SCALE)).collect();
        serializer.serialize_str(&words.join(" "))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = |word: &str| match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value / SCALE),
            _ => Err(D::Error::custom(format!("expected millionths of a log ratio, found {word:?}"))),
        };
        text.split_whitespace().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::calibrations::{append, read_log};

    #[test]
    fn launches_are_kept_to_a_ten_thousandth_of_a_percent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.gate.csv");
        let line = GateLine {
            seed: 1,
            benchmark: "b".to_owned(),
            injected: 0.0,
            extra: 0,
            noise_threshold: 0.01,
            tolerance: 0.05,
            load: 0.25,
            seconds: 1.0,
            baseline_ns: 100.0,
            screening: vec![0.0, -0.012_345_6, 0.25, 1e-7],
            confirmation: Vec::new(),
        };
        append(&path, std::slice::from_ref(&line)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(",0 -12346 250000 0,\n"), "{text}");
        let back = read_log::<GateLine>(&path).unwrap().lines.remove(0);
        assert!(
            line.screening.iter().zip(&back.screening).all(|(a, b)| (a - b).abs() <= 0.5 / SCALE),
            "{back:?}"
        );
        assert!(back.confirmation.is_empty());
        std::fs::write(&path, text.replace("-12346", "-12x46")).unwrap();
        let said = read_log::<GateLine>(&path).unwrap_err().to_string();
        assert!(said.contains(":2: ") && said.contains("found \"-12x46\""), "{said}");
    }
}
