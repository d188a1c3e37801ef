//! What a suite says of its gate: which arms, and how much each row may change.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::plan::suite::Check;
use crate::plan::{Arm, PlanError};

/// The largest slow-down that a gate lets pass without an answer, where the suite says nothing else.
pub const TOLERANCE: f64 = 0.05;

/// Which changes of one row matter, as fractions of its value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The smallest change worth a name: a confirmed slow-down beyond it fails.
    pub noise_threshold: f64,
    /// The largest slow-down that may pass undecided: an interval that ends below it passes.
    pub tolerance: f64,
}

/// The gate of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateSettings {
    /// The arms that are gated, by name; empty means the lab's choice.
    pub arms: Vec<String>,
    /// The tolerance of rows that have none of their own.
    pub tolerance: f64,
    /// How much sizes may grow over their reference.
    pub size: f64,
    /// How much the most memory in use may grow over its reference.
    pub memory: f64,
    /// How much instruction counts may grow over their reference.
    pub count: f64,
    /// The benchmark that stored times are put in proportion to where their commit cannot be built any more.
    pub anchor: Option<String>,
    pub(crate) rows: BTreeMap<String, RowTable>,
}

impl Default for GateSettings {
    fn default() -> Self {
        // Sizes are exact, but a page of padding is not a growth; memory follows the allocator and the system.
        Self {
            arms: Vec::new(),
            tolerance: TOLERANCE,
            size: 0.01,
            memory: 0.05,
            count: 0.0,
            anchor: None,
            rows: BTreeMap::new(),
        }
    }
}

impl GateSettings {
    /// The bounds of a benchmark, where the suite's noise threshold is this.
    #[must_use]
    pub fn bounds(&self, benchmark: &str, noise_threshold: f64) -> Bounds {
        let row = self.rows.get(benchmark);
        let noise_threshold = row.and_then(|row| row.noise_threshold).unwrap_or(noise_threshold);
        let tolerance = row.and_then(|row| row.tolerance).unwrap_or(self.tolerance);
        Bounds { noise_threshold, tolerance: tolerance.max(noise_threshold) }
    }

    /// The benchmarks that it names: the anchor, and those that have bounds of their own.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().chain(&self.anchor).map(String::as_str)
    }
}

/// `[gate]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GateTable {
    arms: Vec<Spanned<String>>,
    tolerance: Option<Spanned<f64>>,
    size: Option<Spanned<f64>>,
    memory: Option<Spanned<f64>>,
    count: Option<Spanned<f64>>,
    anchor: Option<String>,
    rows: BTreeMap<String, Spanned<RowTable>>,
}

/// `[gate.rows."NAME"]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RowTable {
    tolerance: Option<f64>,
    noise_threshold: Option<f64>,
}

impl Check<'_> {
    /// Checks the gate's table against the suite's arms.
    pub(crate) fn gate(&self, table: &GateTable, arms: &[Arm]) -> Result<GateSettings, PlanError> {
        let known: Vec<_> = arms.iter().map(|arm| arm.name.as_str()).collect();
        for name in &table.arms {
            if !known.contains(&name.as_ref().as_str()) {
                return Err(self.fault(name.span(), "").unknown("arm", name.as_ref(), &known));
            }
        }
        let standard = GateSettings::default();
        let share = |key: &str, value: &Option<Spanned<f64>>, otherwise: f64| match value {
            None => Ok(otherwise),
            Some(value) => self.share(value.span(), key, *value.as_ref()),
        };
        for row in table.rows.values() {
            let RowTable { tolerance, noise_threshold } = *row.as_ref();
            for (key, value) in [("tolerance", tolerance), ("noise_threshold", noise_threshold)] {
                value.map_or(Ok(0.0), |value| self.share(row.span(), key, value))?;
            }
            if let (Some(tolerance), Some(threshold)) = (tolerance, noise_threshold)
                && tolerance < threshold
            {
                return Err(self
                    .fault(row.span(), format!("tolerance = {tolerance} below noise_threshold = {threshold}"))
                    .right("what may pass undecided is at least what is worth a name"));
            }
        }
        Ok(GateSettings {
            arms: table.arms.iter().map(|name| name.as_ref().clone()).collect(),
            tolerance: share("tolerance", &table.tolerance, standard.tolerance)?,
            size: share("size", &table.size, standard.size)?,
            memory: share("memory", &table.memory, standard.memory)?,
            count: share("count", &table.count, standard.count)?,
            anchor: table.anchor.clone(),
            rows: table.rows.iter().map(|(name, row)| (name.clone(), *row.as_ref())).collect(),
        })
    }

    fn share(&self, span: Range<usize>, key: &str, value: f64) -> Result<f64, PlanError> {
        if (0.0..1.0).contains(&value) {
            return Ok(value);
        }
        Err(self
            .fault(span, format!("{key} = {value}"))
            .right("a fraction from 0 up to 1, such as 0.05 for 5 %"))
    }
}
