//! One answer over code and speed: what new code has to hold, each condition by itself, and what was not looked at.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::coverage::report::{Count, FileCoverage};
use crate::git::{Change, Changes};
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
}

impl Condition {
    fn new(name: &'static str, answer: Answer, found: impl Into<String>) -> Self {
        Self { name, answer, found: found.into(), places: Vec::new() }
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
    /// Changed files of code that the report does not describe.
    pub undescribed: Vec<String>,
}

/// The coverage of new and changed lines.
#[must_use]
pub fn new_lines(changes: &Changes, coverage: &BTreeMap<String, FileCoverage>) -> NewLines {
    let mut new = NewLines::default();
    for (path, change) in &changes.files {
        if change.change == Change::Deleted || change.lines.is_empty() {
            continue;
        }
        let Some(file) = coverage.get(path) else {
            if mcp_source::Language::of_path(path.as_ref()).is_some() {
                new.undescribed.push(path.clone());
            }
            continue;
        };
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
    let name = "new_line_coverage";
    let mut condition = match new.count.percent() {
        None if new.undescribed.is_empty() => {
            Condition::new(name, Answer::Pass, "no changed line can be run")
        }
        None => Condition::new(name, Answer::Undecided, "the report describes none of the changed files"),
        Some(percent) => {
            let answer = if percent >= policy.new_line_coverage { Answer::Pass } else { Answer::Fail };
            let found = format!(
                "{} of {} changed lines that can be run were run ({percent:.1} %, at least {} % wanted)",
                new.count.hit, new.count.found, policy.new_line_coverage
            );
            Condition::new(name, answer, found)
        }
    };
    let gaps = new.gaps.iter().flat_map(|(path, gaps)| gaps.iter().map(move |gap| (path, gap)));
    condition.places = gaps
        .map(|(path, (from, to))| format!("{path}:{from}-{to} was not run"))
        .chain(new.undescribed.iter().map(|path| format!("{path} is not in the report")))
        .take(MOST_PLACES)
        .collect();
    condition
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
) -> Condition {
    let mut places = Vec::new();
    let (mut looked, mut delta) = (0_usize, 0_i64);
    for (path, functions) in files {
        let Some(change) = changes.files.get(path) else { continue };
        for function in functions.now.iter().filter(|one| change.touches(one.first_line, one.last_line)) {
            looked += 1;
            let before = functions.before.iter().find(|before| before.name == function.name);
            let (cyclomatic, cognitive) =
                before.map_or((0, 0), |before| (before.cyclomatic, before.cognitive));
            delta += i64::from(function.cyclomatic) - i64::from(cyclomatic);
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
        }
    }
    let answer = if places.is_empty() { Answer::Pass } else { Answer::Fail };
    let found = format!(
        "{} of {looked} new and changed functions are too complex; cyclomatic {delta:+} in all",
        places.len()
    );
    places.truncate(MOST_PLACES);
    Condition { places, ..Condition::new("complexity", answer, found) }
}

/// The condition on findings: those on new and changed lines, notes not counted.
#[must_use]
pub fn findings(policy: &Conditions, changes: &Changes, findings: &[Finding]) -> Condition {
    let is_new = |finding: &&Finding| {
        finding.severity > Severity::Note
            && changes.files.get(&finding.path).is_some_and(|change| {
                change.has(finding.line) || (finding.line == 0 && change.change == Change::Added)
            })
    };
    let new: Vec<&Finding> = findings.iter().filter(is_new).collect();
    let is_fine = new.len() <= policy.new_findings as usize;
    let found = format!("{} findings on changed lines, at most {} wanted", new.len(), policy.new_findings);
    let places = new
        .iter()
        .take(MOST_PLACES)
        .map(|finding| format!("{}:{} {}: {}", finding.path, finding.line, finding.rule, finding.message));
    let answer = if is_fine { Answer::Pass } else { Answer::Fail };
    Condition { places: places.collect(), ..Condition::new("new_findings", answer, found) }
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
        return Condition::not_checked(name, "no run of all tests is remembered: call run_tests first");
    };
    if let Some(why) = &last.broken {
        return Condition::new(name, Answer::Fail, format!("the last run is broken: {why}"));
    }
    let mut places: Vec<String> = last.failed.iter().map(|test| format!("{test} failed")).collect();
    let too_flaky = last.flaky.len() > policy.flaky as usize;
    places.extend(last.flaky.iter().map(|test| format!("{test} is flaky")));
    places.truncate(MOST_PLACES);
    let found = format!(
        "{} failed and {} are flaky in the last run (at most {} flaky wanted)",
        last.failed.len(),
        last.flaky.len(),
        policy.flaky
    );
    let answer = match (last.failed.is_empty() && !too_flaky, last.is_current) {
        (false, _) => Answer::Fail,
        (true, true) => Answer::Pass,
        (true, false) => {
            let found = format!("{found}, but files were changed since: call run_tests again");
            return Condition { places, ..Condition::undecided(name, found) };
        }
    };
    Condition { places, ..Condition::new(name, answer, found) }
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
    Condition { places, ..Condition::new(name, answer, found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::FileChange;

    fn changes(lines: &[(u32, u32)]) -> Changes {
        let change = FileChange {
            change: Change::Modified,
            old_path: None,
            lines: lines.to_vec(),
            old_lines: Vec::new(),
            removed: 0,
            is_binary: false,
        };
        Changes { base: "abc".to_owned(), files: BTreeMap::from([("a.rs".to_owned(), change)]), unnamed: 0 }
    }

    fn covered(hits: &[(u32, bool)]) -> BTreeMap<String, FileCoverage> {
        let mut file = FileCoverage::default();
        hits.iter().for_each(|(line, is_hit)| file.line(*line, *is_hit));
        BTreeMap::from([("a.rs".to_owned(), file)])
    }

    #[test]
    fn only_changed_lines_count_for_coverage() {
        let coverage_of = covered(&[(1, false), (3, true), (4, false), (5, false), (7, false)]);
        let new = new_lines(&changes(&[(3, 5), (7, 9)]), &coverage_of);
        assert_eq!((new.lines, new.count), (6, Count { found: 4, hit: 1 }));
        assert_eq!(new.gaps["a.rs"], [(4, 5), (7, 7)]);
        let condition = coverage(&Conditions::default(), &new);
        assert_eq!((condition.answer, condition.places[0].as_str()), (Answer::Fail, "a.rs:4-5 was not run"));
        let enough = Conditions { new_line_coverage: 25.0, ..Conditions::default() };
        assert_eq!(coverage(&enough, &new).answer, Answer::Pass);
        // A report about other files decides nothing.
        let other = new_lines(&changes(&[(3, 5)]), &BTreeMap::new());
        assert_eq!(coverage(&Conditions::default(), &other).answer, Answer::Undecided);
        let none = new_lines(&changes(&[(20, 20)]), &coverage_of);
        assert_eq!(coverage(&Conditions::default(), &none).answer, Answer::Pass);
    }

    fn function(name: &str, lines: (u32, u32), cyclomatic: u32) -> FunctionMetrics {
        FunctionMetrics {
            name: name.to_owned(),
            kind: crate::metrics::Kind::Function,
            first_line: lines.0,
            last_line: lines.1,
            cyclomatic,
            cognitive: 0,
            nesting: 0,
            code_lines: 1,
            parameters: 0,
            halstead: crate::metrics::Halstead::default(),
            maintainability: 100.0,
        }
    }

    #[test]
    fn a_function_may_keep_what_it_had() {
        let now = vec![
            function("old", (1, 9), 14),
            function("grown", (11, 19), 13),
            function("new", (21, 29), 12),
            function("far", (31, 39), 99),
        ];
        let before = vec![function("old", (1, 9), 14), function("grown", (11, 19), 12)];
        let files = BTreeMap::from([("a.rs".to_owned(), FileFunctions { now, before })]);
        let condition = complexity(&Conditions::default(), &changes(&[(5, 5), (15, 15), (25, 25)]), &files);
        assert_eq!(condition.answer, Answer::Fail);
        assert_eq!(
            condition.places,
            [
                "a.rs:11 grown has cyclomatic 13 (at most 10, was 12)",
                "a.rs:21 new has cyclomatic 12 (at most 10, is new)"
            ]
        );
        assert!(condition.found.contains("2 of 3") && condition.found.contains("+13"), "{}", condition.found);
    }

    #[test]
    fn findings_count_on_changed_lines_alone() {
        let finding = |line, severity| Finding {
            path: "a.rs".to_owned(),
            line,
            column: 1,
            rule: "r".to_owned(),
            severity,
            message: "m".to_owned(),
            tool: "t".to_owned(),
        };
        let all = [finding(3, Severity::Warning), finding(4, Severity::Error), finding(4, Severity::Note)];
        let condition = findings(&Conditions::default(), &changes(&[(4, 4)]), &all);
        assert_eq!((condition.answer, condition.places.len()), (Answer::Fail, 1));
        assert_eq!(findings(&Conditions::default(), &changes(&[(9, 9)]), &all).answer, Answer::Pass);
    }

    #[test]
    fn a_broken_run_never_passes() {
        let policy = Conditions::default();
        let run = |failed: &[&str], flaky: &[&str], broken: Option<&str>, is_current| LastRun {
            at_ms: 0,
            is_current,
            failed: failed.iter().map(|name| (*name).to_owned()).collect(),
            flaky: flaky.iter().map(|name| (*name).to_owned()).collect(),
            broken: broken.map(str::to_owned),
        };
        assert_eq!(tests(&policy, Some(&run(&[], &[], None, true))).answer, Answer::Pass);
        assert_eq!(tests(&policy, Some(&run(&[], &[], None, false))).answer, Answer::Undecided);
        assert_eq!(tests(&policy, Some(&run(&[], &[], Some("no build"), true))).answer, Answer::Fail);
        assert_eq!(tests(&policy, Some(&run(&["a"], &[], None, false))).answer, Answer::Fail);
        assert_eq!(tests(&policy, Some(&run(&[], &["a"], None, true))).answer, Answer::Fail);
        assert_eq!(tests(&policy, None).answer, Answer::NotChecked);
    }

    #[test]
    fn what_is_undecided_does_not_pass() {
        let of = |answers: &[Answer]| {
            let conditions: Vec<Condition> =
                answers.iter().map(|answer| Condition::new("x", *answer, "")).collect();
            fold(&conditions)
        };
        assert_eq!(of(&[Answer::Pass, Answer::NotChecked]), Answer::Pass);
        assert_eq!(of(&[Answer::Pass, Answer::Undecided]), Answer::Undecided);
        assert_eq!(of(&[Answer::Undecided, Answer::Fail]), Answer::Fail);
        assert_eq!(of(&[Answer::NotChecked]), Answer::Undecided);
        assert_eq!(of(&[]), Answer::Undecided);
        let required = Conditions { performance: true, ..Conditions::default() };
        assert_eq!(performance(&required, None).answer, Answer::Undecided);
        assert_eq!(performance(&Conditions::default(), None).answer, Answer::NotChecked);
    }
}
