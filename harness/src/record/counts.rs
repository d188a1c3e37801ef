//! Instruction counts: the summaries that gungraun and its predecessor iai-callgrind save. Text in, rows out.
//!
//! A summary is the `summary.json` of one benchmark, written with `--save-summary=json`. The schemas differ in
//! where the totals of a tool are and in how a pair of runs is written:
//!
//! | schema | written by | totals | new and old |
//! | --- | --- | --- | --- |
//! | 1, 2 | iai-callgrind 0.9 to 0.13 | `callgrind_summary.summaries[].events` | `{"new": 1, "old": 2}` |
//! | 3 | iai-callgrind 0.14 to 0.15.0 | `callgrind_summary.callgrind_run.total.summary` | `{"metrics": {"Both": [1, 2]}}` |
//! | 4 | iai-callgrind 0.15.1 | `profiles[].summaries.total.summary.TOOL` | as in schema 3 |
//! | 5, 6 | iai-callgrind 0.15.2 and 0.16, gungraun before 0.20 | as in schema 4 | `{"metrics": {"Both": [{"Int": 1}, {"Int": 2}]}}` |
//! | 7 | gungraun 0.20 | `profiles[].data.total.metrics` | `{"values": {"new": 1, "old": 2}}` |

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schemas that [`read_summary`] reads, as the summaries name them.
pub const COUNT_SCHEMAS: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];

/// Why a summary cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CountsError {
    /// Not JSON, or cut off.
    #[error("not JSON, or cut off ({0}): where a bench was stopped while it wrote, run it again")]
    NotJson(serde_json::Error),
    /// JSON of another kind.
    #[error(
        "not a summary of gungraun or iai-callgrind: it has no `version` and `module_path`; summaries are named summary.json"
    )]
    NotSummary,
    /// A schema that is not known here.
    #[error(
        "a summary of schema {found}, and schemas {} to {} are read (iai-callgrind from 0.9, gungraun up to 0.20)",
        COUNT_SCHEMAS[0],
        COUNT_SCHEMAS[COUNT_SCHEMAS.len() - 1]
    )]
    Schema {
        /// The schema's version, as the file has it.
        found: String,
    },
    /// It says which schema it has, and does not keep to it.
    #[error("a summary that does not keep to its schema {schema}: {wrong}")]
    Malformed {
        /// The schema's version.
        schema: String,
        /// What was wrong.
        wrong: serde_json::Error,
    },
}

/// The tool that counted. Both count every instruction that the benchmark executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountTool {
    /// Valgrind's Callgrind.
    Callgrind,
    /// Valgrind's Cachegrind.
    Cachegrind,
}

/// One count, of the new run and of the run it was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// In the new run.
    pub new: u64,
    /// In the old run or the baseline, when the summary has one.
    pub old: Option<u64>,
}

impl Count {
    /// The change from old to new in percent of old: 0 for equal counts, nothing without an old count or
    /// where something was counted after nothing.
    #[must_use]
    pub fn change_percent(&self) -> Option<f64> {
        match self.old? {
            old if old == self.new => Some(0.0),
            0 => None,
            old => Some((self.new as f64 - old as f64) / old as f64 * 100.0),
        }
    }
}

/// The counts of one benchmark under one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountRow {
    /// The benchmark: its path and, where it has one, its id, joined by `::`.
    pub benchmark: String,
    /// What counted.
    pub tool: CountTool,
    /// Instructions that were executed (`Ir`).
    pub instructions: Count,
    /// The estimate of cycles that the tool's runner makes of the hits below
    /// (L1 + 5 · LL + 35 · RAM, after Itamar Turner-Trauring), when caches were simulated. The simulation
    /// depends on addresses: unlike instructions, hits and cycles can differ a little between equal runs.
    pub cycles: Option<Count>,
    /// Accesses that the simulated first-level cache served.
    pub l1_hits: Option<Count>,
    /// Accesses that the simulated last-level cache served.
    pub ll_hits: Option<Count>,
    /// Accesses that went to memory in the simulation.
    pub ram_hits: Option<Count>,
}

/// Reads one `summary.json`: a row for each tool that counted instructions (under schemas 1 and 2, for each
/// run of Callgrind); no row when none did, as with Memcheck alone.
///
/// # Errors
/// [`CountsError`]: not JSON, not a summary, an unknown schema, or a summary that breaks its schema.
pub fn read_summary(text: &str) -> Result<Vec<CountRow>, CountsError> {
    let value: Value = serde_json::from_str(text).map_err(CountsError::NotJson)?;
    let (Some(schema), Some(path)) = (value["version"].as_str(), value["module_path"].as_str()) else {
        return Err(CountsError::NotSummary);
    };
    let schema = schema.to_owned();
    let benchmark = value["id"].as_str().map_or_else(|| path.to_owned(), |id| [path, id].join("::"));
    let totals = match schema.as_str() {
        "1" | "2" => runs(value),
        "3" => callgrind_run(value),
        "4" | "5" | "6" => tagged_profiles(value),
        "7" => profiles(value),
        _ => return Err(CountsError::Schema { found: schema }),
    }
    .map_err(|wrong| CountsError::Malformed { schema, wrong })?;
    Ok(totals.into_iter().filter_map(|(tool, totals)| totals.row(&benchmark, tool)).collect())
}

/// The directory of the package whose bench a summary is of, without those above it; `None` where it does not say.
#[must_use]
pub fn package(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let directory = value["package_dir"].as_str()?.trim_end_matches(['/', '\\']);
    directory.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What a tool counted over the whole run, with `M` the schema's form of a pair of counts. Misses and rates
/// are left out.
#[derive(Deserialize)]
struct Totals<M> {
    #[serde(rename = "Ir")]
    instructions: Option<M>,
    #[serde(rename = "EstimatedCycles")]
    cycles: Option<M>,
    #[serde(rename = "L1hits")]
    l1_hits: Option<M>,
    #[serde(rename = "LLhits")]
    ll_hits: Option<M>,
    #[serde(rename = "RamHits")]
    ram_hits: Option<M>,
}

impl<M: Into<Pair>> Totals<M> {
    fn pairs(self) -> Totals<Pair> {
        Totals {
            instructions: self.instructions.map(Into::into),
            cycles: self.cycles.map(Into::into),
            l1_hits: self.l1_hits.map(Into::into),
            ll_hits: self.ll_hits.map(Into::into),
            ram_hits: self.ram_hits.map(Into::into),
        }
    }
}

impl Totals<Pair> {
    fn row(self, benchmark: &str, tool: CountTool) -> Option<CountRow> {
        let count = |pair: Option<Pair>| {
            let Pair { new, old } = pair?;
            Some(Count { new: new?.of(), old: old.map(Number::of) })
        };
        Some(CountRow {
            benchmark: benchmark.to_owned(),
            tool,
            instructions: count(self.instructions)?,
            cycles: count(self.cycles),
            l1_hits: count(self.l1_hits),
            ll_hits: count(self.ll_hits),
            ram_hits: count(self.ram_hits),
        })
    }
}

/// A count: bare, or under schemas 5 and 6 tagged as an integer.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a count is not a whole number")]
enum Number {
    Bare(u64),
    Tagged {
        #[serde(rename = "Int")]
        int: u64,
    },
}

impl Number {
    const fn of(self) -> u64 {
        match self {
            Self::Bare(count) | Self::Tagged { int: count } => count,
        }
    }
}

/// The pair of schemas 1, 2 and 7; the others become one.
#[derive(Deserialize)]
struct Pair {
    new: Option<Number>,
    old: Option<Number>,
}

/// The pair of schemas 3 to 6: the new run is on the left.
#[derive(Deserialize)]
enum Sides {
    Left(Number),
    Right(Number),
    Both(Number, Number),
}

#[derive(Deserialize)]
struct Metrics {
    metrics: Sides,
}

impl From<Metrics> for Pair {
    fn from(metrics: Metrics) -> Self {
        let (new, old) = match metrics.metrics {
            Sides::Left(new) => (Some(new), None),
            Sides::Right(old) => (None, Some(old)),
            Sides::Both(new, old) => (Some(new), Some(old)),
        };
        Self { new, old }
    }
}

#[derive(Deserialize)]
struct Values {
    values: Pair,
}

impl From<Values> for Pair {
    fn from(values: Values) -> Self {
        values.values
    }
}

type Found = Result<Vec<(CountTool, Totals<Pair>)>, serde_json::Error>;

/// Schemas 1 and 2.
fn runs(summary: Value) -> Found {
    #[derive(Deserialize)]
    struct Summary {
        callgrind_summary: Option<Callgrind>,
    }
    #[derive(Deserialize)]
    struct Callgrind {
        summaries: Vec<Run>,
    }
    #[derive(Deserialize)]
    struct Run {
        events: Totals<Pair>,
    }
    let summary: Summary = serde_json::from_value(summary)?;
    let runs = summary.callgrind_summary.map_or_else(Vec::new, |callgrind| callgrind.summaries);
    Ok(runs.into_iter().map(|run| (CountTool::Callgrind, run.events)).collect())
}

/// Schema 3.
fn callgrind_run(summary: Value) -> Found {
    #[derive(Deserialize)]
    struct Summary {
        callgrind_summary: Option<Callgrind>,
    }
    #[derive(Deserialize)]
    struct Callgrind {
        callgrind_run: Run,
    }
    #[derive(Deserialize)]
    struct Run {
        total: Total,
    }
    #[derive(Deserialize)]
    struct Total {
        summary: Totals<Metrics>,
    }
    let summary: Summary = serde_json::from_value(summary)?;
    let totals = summary.callgrind_summary.map(|callgrind| callgrind.callgrind_run.total.summary.pairs());
    Ok(totals.into_iter().map(|totals| (CountTool::Callgrind, totals)).collect())
}

/// Schemas 4 to 6, whose totals are tagged with the tool once more.
fn tagged_profiles(summary: Value) -> Found {
    #[derive(Deserialize)]
    struct Summary {
        profiles: Vec<Profile>,
    }
    #[derive(Deserialize)]
    struct Profile {
        summaries: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        total: Total,
    }
    #[derive(Deserialize)]
    struct Total {
        summary: Value,
    }
    let summary: Summary = serde_json::from_value(summary)?;
    let mut found = Vec::new();
    for profile in summary.profiles {
        let mut totals = profile.summaries.total.summary;
        for (tool, tag) in [(CountTool::Callgrind, "Callgrind"), (CountTool::Cachegrind, "Cachegrind")] {
            if let Some(totals) = totals.get_mut(tag) {
                found.push((tool, totals_of::<Metrics>(totals.take())?));
            }
        }
    }
    Ok(found)
}

/// Schema 7.
fn profiles(summary: Value) -> Found {
    #[derive(Deserialize)]
    struct Summary {
        profiles: Vec<Profile>,
    }
    #[derive(Deserialize)]
    struct Profile {
        tool: String,
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        total: Total,
    }
    #[derive(Deserialize)]
    struct Total {
        metrics: Value,
    }
    let summary: Summary = serde_json::from_value(summary)?;
    let mut found = Vec::new();
    for profile in summary.profiles {
        // Counters of the processor (`Perf`) are samples of one run, not counts that repeat.
        let tool = match profile.tool.as_str() {
            "Callgrind" => CountTool::Callgrind,
            "Cachegrind" => CountTool::Cachegrind,
            _ => continue,
        };
        found.push((tool, totals_of::<Values>(profile.data.total.metrics)?));
    }
    Ok(found)
}

fn totals_of<M: DeserializeOwned + Into<Pair>>(value: Value) -> Result<Totals<Pair>, serde_json::Error> {
    serde_json::from_value::<Totals<M>>(value).map(Totals::pairs)
}

#[cfg(test)]
mod tests;
