//! JUnit's XML: a suite an arm, a case a row, so that CI systems show what failed beside their tests.

use std::fmt::Write as _;

use crate::report::export::{change_text, with_rate};
use crate::report::html::escape;
use crate::report::words::NBSP;
use crate::rows::{Measured, Missing, Rows, Unit};

/// What a row is as a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing against it.
    Passed,
    /// It fails, and why.
    Failed(String),
    /// It was not decided, and why.
    Skipped(String),
}

/// A slower arm is a finding of a run and no failure; gates know better.
pub(crate) const fn lenient(_: &Measured) -> Outcome {
    Outcome::Passed
}

/// Rows as JUnit's XML, with what each row is as a test. Rows without a value are errors where something is broken,
/// else skipped. The time of a case is what a call takes.
#[must_use]
pub fn junit_with(rows: &Rows, outcome: &dyn Fn(&Measured) -> Outcome) -> String {
    let mut arms: Vec<&str> = Vec::new();
    let all = rows.rows.iter().map(|row| &row.arm).chain(rows.missing.iter().map(|missing| &missing.arm));
    for arm in all {
        if !arms.contains(&arm.as_str()) {
            arms.push(arm);
        }
    }
    let suites: Vec<Suite> = arms.into_iter().map(|arm| Suite::of(rows, arm, outcome)).collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let total = |of: fn(&Counts) -> usize| suites.iter().map(|suite| of(&suite.counts)).sum();
    let counts = Counts {
        tests: total(|counts| counts.tests),
        failures: total(|counts| counts.failures),
        errors: total(|counts| counts.errors),
        skipped: total(|counts| counts.skipped),
    };
    let _ = writeln!(text, "<testsuites name=\"{}\" {}>", attribute(&rows.suite), counts.attributes());
    for suite in suites {
        text.push_str(&suite.xml);
    }
    text.push_str("</testsuites>\n");
    text
}

#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn attributes(self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

struct Suite {
    counts: Counts,
    xml: String,
}

impl Suite {
    fn of(rows: &Rows, arm: &str, outcome: &dyn Fn(&Measured) -> Outcome) -> Self {
        let mut counts = Counts::default();
        let mut cases = String::new();
        let class = attribute(&format!("{}.{arm}", rows.suite));
        for row in rows.rows.iter().filter(|row| row.arm == arm) {
            counts.tests += 1;
            let outcome = outcome(row);
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(_) => counts.failures += 1,
                Outcome::Skipped(_) => counts.skipped += 1,
            }
            cases.push_str(&case(row, &class, &outcome));
        }
        for missing in rows.missing.iter().filter(|missing| missing.arm == arm) {
            counts.tests += 1;
            *if missing.broken { &mut counts.errors } else { &mut counts.skipped } += 1;
            cases.push_str(&absent(missing, &class));
        }
        let properties: String = properties(rows)
            .into_iter()
            .map(|(name, value)| {
                format!("      <property name=\"{name}\" value=\"{}\"/>\n", attribute(&value))
            })
            .collect();
        let xml = format!(
            "  <testsuite name=\"{class}\" {} timestamp=\"{}\">\n    <properties>\n{properties}    </properties>\n{cases}  </testsuite>\n",
            counts.attributes(),
            // The schema's times have no zone.
            attribute(rows.started.trim_end_matches('Z'))
        );
        Self { counts, xml }
    }
}

fn properties(rows: &Rows) -> Vec<(&'static str, String)> {
    let machine = rows.environment.as_ref().map(crate::machine::Environment::class).unwrap_or_default();
    let all = [("record", rows.name.clone()), ("command", rows.command.clone()), ("machine", machine)];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn case(row: &Measured, class: &str, outcome: &Outcome) -> String {
    let time = if row.measure.unit() == Unit::Nanos {
        format!(" time=\"{}\"", row.value / 1e9)
    } else {
        String::new()
    };
    let mut says = with_rate(row);
    if let Some(change) = &row.change {
        says = format!("{says}; {}", change_text(change));
    }
    let result = match outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed(why) => format!("      <failure message=\"{}\"/>\n", attribute(why)),
        Outcome::Skipped(why) => format!("      <skipped message=\"{}\"/>\n", attribute(why)),
    };
    format!(
        "    <testcase classname=\"{class}\" name=\"{}\"{time}>\n{result}      <system-out>{}</system-out>\n    </testcase>\n",
        attribute(&row.benchmark),
        attribute(&says)
    )
}

fn absent(missing: &Missing, class: &str) -> String {
    let name = missing.benchmark.as_deref().unwrap_or("every benchmark");
    let kind = if missing.broken { "error" } else { "skipped" };
    format!(
        "    <testcase classname=\"{class}\" name=\"{}\">\n      <{kind} message=\"{}\"/>\n    </testcase>\n",
        attribute(name),
        attribute(&missing.reason)
    )
}

/// A text that may stand in an attribute: XML 1.0 has no place for most control characters, not even escaped ones.
fn attribute(text: &str) -> String {
    let allowed = |letter: char| !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'));
    let clean: String =
        text.chars().map(|letter| if letter == NBSP || !allowed(letter) { ' ' } else { letter }).collect();
    escape(&clean)
}
