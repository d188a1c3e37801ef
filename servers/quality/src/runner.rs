//! How tests are run: the script for each runner, and which runner a directory has. Every word of a caller is one word of
//! the script.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use mcp_runs::words::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::results::{RunResult, junit, libtest};

// A comment would be part of the schema that a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the names say it, and a comment would be part of the schema that a model reads"
)]
pub enum Runner {
    Cargo,
    Nextest,
    Pytest,
}

/// Where the user's Rust is. What lies there is code that anybody can fetch, so commands may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toolchain {
    /// `CARGO_HOME`.
    pub cargo: Option<PathBuf>,
    /// `RUSTUP_HOME`.
    pub rustup: Option<PathBuf>,
}

impl Toolchain {
    /// The one of this user, as Cargo and rustup find it.
    #[must_use]
    pub fn of_user() -> Self {
        let home = mcp_workspace::state::home();
        let of = |variable: &str, usual: &str| {
            let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
            Some(set.unwrap_or_else(|| home.join(usual))).filter(|path| path.is_dir())
        };
        Self { cargo: of("CARGO_HOME", ".cargo"), rustup: of("RUSTUP_HOME", ".rustup") }
    }

    /// Directories with programs.
    #[must_use]
    pub fn programs(&self) -> Vec<PathBuf> {
        self.cargo.iter().map(|cargo| cargo.join("bin")).filter(|bin| bin.is_dir()).collect()
    }

    /// Directories that a build reads. Credentials lie beside them and are not among them.
    #[must_use]
    pub fn reads(&self) -> Vec<PathBuf> {
        let crates = self.cargo.iter().flat_map(|cargo| ["registry", "git"].map(|part| cargo.join(part)));
        crates.chain(self.rustup.clone()).filter(|path| path.is_dir()).collect()
    }
}

/// What is to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Packages of Cargo; all where none is named.
    pub packages: Vec<String>,
    /// Tests by name; all where none is named.
    pub tests: Vec<String>,
}

impl Request {
    /// Refuses names that a runner would take for options.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self, runner: Runner) -> Result<(), String> {
        for (what, name) in self
            .packages
            .iter()
            .map(|name| ("packages", name))
            .chain(self.tests.iter().map(|name| ("tests", name)))
        {
            if name.is_empty() || name.starts_with('-') || name.contains(['\0', '\n']) {
                return Err(format!(
                    "{what} holds {name:?}, which is not a name: give it as the runner says it"
                ));
            }
        }
        if runner == Runner::Pytest && !self.packages.is_empty() {
            return Err("packages belong to cargo: name files or tests of pytest in tests".to_owned());
        }
        let is_simple = |name: &&String| !name.contains(['(', ')', '/', ' ', '"', '\\']);
        if runner == Runner::Nextest && !self.tests.iter().all(|name| is_simple(&name)) {
            return Err("nextest takes names of tests alone: no spaces, slashes or parentheses".to_owned());
        }
        Ok(())
    }
}

/// The runner of a directory, by the files that it has.
///
/// # Errors
/// One sentence: it has neither.
pub fn detect(directory: &Path) -> Result<Runner, String> {
    if directory.join("Cargo.toml").is_file() {
        return Ok(Runner::Cargo);
    }
    let python = ["pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "conftest.py", "setup.py", "tests"];
    if python.iter().any(|name| directory.join(name).exists()) {
        return Ok(Runner::Pytest);
    }
    Err(format!(
        "{} has no Cargo.toml and nothing that pytest reads: name a directory by cwd, or the runner",
        directory.display()
    ))
}

/// The script that runs the tests. What it prints on stdout is the report.
#[must_use]
pub fn script(runner: Runner, request: &Request, directory: &Path, toolchain: &Toolchain) -> String {
    let mut script = String::new();
    let mut export = |name: &str, value: &str| {
        writeln!(script, "export {name}={}", quoted(value)).ok();
    };
    if let Some(cargo) = toolchain.cargo.as_deref().and_then(Path::to_str) {
        export("CARGO_HOME", cargo);
    }
    if let Some(rustup) = toolchain.rustup.as_deref().and_then(Path::to_str) {
        export("RUSTUP_HOME", rustup);
    }
    export("CARGO_NET_OFFLINE", "true");
    export("CARGO_TERM_COLOR", "never");
    export("RUST_BACKTRACE", "0");
    match runner {
        Runner::Cargo => script.push_str(&cargo(request)),
        Runner::Nextest => script.push_str(&nextest(request)),
        Runner::Pytest => script.push_str(&pytest(request, directory)),
    }
    script
}

fn words(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    words.into_iter().map(|word| format!(" {}", quoted(word.as_ref()))).collect()
}

fn packages(request: &Request) -> String {
    match request.packages.is_empty() {
        true => " --workspace".to_owned(),
        false => words(request.packages.iter().flat_map(|name| ["--package", name])),
    }
}

/// Libtest knows no names of targets, which come first in those that are reported.
fn path_in_target(test: &str) -> &str {
    test.split_once("::").map_or(test, |(_, path)| path)
}

fn cargo(request: &Request) -> String {
    let mut line = format!("exec cargo test --no-fail-fast{}", packages(request));
    if !request.tests.is_empty() {
        line.push_str(" -- --exact");
        line.push_str(&words(request.tests.iter().map(|test| path_in_target(test))));
    }
    line.push_str(" 2>&1\n");
    line
}

fn nextest(request: &Request) -> String {
    let filter: Vec<String> =
        request.tests.iter().map(|test| format!("test(={})", path_in_target(test))).collect();
    let filter = if filter.is_empty() { String::new() } else { words(["-E", &filter.join(" | ")]) };
    format!(
        "printf '[profile.default.junit]\\npath = \"%s\"\\n' \"$TMPDIR/junit.xml\" > \"$TMPDIR/nextest.toml\"\n\
         cargo nextest run --no-fail-fast --color never --tool-config-file \"quality:$TMPDIR/nextest.toml\"{}{filter} >&2\n\
         code=$?\n\
         cat \"$TMPDIR/junit.xml\" 2>/dev/null\n\
         exit $code\n",
        packages(request)
    )
}

fn pytest(request: &Request, directory: &Path) -> String {
    let environment = [".venv/bin/python", "venv/bin/python"];
    let python = environment.into_iter().find(|python| directory.join(python).exists()).unwrap_or("python3");
    let names = if request.tests.is_empty() { String::new() } else { words(&request.tests) };
    format!(
        "{python} -m pytest -q -p no:cacheprovider -o junit_family=xunit1 --junitxml=\"$TMPDIR/junit.xml\" --color=no{names} >&2\n\
         code=$?\n\
         cat \"$TMPDIR/junit.xml\" 2>/dev/null\n\
         exit $code\n"
    )
}

/// What a runner said: `report` is its stdout, whose middle is missing where `is_cut`, `code` its exit code, `said` the
/// end of its stderr.
#[must_use]
pub fn result(runner: Runner, report: &[u8], is_cut: bool, code: Option<i32>, said: &str) -> RunResult {
    let mut result = match runner {
        Runner::Cargo => libtest::read(&String::from_utf8_lossy(report), code),
        Runner::Nextest | Runner::Pytest if report.trim_ascii().is_empty() => {
            return RunResult::broken(format!(
                "it ended with {} and left no report: {}",
                ended(code),
                last(said)
            ));
        }
        Runner::Nextest | Runner::Pytest => match junit::read(report) {
            Ok(result) => result,
            Err(problem) => return RunResult::broken(problem),
        },
    };
    let broken = match (runner, code) {
        _ if is_cut => Some("it printed more than is kept, so that tests are missing".to_owned()),
        (_, None) => Some(format!("it ended with {}", ended(code))),
        // Interrupted, an error inside, wrong use.
        (Runner::Pytest, Some(code @ (2..=4))) => {
            Some(format!("pytest ended with exit code {code}: {}", last(said)))
        }
        (Runner::Nextest, Some(code)) if !matches!(code, 0 | 4 | 100) => {
            Some(format!("nextest ended with exit code {code}: {}", last(said)))
        }
        _ => None,
    };
    if result.broken.is_none() {
        result.broken = broken;
    }
    result
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// The last lines of what was said.
fn last(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(12);
    if lines.is_empty() { "it said nothing".to_owned() } else { lines[from..].join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_callers_stay_words() {
        let request = Request {
            packages: vec!["a b".to_owned()],
            tests: vec!["x::tests::$(touch y)".to_owned(), "'; rm -rf /".to_owned()],
        };
        for runner in [Runner::Cargo, Runner::Pytest] {
            let script = script(runner, &request, Path::new("/none"), &Toolchain::default());
            let last =
                script.lines().find(|line| line.contains("cargo test") || line.contains("pytest")).unwrap();
            let parsed = shell_words(last);
            assert!(parsed.iter().any(|word| word.contains("$(touch y)")), "{parsed:?}");
            assert!(parsed.contains(&"'; rm -rf /".to_owned()), "{parsed:?}");
        }
    }

    /// The words of a line as a shell reads them: bare ones, and those in single quotes.
    fn shell_words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\'' => is_quoted = !is_quoted,
                '\\' if !is_quoted => word.extend(letters.next()),
                ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
                letter => word.push(letter),
            }
        }
        words.push(word);
        words
    }

    #[test]
    fn names_that_are_options_are_refused() {
        let of = |tests: &[&str], packages: &[&str], runner| {
            let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            Request { tests: owned(tests), packages: owned(packages) }.check(runner)
        };
        assert!(of(&["--version"], &[], Runner::Cargo).is_err());
        assert!(of(&["a\0"], &[], Runner::Pytest).is_err());
        assert!(of(&[""], &[], Runner::Pytest).is_err());
        assert!(of(&[], &["x"], Runner::Pytest).unwrap_err().contains("belong to cargo"));
        assert!(of(&["a) | all("], &[], Runner::Nextest).is_err());
        assert!(of(&["a::b"], &["x"], Runner::Nextest).is_ok());
    }

    #[test]
    fn what_leaves_no_report_is_broken() {
        let broken = |runner, report: &[u8], is_cut, code| {
            result(runner, report, is_cut, code, "E\nlast words\n").broken
        };
        assert!(broken(Runner::Pytest, b"", false, Some(0)).unwrap().contains("last words"));
        assert!(broken(Runner::Nextest, b" \n", false, None).unwrap().contains("a signal"));
        let fine = b"<testsuites><testsuite><testcase name=\"a\"/></testsuite></testsuites>";
        assert_eq!(broken(Runner::Pytest, fine, false, Some(0)), None);
        assert_eq!(broken(Runner::Pytest, fine, false, Some(1)), None);
        assert!(broken(Runner::Pytest, fine, false, Some(2)).unwrap().contains("exit code 2"));
        assert!(broken(Runner::Pytest, fine, true, Some(0)).unwrap().contains("more than is kept"));
        assert!(broken(Runner::Nextest, fine, false, Some(101)).is_some());
        assert_eq!(broken(Runner::Nextest, fine, false, Some(100)), None);
        assert!(broken(Runner::Pytest, b"<html/>", false, Some(0)).is_some());
    }

    #[test]
    fn the_runner_is_told_by_the_files() {
        let base = tempfile::tempdir().unwrap();
        assert!(detect(base.path()).unwrap_err().contains("no Cargo.toml"));
        std::fs::write(base.path().join("pyproject.toml"), "").unwrap();
        assert_eq!(detect(base.path()), Ok(Runner::Pytest));
        std::fs::write(base.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(detect(base.path()), Ok(Runner::Cargo));
    }
}
