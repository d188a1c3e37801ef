//! One answer over code and speed: what new code has to hold, each condition by itself, and what was not looked at.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mcp_source::Language;
use serde::Serialize;

use crate::coverage::report::{Count, FileCoverage};
use crate::git::{Change, Changes};
use crate::lint::rules::is_test_path;
use crate::lint::{Finding, Severity};
use crate::metrics::FunctionMetrics;
use crate::performance::{Performance, Said};
use crate::policy::Conditions;

/// What comes of a condition, and of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It holds.
    Pass,
    /// It was not asked for, and was not looked at.
    NotChecked,
    /// It was asked for and cannot be decided: never the same as holding.
    Undecided,
    /// It does not hold.
    Fail,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// What comes of it.
    pub answer: Answer,
    /// What was found, in a sentence.
    pub found: String,
    /// Places, each with what is wrong there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// How many further places there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub places_left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Condition {
    fn new(name: &'static str, answer: Answer, found: impl Into<String>) -> Self {
        Self { name, answer, found: found.into(), places: Vec::new(), places_left_out: 0 }
    }

    fn at(mut self, mut places: Vec<String>) -> Self {
        self.places_left_out = places.len().saturating_sub(MOST_PLACES);
        places.truncate(MOST_PLACES);
        self.places = places;
        self
    }

    /// A condition that cannot be decided, and why.
    #[must_use]
    pub fn undecided(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Answer::Undecided, why)
    }

    /// A condition that nobody gave anything for.
    #[must_use]
    pub fn not_checked(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Answer::NotChecked, why)
    }
}

/// All conditions in one word. Nothing that was looked at is undecided, not passed.
#[must_use]
pub fn fold(conditions: &[Condition]) -> Answer {
    let looked = conditions.iter().filter(|condition| condition.answer != Answer::NotChecked);
    looked.map(|condition| condition.answer).max().unwrap_or(Answer::Undecided)
}

/// The most places that a condition names.
const MOST_PLACES: usize = 20;

/// Coverage of the lines of a change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewLines {
    /// New and changed lines in files that the report describes.
    pub lines: u64,
    /// Those that can be run, and those that were.
    pub count: Count,
    /// Regions that were not run, by file.
    pub gaps: BTreeMap<String, Vec<(u32, u32)>>,
    /// Changed files of code, other than tests, that the report does not describe although it describes others of
    /// their language.
    pub undescribed: Vec<String>,
    /// Changed files that were written after the report, so that its lines may be others.
    pub stale: Vec<String>,
}

/// The coverage of new and changed lines.
#[must_use]
pub fn new_lines(
    changes: &Changes,
    coverage: &BTreeMap<String, FileCoverage>,
    newer: &BTreeSet<String>,
) -> NewLines {
    let mut new = NewLines::default();
    let language = |path: &str| Language::of_path(path.as_ref());
    let described: BTreeSet<&str> =
        coverage.keys().filter_map(|path| language(path)).map(Language::name).collect();
    for (path, change) in &changes.files {
        if change.change == Change::Deleted || (change.lines.is_empty() && !change.is_binary) {
            continue;
        }
        let Some(file) = coverage.get(path) else {
            let is_described = language(path).is_some_and(|language| described.contains(language.name()));
            if is_described && !is_test_path(path) {
                new.undescribed.push(path.clone());
            }
            continue;
        };
        if newer.contains(path) {
            new.stale.push(path.clone());
        }
        let mut gaps: Vec<(u32, u32)> = Vec::new();
        for line in change.lines.iter().flat_map(|(from, to)| *from..=*to) {
            new.lines += 1;
            match file.is_hit(line) {
                Some(true) => new.count.add(Count { found: 1, hit: 1 }),
                Some(false) => {
                    new.count.add(Count { found: 1, hit: 0 });
                    match gaps.last_mut().filter(|gap| gap.1 + 1 == line) {
                        Some(gap) => gap.1 = line,
                        None => gaps.push((line, line)),
                    }
                }
                None => {}
            }
        }
        if !gaps.is_empty() {
            new.gaps.insert(path.clone(), gaps);
        }
    }
    new
}

/// The condition on coverage.
#[must_use]
pub fn coverage(policy: &Conditions, new: &NewLines) -> Condition {
    let least = policy.new_line_coverage;
    let (mut answer, mut found) = match new.count.percent() {
        None => (Answer::Pass, "no changed line can be run".to_owned()),
        Some(percent) => {
            let answer = if percent >= least { Answer::Pass } else { Answer::Fail };
            let Count { hit, found } = new.count;
            let found = format!(
                "{hit} of {found} changed lines that can be run were run ({percent:.1} %, at least {least} % wanted)"
            );
            (answer, found)
        }
    };
    if !new.stale.is_empty() {
        answer = Answer::Undecided;
        found = format!(
            "{} changed after the report was written, so it does not say what was run: make it again",
            crate::words::files(new.stale.len())
        );
    } else if !new.undescribed.is_empty() && answer == Answer::Pass {
        answer = Answer::Undecided;
        found = format!("{found}; the report does not describe all changed files of code");
    }
    let stale = new.stale.iter().map(|path| format!("{path} changed after the report"));
    let undescribed = new.undescribed.iter().map(|path| format!("{path} is not in the report"));
    let gaps = new.gaps.iter().flat_map(|(path, gaps)| gaps.iter().map(move |gap| (path, *gap)));
    let gaps = gaps
        .filter(|(path, _)| !new.stale.contains(path))
        .map(|(path, gap)| format!("{path}:{} was not run", crate::words::lines(gap)));
    Condition::new("new_line_coverage", answer, found).at(stale.chain(undescribed).chain(gaps).collect())
}

/// What makes the other conditions say less than they seem to: files in conflict.
#[must_use]
pub fn work_tree(changes: &Changes) -> Option<Condition> {
    if changes.conflicted.is_empty() {
        return None;
    }
    let places = changes.conflicted.iter().map(|path| format!("{path} is in conflict")).collect();
    let found = "a merge is not finished: resolve it first";
    Some(Condition::new("work_tree", Answer::Fail, found).at(places))
}

/// The functions of a changed file, now and at the base.
#[derive(Clone, Debug, Default)]
pub struct FileFunctions {
    /// Now.
    pub now: Vec<FunctionMetrics>,
    /// At the base; empty for a new file.
    pub before: Vec<FunctionMetrics>,
}

/// The condition on complexity: of functions that are new or changed. One that had as much before may keep it.
#[must_use]
pub fn complexity(
    policy: &Conditions,
    changes: &Changes,
    files: &BTreeMap<String, FileFunctions>,
    unmeasured: &BTreeMap<String, String>,
) -> Condition {
    let mut places = Vec::new();
    let (mut looked, mut complex, mut delta) = (0_usize, 0_usize, 0_i64);
    for (path, functions) in files {
        let Some(change) = changes.files.get(path) else { continue };
        for function in functions.now.iter().filter(|one| change.touches(one.first_line, one.last_line)) {
            looked += 1;
            let before = functions.before.iter().find(|before| before.name == function.name);
            let (cyclomatic, cognitive) =
                before.map_or((0, 0), |before| (before.cyclomatic, before.cognitive));
            delta += i64::from(function.cyclomatic) - i64::from(cyclomatic);
            let known = places.len();
            for (what, now, then, most) in [
                ("cyclomatic", function.cyclomatic, cyclomatic, policy.cyclomatic),
                ("cognitive", function.cognitive, cognitive, policy.cognitive),
            ] {
                if now > most && now > then {
                    let line = function.first_line;
                    let past = if before.is_some() { format!(", was {then}") } else { ", is new".to_owned() };
                    places.push(format!(
                        "{path}:{line} {} has {what} {now} (at most {most}{past})",
                        function.name
                    ));
                }
            }
            complex += usize::from(places.len() > known);
        }
    }
    let answer = match (complex, unmeasured.len()) {
        (0, 0) => Answer::Pass,
        (0, _) => Answer::Undecided,
        _ => Answer::Fail,
    };
    let mut found = format!(
        "{complex} of {looked} new and changed functions are too complex (at most {} cyclomatic, {} cognitive); \
         cyclomatic {delta:+} in all",
        policy.cyclomatic, policy.cognitive
    );
    if !unmeasured.is_empty() {
        found.push_str(&format!("; {} not measured", crate::words::files(unmeasured.len())));
    }
    places.extend(unmeasured.iter().map(|(path, why)| format!("{path} was not measured: {why}")));
    Condition::new("complexity", answer, found).at(places)
}

/// The condition on findings: those on new and changed lines, notes not counted.
#[must_use]
pub fn findings(policy: &Conditions, changes: &Changes, findings: &[Finding], stale: &[String]) -> Condition {
    let is_new = |finding: &&Finding| {
        finding.severity > Severity::Note
            && changes.files.get(&finding.path).is_some_and(|change| {
                change.has(finding.line) || (finding.line == 0 && change.change == Change::Added)
            })
    };
    let new: Vec<&Finding> = findings.iter().filter(is_new).collect();
    let is_fine = new.len() <= policy.new_findings as usize;
    let mut found = format!(
        "{} on changed lines, at most {} wanted",
        crate::words::count(new.len(), "finding", "findings"),
        policy.new_findings
    );
    let answer = match (is_fine, stale.is_empty()) {
        (true, true) => Answer::Pass,
        (true, false) => Answer::Undecided,
        (false, _) => Answer::Fail,
    };
    if !stale.is_empty() {
        found.push_str("; files changed after the reports were written: make them again");
    }
    let places = new
        .iter()
        .map(|finding| format!("{}:{} {}: {}", finding.path, finding.line, finding.rule, finding.message))
        .chain(stale.iter().map(|report| format!("{report} is older than the change")));
    Condition::new("new_findings", answer, found).at(places.collect())
}

/// What the last run of all tests said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastRun {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether it is of what is there now.
    pub is_current: bool,
    /// Tests that failed outside of quarantine.
    pub failed: Vec<String>,
    /// Flaky tests outside of quarantine.
    pub flaky: Vec<String>,
    /// Why it is broken, where it is.
    pub broken: Option<String>,
}

/// The condition on tests.
#[must_use]
pub fn tests(policy: &Conditions, last: Option<&LastRun>) -> Condition {
    let name = "tests";
    let Some(last) = last else {
        let why = "no run of all tests is remembered: call run_tests first";
        return match policy.tests {
            true => Condition::undecided(name, why),
            false => Condition::not_checked(name, why),
        };
    };
    if let Some(why) = &last.broken {
        return Condition::new(name, Answer::Fail, format!("the last run is broken: {why}"));
    }
    let too_flaky = last.flaky.len() > policy.flaky as usize;
    let failed = last.failed.iter().map(|test| format!("{test} failed"));
    let places = failed.chain(last.flaky.iter().map(|test| format!("{test} is flaky"))).collect();
    let mut found = format!(
        "{} failed and {} flaky in the last run (at most {} flaky wanted)",
        last.failed.len(),
        last.flaky.len(),
        policy.flaky
    );
    let answer = match (last.failed.is_empty() && !too_flaky, last.is_current) {
        (false, _) => Answer::Fail,
        (true, true) => Answer::Pass,
        (true, false) => {
            found.push_str(", but files were changed since: call run_tests again");
            Answer::Undecided
        }
    };
    Condition::new(name, answer, found).at(places)
}

/// The condition on speed: a record's own verdict, repeated.
#[must_use]
pub fn performance(policy: &Conditions, record: Option<&Performance>) -> Condition {
    let name = "performance";
    let Some(record) = record else {
        let why = "no record of the performance lab was given";
        return if policy.performance {
            Condition::undecided(name, why)
        } else {
            Condition::not_checked(name, why)
        };
    };
    let of = record.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
    let rows: Vec<String> = record.rows.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let why = record.why.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
    let found = format!("the record's {}{of} says: {}{why}", record.file, rows.join(", "));
    let answer = match record.said {
        Said::Holds => Answer::Pass,
        Said::Regressed => Answer::Fail,
        Said::Undecided => Answer::Undecided,
    };
    let places = record.regressed.iter().map(|row| format!("{row} regressed")).collect();
    Condition::new(name, answer, found).at(places)
}
