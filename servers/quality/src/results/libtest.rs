//! What `cargo test` prints with both streams in one: libtest's lines, and Cargo's own about what it builds and runs.

use rustc_hash::FxHashMap;

use crate::results::{Outcome, RunResult, TestResult, kept};

/// What is between the name and the outcome of a test.
const BETWEEN: &str = " ... ";

/// Reads the output of `cargo test --no-fail-fast`. `code` is its exit code, absent where it was ended.
#[must_use]
pub fn read(output: &str, code: Option<i32>) -> RunResult {
    let mut reading = Reading::default();
    for line in output.lines() {
        reading.line(line);
    }
    reading.finish(code)
}

#[derive(Default)]
struct Reading {
    tests: Vec<TestResult>,
    /// Names to places in `tests`, for messages.
    places: FxHashMap<String, usize>,
    /// The executable that speaks, as a prefix of names.
    target: String,
    /// Tests that it announced and that have no outcome yet; `None` before it speaks.
    open: Option<u64>,
    /// The test whose output is being shown, and the output.
    shown: Option<(String, String)>,
    /// What Cargo itself says went wrong.
    errors: Vec<String>,
    problems: Vec<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        if let Some(name) = target(line) {
            self.close();
            self.target = name;
            return;
        }
        // What a test printed may look like anything; only the end of its target ends it for certain.
        if let Some(count) = announced(line).filter(|_| self.shown.is_none()) {
            self.close();
            self.open = Some(count);
            return;
        }
        if line.starts_with("test result: ") {
            self.end_of_target(line);
            return;
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.end_of_message();
            self.shown = Some((self.named(name), String::new()));
            return;
        }
        if line == "failures:" || line == "successes:" {
            self.end_of_message();
            return;
        }
        if let Some((_, message)) = &mut self.shown {
            message.push_str(line);
            message.push('\n');
            return;
        }
        if self.open.is_some()
            && let Some((name, outcome)) = test(line)
        {
            self.open = self.open.map(|open| open.saturating_sub(1));
            let name = self.named(name);
            self.places.insert(name.clone(), self.tests.len());
            self.tests.push(TestResult { name, outcome, ms: None, message: None });
            return;
        }
        if line.starts_with("error") && !line.starts_with("error: test failed, to rerun") {
            self.errors.push(line.to_owned());
        }
    }

    fn named(&self, name: &str) -> String {
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        if self.target.is_empty() { name.to_owned() } else { format!("{}::{name}", self.target) }
    }

    fn end_of_message(&mut self) {
        let Some((name, message)) = self.shown.take() else { return };
        if let Some(place) = self.places.get(&name) {
            self.tests[*place].message = Some(kept(&message));
        }
    }

    fn end_of_target(&mut self, line: &str) {
        self.end_of_message();
        let lost = self.open.take();
        match lost {
            None => self
                .problems
                .push(format!("{} has a result without a beginning: the output is cut", self.target)),
            Some(0) => {}
            Some(lost) => {
                self.problems.push(format!("{lost} tests of {} have no outcome in: {line}", self.target))
            }
        }
    }

    /// The executable ended, or another one begins.
    fn close(&mut self) {
        self.end_of_message();
        if let Some(lost) = self.open.take() {
            let target = if self.target.is_empty() { "an executable" } else { &self.target };
            self.problems
                .push(format!("{target} ended before its tests did: {lost} of them have no outcome"));
        }
    }

    fn finish(mut self, code: Option<i32>) -> RunResult {
        self.close();
        let failed = self.tests.iter().any(|test| test.outcome == Outcome::Failed);
        if self.tests.is_empty() && code != Some(0) {
            let why = if self.errors.is_empty() {
                format!("cargo ended with {} before any test ran", ended(code))
            } else {
                format!("it does not build: {}", kept(&self.errors.join("\n")))
            };
            return RunResult::broken(why);
        }
        // A code that no failure explains.
        if code != Some(0) && !failed && self.problems.is_empty() {
            self.problems.push(format!("cargo ended with {} and no test failed", ended(code)));
            self.problems.append(&mut self.errors);
        }
        let broken = (!self.problems.is_empty()).then(|| kept(&self.problems.join("; ")));
        RunResult { tests: self.tests, broken, ..RunResult::default() }
    }
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// `Running unittests src/lib.rs (target/debug/deps/name-0123456789abcdef)` or `Doc-tests name`.
fn target(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{name}::doc"));
    }
    let path = line.strip_prefix("     Running ")?.strip_suffix(')')?.rsplit_once('(')?.1;
    let file = path.rsplit('/').next()?;
    let (name, hash) = file.rsplit_once('-')?;
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| name.to_owned())
}

/// `running 3 tests`.
fn announced(line: &str) -> Option<u64> {
    let count = line.strip_prefix("running ")?;
    count.strip_suffix(" tests").or_else(|| count.strip_suffix(" test"))?.parse().ok()
}

/// `test name ... ok`; what the test itself printed may stand before the outcome.
fn test(line: &str) -> Option<(&str, Outcome)> {
    let (name, said) = line.strip_prefix("test ")?.split_once(BETWEEN)?;
    let outcome = if said.ends_with("ok") || said.starts_with("bench:") {
        Outcome::Passed
    } else if said.ends_with("FAILED") || said.ends_with("FAILED (time limit exceeded)") {
        Outcome::Failed
    } else if said.starts_with("ignored") {
        Outcome::Skipped
    } else {
        Outcome::Lost
    };
    Some((name, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "   Compiling x v0.1.0 (/w/x)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.52s
     Running unittests src/lib.rs (target/debug/deps/x-0123456789abcdef)

running 4 tests
test tests::good ... ok
test tests::later ... ignored, not now
test tests::panics - should panic ... ok
test tests::bad ... FAILED

failures:

---- tests::bad stdout ----

thread 'tests::bad' panicked at src/lib.rs:9:5:
assertion `left == right` failed
running 7 tests
test tests::forged ... ok

failures:
    tests::bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--lib`
     Running tests/whole.rs (target/debug/deps/whole-00000000000000aa)

running 1 test
test outside ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests x

running 1 test
test src/lib.rs - add (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

error: 1 target failed:
    `--lib`
";

    fn outcomes(result: &RunResult) -> Vec<(&str, Outcome)> {
        result.tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect()
    }

    #[test]
    fn each_test_of_each_target_is_found() {
        let result = read(WHOLE, Some(101));
        assert_eq!(
            outcomes(&result),
            [
                ("x::tests::good", Outcome::Passed),
                ("x::tests::later", Outcome::Skipped),
                ("x::tests::panics", Outcome::Passed),
                ("x::tests::bad", Outcome::Failed),
                ("whole::outside", Outcome::Passed),
                ("x::doc::src/lib.rs - add (line 3)", Outcome::Passed),
            ]
        );
        assert!(result.tests[3].message.as_deref().unwrap().contains("left == right"));
        assert_eq!(result.broken, None);
    }

    #[test]
    fn a_build_that_breaks_is_broken() {
        let output = "   Compiling x v0.1.0\nerror[E0308]: mismatched types\n --> src/lib.rs:1:1\nerror: could not compile `x` (lib test) due to 1 previous error\n";
        let result = read(output, Some(101));
        assert!(result.tests.is_empty());
        assert!(result.broken.unwrap().starts_with("it does not build: error[E0308]"));
        assert!(read("", Some(101)).broken.is_some());
        assert!(read("", None).broken.unwrap().contains("a signal"));
        assert_eq!(read("", Some(0)), RunResult::default());
    }

    #[test]
    fn a_test_that_kills_its_executable_leaves_the_others_lost() {
        let output = "     Running unittests src/lib.rs (target/debug/deps/x-0123456789abcdef)\n\nrunning 3 tests\ntest a ... ok\n\
            error: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `x` (signal: 6, SIGABRT)\n\
            \x20    Running tests/y.rs (target/debug/deps/y-00aa)\n\nrunning 1 test\ntest b ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
        let result = read(output, Some(101));
        assert_eq!(outcomes(&result), [("x::a", Outcome::Passed), ("y::b", Outcome::Passed)]);
        assert!(result.broken.unwrap().contains("x ended before its tests did: 2 of them"));
    }

    #[test]
    fn output_that_is_cut_is_not_taken_for_whole() {
        let start = WHOLE.split("test tests::bad").next().unwrap();
        assert!(read(start, None).broken.unwrap().contains("1 of them"));
        let end = &WHOLE[WHOLE.find("test outside").unwrap()..];
        assert!(read(end, Some(101)).broken.is_some());
        // A code that nothing explains.
        let fine = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed\n";
        assert_eq!(read(fine, Some(0)).broken, None);
        assert!(read(fine, Some(101)).broken.unwrap().contains("no test failed"));
    }
}
