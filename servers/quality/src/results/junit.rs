//! JUnit's XML, as pytest, nextest, Surefire and others write it.

use std::borrow::Cow;

use crate::results::{Outcome, RunResult, TestResult, kept};
use crate::xml::{Element, Step, XmlError, walk};

/// The most tests of a report.
const MOST_TESTS: usize = 500_000;

/// Reads a report. Broken is what says that tests could not be collected, and what is cut off.
///
/// # Errors
/// One sentence: it is not a report of JUnit's form.
pub fn read(text: &[u8]) -> Result<RunResult, String> {
    let mut reading = Reading::default();
    let result = walk(text, |step| reading.step(&step));
    match result {
        Ok(()) => {}
        Err(XmlError::Cut(_)) => reading.broken.push("the report is cut off".to_owned()),
        Err(error) => return Err(format!("the JUnit report cannot be read: {error}")),
    }
    let broken = (!reading.broken.is_empty()).then(|| kept(&reading.broken.join("; ")));
    Ok(RunResult { tests: reading.tests, broken, ..RunResult::default() })
}

#[derive(Default)]
struct Reading {
    has_begun: bool,
    tests: Vec<TestResult>,
    open: Option<Open>,
    /// Whether text belongs to the message of a failure.
    in_message: bool,
    broken: Vec<String>,
}

struct Open {
    name: String,
    ms: Option<f64>,
    outcome: Outcome,
    message: String,
}

impl Reading {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step {
            Step::Open(element) => self.begin(element),
            Step::Close("testcase") => {
                self.finish();
                Ok(())
            }
            Step::Close(
                "failure" | "error" | "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError",
            ) => {
                self.in_message = false;
                Ok(())
            }
            Step::Text(text) => {
                if let Some(open) = self.open.as_mut().filter(|_| self.in_message) {
                    open.message.push_str(text);
                }
                Ok(())
            }
            Step::Close(_) => Ok(()),
        }
    }

    fn begin(&mut self, element: &Element<'_>) -> Result<(), String> {
        if !std::mem::replace(&mut self.has_begun, true)
            && !matches!(element.name(), "testsuites" | "testsuite")
        {
            return Err(format!("begins with `{}`: JUnit's reports begin with `testsuites`", element.name()));
        }
        match element.name() {
            "testcase" => {
                if self.tests.len() == MOST_TESTS {
                    return Err(format!("has more than {MOST_TESTS} tests"));
                }
                let seconds =
                    element.attribute("time")?.and_then(|time| time.replace(',', "").parse::<f64>().ok());
                let ms = seconds.filter(|seconds| seconds.is_finite()).map(|seconds| seconds * 1_000.0);
                let message = String::new();
                self.open = Some(Open { name: name(element)?, ms, outcome: Outcome::Passed, message });
            }
            "failure" => self.failed(element, Outcome::Failed)?,
            "error" => {
                self.failed(element, Outcome::Failed)?;
                let said = element.attribute("message")?;
                if let (Some("collection failure"), Some(open)) = (said.as_deref(), &self.open) {
                    self.broken.push(format!("{} cannot be collected", open.name));
                }
            }
            "flakyFailure" | "flakyError" => self.failed(element, Outcome::PassedAfterRetry)?,
            "rerunFailure" | "rerunError" => self.failed(element, Outcome::Failed)?,
            "skipped" => {
                if let Some(open) = self.open.as_mut().filter(|open| open.outcome == Outcome::Passed) {
                    // An expected failure that failed did what is expected of it.
                    let is_expected = element.attribute("type")?.as_deref() == Some("pytest.xfail");
                    open.outcome = if is_expected { Outcome::Passed } else { Outcome::Skipped };
                    open.message = element.attribute("message")?.unwrap_or_default().into_owned();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn failed(&mut self, element: &Element<'_>, outcome: Outcome) -> Result<(), String> {
        let Some(open) = &mut self.open else { return Ok(()) };
        // A test that failed and failed again has failed, whatever came last.
        if open.outcome != Outcome::Failed {
            open.outcome = outcome;
        }
        if let Some(message) = element.attribute("message")? {
            open.message.push_str(&message);
            open.message.push('\n');
        }
        self.in_message = true;
        Ok(())
    }

    fn finish(&mut self) {
        self.in_message = false;
        let Some(Open { name, ms, outcome, message }) = self.open.take() else { return };
        let message = (!message.trim().is_empty()).then(|| kept(&message));
        self.tests.push(TestResult { name, outcome, ms, message });
    }
}

/// How the runner takes the test: pytest by `file::Class::name`, others by what stands before the name.
fn name(test: &Element<'_>) -> Result<String, String> {
    let name = test.attribute("name")?.unwrap_or(Cow::Borrowed(""));
    let class = test.attribute("classname")?.unwrap_or(Cow::Borrowed(""));
    let Some(file) = test.attribute("file")?.filter(|file| file.ends_with(".py")) else {
        return Ok(match class.as_ref() {
            "" => name.into_owned(),
            class => format!("{class}::{name}"),
        });
    };
    let module = file.trim_end_matches(".py").replace('/', ".");
    let inside = class.strip_prefix(&module).map(|rest| rest.trim_start_matches('.')).unwrap_or_default();
    let classes: String =
        inside.split('.').filter(|part| !part.is_empty()).map(|part| format!("::{part}")).collect();
    Ok(match name.as_ref() {
        "" => file.into_owned(),
        name => format!("{file}{classes}::{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> RunResult {
        read(text.as_bytes()).unwrap()
    }

    fn outcomes(result: &RunResult) -> Vec<(&str, Outcome)> {
        result.tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect()
    }

    #[test]
    fn pytest_is_read_with_the_names_that_it_takes() {
        let result = of(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite name=\"pytest\" errors=\"0\">\
            <testcase classname=\"tests.test_a\" name=\"test_one[1-x]\" file=\"tests/test_a.py\" line=\"3\" time=\"0.250\" />\
            <testcase classname=\"tests.test_a.TestB\" name=\"test_two\" file=\"tests/test_a.py\" time=\"0.001\">\
            <failure message=\"assert 1 == 2\">def test_two():\n&gt; assert 1 == 2</failure></testcase>\
            <testcase classname=\"tests.test_a\" name=\"test_x\" file=\"tests/test_a.py\"><skipped type=\"pytest.xfail\" message=\"\"/></testcase>\
            <testcase classname=\"tests.test_a\" name=\"test_s\" file=\"tests/test_a.py\"><skipped type=\"pytest.skip\" message=\"no\"/></testcase>\
            </testsuite></testsuites>",
        );
        assert_eq!(
            outcomes(&result),
            [
                ("tests/test_a.py::test_one[1-x]", Outcome::Passed),
                ("tests/test_a.py::TestB::test_two", Outcome::Failed),
                ("tests/test_a.py::test_x", Outcome::Passed),
                ("tests/test_a.py::test_s", Outcome::Skipped),
            ]
        );
        assert_eq!(result.tests[0].ms, Some(250.0));
        assert_eq!(
            result.tests[1].message.as_deref(),
            Some("assert 1 == 2\ndef test_two():\n> assert 1 == 2")
        );
    }

    #[test]
    fn what_cannot_be_collected_is_broken() {
        let result = of(
            "<testsuites><testsuite errors=\"1\"><testcase classname=\"\" name=\"tests.test_b\">\
            <error message=\"collection failure\">E   ModuleNotFoundError</error></testcase></testsuite></testsuites>",
        );
        assert_eq!(result.broken.as_deref(), Some("tests.test_b cannot be collected"));
    }

    #[test]
    fn nextest_says_what_it_tried_again() {
        let result = of(
            "<testsuites name=\"nextest-run\"><testsuite name=\"x\"><testcase name=\"t::a\" classname=\"x\" time=\"0.01\">\
            <flakyFailure timestamp=\"\" time=\"0.01\" type=\"test failure\"/></testcase>\
            <testcase name=\"t::b\" classname=\"x::it\"><failure type=\"test failure\">panicked</failure>\
            <rerunFailure type=\"test failure\"/></testcase></testsuite></testsuites>",
        );
        assert_eq!(
            outcomes(&result),
            [("x::t::a", Outcome::PassedAfterRetry), ("x::it::t::b", Outcome::Failed)]
        );
    }

    #[test]
    fn what_is_cut_off_or_foreign_is_said() {
        let cut = of("<testsuites><testsuite><testcase name=\"a\"/><testcase name=\"b\">");
        assert_eq!((cut.tests.len(), cut.broken.as_deref()), (1, Some("the report is cut off")));
        assert!(read(b"<coverage/>").unwrap_err().contains("begins with `coverage`"));
        assert!(read(b"no").unwrap_err().contains("cannot be read"));
    }
}
