//! `counts.json`: instructions of one call of each benchmark in each arm; and what of them was accepted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Difference;
use crate::measure::{Means, RunFailure};

/// The version of `counts.json` and of accepted counts.
pub const COUNTS_SCHEMA: u32 = 1;

/// What counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// Single steps under ptrace.
    SingleStep,
    /// The processor's counter.
    Hardware,
    /// Valgrind's Callgrind, started by gungraun.
    Callgrind,
}

impl CountedBy {
    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleStep => "single_step",
            Self::Hardware => "hardware",
            Self::Callgrind => "callgrind",
        }
    }
}

impl From<Means> for CountedBy {
    fn from(means: Means) -> Self {
        match means {
            Means::SingleStep => Self::SingleStep,
            Means::Hardware => Self::Hardware,
        }
    }
}

/// What decides, besides the source and an arm's flags, which instructions a call executes. Counts are compared
/// only where all of it is equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOrigin {
    /// rustc's version and commit.
    pub rustc: String,
    /// LLVM's version.
    pub llvm: String,
    /// The C library, which chooses its own code for copying and comparing memory.
    pub libc: String,
    /// Features of the CPU, by which code chooses when it runs; empty under Callgrind, which shows a CPU of its own.
    pub features: Vec<String>,
    /// Valgrind's version, where it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valgrind: Option<String>,
}

impl CodeOrigin {
    /// Everything in which two origins differ.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let fields = |of: &Self| {
            [
                ("rustc", of.rustc.clone()),
                ("LLVM", of.llvm.clone()),
                ("C library", of.libc.clone()),
                ("CPU features", of.features.join(" ")),
                ("Valgrind", of.valgrind.clone().unwrap_or_else(|| "none".to_owned())),
            ]
        };
        let pairs = fields(self).into_iter().zip(fields(other));
        let different = pairs.filter(|((_, left), (_, right))| left != right);
        different.map(|((field, left), (_, right))| Difference { field, left, right }).collect()
    }
}

/// How an arm was built, as far as that decides its instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedArm {
    /// Its name.
    pub name: String,
    /// The Cargo profile.
    pub profile: String,
    /// The flags that rustc was given.
    pub flags: Vec<String>,
}

/// The instructions of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedCall {
    /// The benchmark.
    pub benchmark: String,
    /// The arm.
    pub arm: String,
    /// In each process that counted it; equal where the count is exact.
    pub instructions: Vec<u64>,
    /// Further rounds of `rep`-prefixed instructions, which count once.
    #[serde(default)]
    pub rounds: u64,
}

impl CountedCall {
    /// The one count, where all processes agree.
    #[must_use]
    pub fn exact(&self) -> Option<u64> {
        let first = *self.instructions.first()?;
        self.instructions.iter().all(|&count| count == first).then_some(first)
    }

    /// The least and the greatest count.
    #[must_use]
    pub fn range(&self) -> Option<(u64, u64)> {
        Some((*self.instructions.iter().min()?, *self.instructions.iter().max()?))
    }
}

/// `counts.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountsFile {
    /// The schema's version.
    pub schema: u32,
    /// perflab's version.
    pub perflab: String,
    /// When it was started (UTC, ISO 8601).
    pub started: String,
    /// Seconds of work, builds included.
    pub seconds: f64,
    /// The command that made it.
    pub command: String,
    /// The suite, or the bench target.
    pub suite: String,
    /// What counted.
    pub by: CountedBy,
    /// The machine's class, for the head of the table; it decides nothing.
    pub machine: String,
    /// What decides which code runs.
    pub origin: CodeOrigin,
    /// The benchmarks, in order.
    pub benchmarks: Vec<String>,
    /// The arms, the baseline first.
    pub arms: Vec<CountedArm>,
    /// Arms with code identical to another's, which was counted in their stead.
    pub identical: BTreeMap<String, String>,
    /// The counts.
    pub calls: Vec<CountedCall>,
    /// What has none, and why.
    pub failures: Vec<RunFailure>,
}

/// Why `counts.json` or accepted counts cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CountsFileError {
    /// Not JSON, cut off, or of another shape.
    #[error("no counts of perflab, or changed by hand: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another version.
    #[error("counts of schema {found}, and schema {COUNTS_SCHEMA} is read: count again with this version")]
    Schema {
        /// The file's version.
        found: u64,
    },
}

impl CountsFile {
    /// Reads `counts.json`.
    ///
    /// # Errors
    /// [`CountsFileError`].
    pub fn read(text: &str) -> Result<Self, CountsFileError> {
        read(text)
    }

    /// The count of a benchmark in an arm, or in the arm with the same code.
    #[must_use]
    pub fn call(&self, benchmark: &str, arm: &str) -> Option<&CountedCall> {
        let arm = self.identical.get(arm).map_or(arm, String::as_str);
        self.calls.iter().find(|call| call.benchmark == benchmark && call.arm == arm)
    }

    /// What accepting these counts keeps.
    #[must_use]
    pub fn accepted(&self) -> AcceptedCounts {
        let mut counts: BTreeMap<String, BTreeMap<String, Option<u64>>> = BTreeMap::new();
        for call in &self.calls {
            counts.entry(call.arm.clone()).or_default().insert(call.benchmark.clone(), call.exact());
        }
        let arms = self.arms.iter().filter(|arm| counts.contains_key(&arm.name)).cloned().collect();
        AcceptedCounts {
            schema: COUNTS_SCHEMA,
            suite: self.suite.clone(),
            by: self.by,
            counted: self.started.clone(),
            origin: self.origin.clone(),
            arms,
            counts,
        }
    }
}

/// Counts that later ones are held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedCounts {
    /// The schema's version.
    pub schema: u32,
    /// The suite, or the bench target.
    pub suite: String,
    /// What counted.
    pub by: CountedBy,
    /// When (UTC).
    pub counted: String,
    /// What decides which code runs.
    pub origin: CodeOrigin,
    /// The arms.
    pub arms: Vec<CountedArm>,
    /// Instructions by arm and benchmark; `null` where they differ from process to process.
    pub counts: BTreeMap<String, BTreeMap<String, Option<u64>>>,
}

impl AcceptedCounts {
    /// Reads accepted counts.
    ///
    /// # Errors
    /// [`CountsFileError`].
    pub fn read(text: &str) -> Result<Self, CountsFileError> {
        read(text)
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, CountsFileError> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    match value["schema"].as_u64() {
        Some(found) if found != u64::from(COUNTS_SCHEMA) => Err(CountsFileError::Schema { found }),
        _ => Ok(serde_json::from_value(value)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(benchmark: &str, arm: &str, instructions: &[u64]) -> CountedCall {
        CountedCall {
            benchmark: benchmark.into(),
            arm: arm.into(),
            instructions: instructions.into(),
            rounds: 0,
        }
    }

    fn file() -> CountsFile {
        let arm = |name: &str| CountedArm { name: name.into(), profile: "release".into(), flags: Vec::new() };
        CountsFile {
            schema: COUNTS_SCHEMA,
            perflab: "0".into(),
            started: "2026-01-01T00:00:00Z".into(),
            seconds: 1.5,
            command: "perflab counts".into(),
            suite: "s".into(),
            by: CountedBy::SingleStep,
            machine: "m".into(),
            origin: CodeOrigin {
                rustc: "1".into(),
                llvm: "2".into(),
                libc: "3".into(),
                features: vec!["avx".into()],
                valgrind: None,
            },
            benchmarks: vec!["a".into(), "b".into()],
            arms: vec![arm("x"), arm("y"), arm("z")],
            identical: [("z".to_owned(), "x".to_owned())].into(),
            calls: vec![call("a", "x", &[7, 7]), call("b", "x", &[7, 9]), call("a", "y", &[5, 5])],
            failures: Vec::new(),
        }
    }

    #[test]
    fn exact_counts_agree_in_every_process() {
        let file = file();
        assert_eq!(file.calls[0].exact(), Some(7));
        assert_eq!((file.calls[1].exact(), file.calls[1].range()), (None, Some((7, 9))));
        assert_eq!(call("a", "x", &[]).exact(), None);
        assert_eq!(file.call("a", "z").unwrap().arm, "x", "the arm with the same code");
        assert!(file.call("b", "y").is_none());
    }

    #[test]
    fn files_come_back_whole_and_others_are_refused() {
        let file = file();
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(CountsFile::read(&text).unwrap(), file);
        let accepted = file.accepted();
        assert_eq!(accepted.counts["x"], [("a".to_owned(), Some(7)), ("b".to_owned(), None)].into());
        assert_eq!(accepted.arms.len(), 2, "an arm that was not counted is not accepted");
        let text = serde_json::to_string(&accepted).unwrap();
        assert_eq!(AcceptedCounts::read(&text).unwrap(), accepted);
        let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
        assert!(matches!(AcceptedCounts::read(&newer), Err(CountsFileError::Schema { found: 2 })));
        let edited = text.replacen("\"suite\"", "\"sweet\"", 1);
        assert!(AcceptedCounts::read(&edited).unwrap_err().to_string().contains("changed by hand"));
        assert!(AcceptedCounts::read("{").is_err());
    }

    #[test]
    fn what_chooses_the_code_is_told() {
        let one = file().origin;
        assert_eq!(one.differences(&one), []);
        let other = CodeOrigin { libc: "4".into(), features: Vec::new(), ..one.clone() };
        let fields: Vec<_> = one.differences(&other).iter().map(|difference| difference.field).collect();
        assert_eq!(fields, ["C library", "CPU features"]);
    }
}
