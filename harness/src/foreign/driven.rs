//! A bench of another harness as a subject: each turn is one process of it, whose own figures are read.
//!
//! criterion is given short times and its raw samples are taken; of divan, which keeps none, the median that it prints.
//! Both are times of many calls: they are converted to as many calls as the lab asks for.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::plan::Bench;
use crate::process::{Invocation, Limits, run};

/// The longest that a process may take: set-up, and the calls of a slow benchmark.
const LONGEST: Duration = Duration::from_secs(120);
/// The most that is kept of what it prints.
const OUTPUT: usize = 4 << 20;

/// Times of some calls, one group a process of its own harness made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Calls.
    pub calls: f64,
    /// What they took together, in ns.
    pub ns: f64,
}

/// Why a bench has no figures.
#[derive(Debug, thiserror::Error)]
pub enum DrivenError {
    /// It cannot be run, or does not end.
    #[error("cannot be measured: {0}")]
    NotRun(String),
    /// It ended with something else than 0.
    #[error("cannot be measured: it ended with {how}: {said}")]
    Failed {
        /// Code or signal.
        how: String,
        /// The end of what it said.
        said: String,
    },
    /// It has no benchmark of this name.
    #[error("unknown benchmark \"{0}\"")]
    Unknown(String),
    /// What it left cannot be read.
    #[error("cannot be measured: {0}")]
    Unreadable(String),
}

/// A bench executable and the harness in it.
#[derive(Clone, Debug)]
pub struct Driven {
    /// The harness.
    pub bench: Bench,
    /// The executable.
    pub program: PathBuf,
    /// Where it may write.
    pub scratch: PathBuf,
    /// The lab's own executable, through which it is started, so that it ends with the lab.
    pub lab: Option<PathBuf>,
}

impl Driven {
    /// The names of its benchmarks.
    ///
    /// # Errors
    /// [`DrivenError`]: it cannot be run, or fails.
    pub fn list(&self) -> Result<Vec<String>, DrivenError> {
        let words: &[&str] = match self.bench {
            Bench::Divan => &["--bench", "--list", "--format", "terse"],
            Bench::Subject | Bench::Criterion => &["--bench", "--list"],
        };
        let said = self.run(words.iter().map(OsString::from).collect())?;
        Ok(match self.bench {
            Bench::Divan if !said.contains(": benchmark") => {
                of_tree(&said).into_iter().map(|(name, _)| name).collect()
            }
            _ => listed(&said),
        })
    }

    /// Measures a benchmark once.
    ///
    /// # Errors
    /// [`DrivenError`]: it cannot be run, fails, or leaves no figures.
    pub fn measure(&self, name: &str) -> Result<Vec<Group>, DrivenError> {
        match self.bench {
            Bench::Divan => self.by_divan(name),
            Bench::Subject | Bench::Criterion => self.by_criterion(name),
        }
    }

    fn by_criterion(&self, name: &str) -> Result<Vec<Group>, DrivenError> {
        // What an earlier turn left would be read for this one's.
        let home = self.scratch.join("criterion");
        if home.exists() {
            fs::remove_dir_all(&home).map_err(|error| DrivenError::NotRun(error.to_string()))?;
        }
        let short =
            ["--warm-up-time", "0.05", "--measurement-time", "0.1", "--sample-size", "10", "--noplot"];
        // A filter is a regular expression in every version; `--exact` is not in all of them.
        let filter = format!("^{}$", escaped(name));
        let words = ["--bench"].into_iter().chain(short).map(OsString::from).chain([filter.into()]);
        self.run(words.collect())?;
        let file = sample(&home).ok_or_else(|| DrivenError::Unknown(name.to_owned()))?;
        let text = fs::read_to_string(&file).map_err(|error| DrivenError::Unreadable(error.to_string()))?;
        of_sample(&text)
    }

    fn by_divan(&self, name: &str) -> Result<Vec<Group>, DrivenError> {
        let words = ["--bench", "--exact", name, "--min-time", "0.05", "--max-time", "0.15"];
        let said = self.run(words.map(OsString::from).into())?;
        let found =
            of_tree(&said).into_iter().find_map(|(path, median)| (path == name).then_some(median).flatten());
        let ns = found.ok_or_else(|| DrivenError::Unknown(name.to_owned()))?;
        Ok(vec![Group { calls: 1.0, ns }])
    }

    fn run(&self, words: Vec<OsString>) -> Result<String, DrivenError> {
        let mut invocation = Invocation::new(&self.program, words);
        invocation.set.push(("CRITERION_HOME".into(), self.scratch.join("criterion").into()));
        invocation.set.push(("NO_COLOR".into(), "1".into()));
        if let Some(lab) = &self.lab {
            invocation = invocation.through(lab, ["__supervise".to_owned()]);
        }
        let limits = Limits { timeout: LONGEST, output: OUTPUT };
        let output =
            run(&invocation, limits, &|| false).map_err(|error| DrivenError::NotRun(error.to_string()))?;
        if output.success() {
            return Ok(output.stdout);
        }
        let how = match (output.code, output.signal) {
            (Some(code), _) => format!("code {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        };
        let lines: Vec<&str> = output.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(3);
        Err(DrivenError::Failed { how, said: lines[from..].join("; ") })
    }
}

/// The names in a list as libtest prints it; the criterion of 0.3 prints that it tests each.
fn listed(said: &str) -> Vec<String> {
    let name = |line: &str| {
        let listed = line.strip_suffix(": benchmark").or_else(|| line.strip_suffix(": bench"));
        listed.or_else(|| line.strip_prefix("Testing ")).map(str::to_owned)
    };
    said.lines().filter_map(name).collect()
}

/// A text as a regular expression for it alone.
fn escaped(text: &str) -> String {
    let special = |letter: char| r"\.+*?()|[]{}^$#&-~/".contains(letter) && letter != '/';
    text.chars().fold(String::new(), |mut escaped, letter| {
        if special(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
        escaped
    })
}

/// The samples of the one benchmark below a directory.
fn sample(folder: &Path) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.filter_map(Result::ok) {
        let path = entry.path();
        let file = path.join("sample.json");
        if path.ends_with("new") && file.is_file() {
            return Some(file);
        }
        if path.is_dir()
            && let Some(found) = sample(&path)
        {
            return Some(found);
        }
    }
    None
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// criterion's `sample.json`.
fn of_sample(text: &str) -> Result<Vec<Group>, DrivenError> {
    let unreadable = |what: &str| DrivenError::Unreadable(format!("criterion's sample.json: {what}"));
    let sample: Sample = serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))?;
    let groups: Vec<Group> =
        sample.iters.iter().zip(&sample.times).map(|(&calls, &ns)| Group { calls, ns }).collect();
    let right = |group: &Group| group.calls >= 1.0 && group.ns.is_finite() && group.ns >= 0.0;
    if groups.is_empty() || sample.iters.len() != sample.times.len() || !groups.iter().all(right) {
        return Err(unreadable("expected as many times as iterations, all above zero"));
    }
    Ok(groups)
}

/// The benchmarks of divan's tree, each with its median in ns where it has one: a name is the path to it.
fn of_tree(said: &str) -> Vec<(String, Option<f64>)> {
    let mut path: Vec<String> = Vec::new();
    let mut found: Vec<(String, Option<f64>)> = Vec::new();
    for line in said.lines() {
        let Some(at) = line.find(['├', '╰']) else {
            continue;
        };
        // Each level is indented by three columns.
        let depth = line[..at].chars().count() / 3;
        let rest = line[at..].trim_start_matches(['├', '╰', '─', ' ']);
        let mut cells = rest.split('│').map(str::trim);
        let name = cells.next().unwrap_or_default().split("  ").next().unwrap_or_default().trim();
        path.truncate(depth);
        path.push(name.to_owned());
        let whole = path.join("::");
        // What stands above others is a group.
        if found.last().is_some_and(|(last, _)| whole.starts_with(&format!("{last}::"))) {
            found.pop();
        }
        found.push((whole, cells.nth(1).and_then(nanoseconds)));
    }
    found
}

/// A time as divan prints it: `1.234 µs`.
fn nanoseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let factor = match unit.trim() {
        "ps" => 1e-3,
        "ns" => 1.0,
        "µs" | "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// The groups as so many slices of so many calls each, in ns. Nothing is invented where there are fewer groups than slices:
/// they are taken again from the first on.
#[must_use]
pub fn slices(groups: &[Group], slices: u32, iters: u64) -> Vec<u64> {
    let wanted = usize::try_from(slices).unwrap_or(1).max(1);
    let part = (groups.len() / wanted).max(1);
    let one = |at: usize| {
        let from = (at * part) % groups.len().max(1);
        let chosen = &groups[from..groups.len().min(from + part)];
        let (calls, ns) =
            chosen.iter().fold((0.0, 0.0), |(calls, ns), group| (calls + group.calls, ns + group.ns));
        let whole = (ns / f64::max(calls, 1.0) * iters as f64).round();
        if whole < 1.0 { 1 } else { whole as u64 }
    };
    (0..wanted).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_both_kinds_of_lists() {
        assert_eq!(listed("a/b: benchmark\nc d: bench\n2 benchmarks\n"), ["a/b", "c d"]);
        assert_eq!(listed("Testing a/b\nSuccess\n\nTesting c\nSuccess\n"), ["a/b", "c"]);
    }

    #[test]
    fn a_name_is_a_filter_for_itself_alone() {
        assert_eq!(escaped("a/b (c)+1"), r"a/b \(c\)\+1");
    }

    #[test]
    fn samples_become_slices_of_as_many_calls_as_were_asked_for() {
        let groups =
            of_sample(r#"{"sampling_mode":"Linear","iters":[10,20,30,40],"times":[100,210,300,400]}"#)
                .unwrap();
        // 310 ns for 30 calls, 700 ns for 70.
        assert_eq!(slices(&groups, 2, 300), [3_100, 3_000]);
        assert_eq!(slices(&groups, 1, 1_000), [10_100]);
        for wrong in [
            r#"{"iters":[],"times":[]}"#,
            r#"{"iters":[1],"times":[1,2]}"#,
            r#"{"iters":[0],"times":[1]}"#,
            "{",
        ] {
            assert!(of_sample(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn divans_tree_is_read_with_groups_and_arguments() {
        let said = "Timer precision: 20 ns\nb              fastest       │ slowest       │ median        │ mean          │ samples │ iters\n\
                    ├─ plain       1.234 ns      │ 2 ns          │ 1.5 ns        │ 1.6 ns        │ 100     │ 1600\n\
                    ╰─ args                      │               │               │               │         │\n\
                    \u{20}  ├─ 10       5 µs          │ 6 µs          │ 5.25 µs       │ 5.3 µs        │ 100     │ 100\n\
                    \u{20}  ╰─ 100      5 ms          │ 6 ms          │ 5.5 ms        │ 5.6 ms        │ 100     │ 100\n";
        let found = of_tree(said);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["plain", "args::10", "args::100"]);
        let medians: Vec<f64> = found.iter().filter_map(|(_, median)| *median).collect();
        assert_eq!(medians, [1.5, 5_250.0, 5_500_000.0]);
    }
}
