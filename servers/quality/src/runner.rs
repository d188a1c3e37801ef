//! How tests are run: the script for each runner, and which runner a directory has. Every word of a caller is one word of
//! the script.

use std::collections::BTreeSet;
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

/// The script that runs the tests, those of pytest with this Python. What it prints on stdout is the report.
#[must_use]
pub fn script(runner: Runner, request: &Request, python: &str, toolchain: &Toolchain) -> String {
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
        Runner::Pytest => script.push_str(&pytest(request, python)),
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

/// What counts the tests that pytest found and began, which its report does not say.
const PLUGIN: &str = include_str!("runner/pytest.py");

/// Where an environment of Python may lie in a project.
const ENVIRONMENTS: [&str; 2] = [".venv/bin/python", "venv/bin/python"];

/// The Python of a project's own environment: of the directory, or of one above it up to the root.
#[must_use]
pub fn environment(directory: &Path, root: &Path) -> Option<PathBuf> {
    let within = directory.ancestors().take_while(|above| above.starts_with(root));
    // One whose target cannot be seen is one all the same.
    let is_there = |python: &PathBuf| python.symlink_metadata().is_ok();
    within.flat_map(|above| ENVIRONMENTS.map(|python| above.join(python))).find(is_there)
}

/// The directory outside of a root that a Python of an environment needs: where its interpreter is installed.
#[must_use]
pub fn installed(python: &Path, root: &Path) -> Option<PathBuf> {
    let program = python.canonicalize().ok()?;
    let prefix = program.parent().filter(|bin| bin.ends_with("bin"))?.parent()?;
    let is_seen = prefix.starts_with(root) || prefix == Path::new("/usr") || prefix == Path::new("/");
    (!is_seen).then(|| prefix.to_owned())
}

fn pytest(request: &Request, python: &str) -> String {
    let names = if request.tests.is_empty() { String::new() } else { words(&request.tests) };
    let python = quoted(python);
    let plugin = quoted(PLUGIN);
    format!(
        "{python} -c {plugin} -q -p no:cacheprovider -o junit_family=xunit1 --junitxml=\"$TMPDIR/junit.xml\" --color=no{names} >&2\n\
         code=$?\n\
         cat \"$TMPDIR/junit.xml\" 2>/dev/null\n\
         exit $code\n"
    )
}

/// The lines of the plugin in what pytest said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted<'a> {
    found: Option<usize>,
    deselected: usize,
    ended: BTreeSet<&'a str>,
    last: Option<&'a str>,
}

/// What a line of the plugin begins with.
const MARK: &str = "\u{1e}quality ";

impl<'a> Counted<'a> {
    fn read(said: &'a str) -> Self {
        let mut counted = Self::default();
        for line in said.split(['\n', '\r']).filter_map(|line| line.split_once(MARK).map(|(_, rest)| rest)) {
            match line.split_once(' ') {
                Some(("found", number)) => counted.found = number.parse().ok(),
                Some(("deselected", number)) => {
                    counted.deselected += number.parse::<usize>().unwrap_or_default();
                }
                Some(("begins", name)) => counted.last = Some(name),
                Some(("ends", name)) => {
                    counted.ended.insert(name);
                    counted.last = None;
                }
                _ => {}
            }
        }
        counted
    }
}

/// What a runner said: `report` is its stdout, whose middle is missing where `is_cut`, `code` its exit code, `said` its
/// stderr without marks, and `marked` with them; empty where some of it is missing.
#[must_use]
pub fn result(
    runner: Runner,
    (report, is_cut): (&[u8], bool),
    code: Option<i32>,
    said: &str,
    marked: &str,
) -> RunResult {
    let counted = Counted::read(marked);
    let mut result = match runner {
        Runner::Cargo => libtest::read(&String::from_utf8_lossy(report), code),
        Runner::Nextest | Runner::Pytest if report.trim_ascii().is_empty() => {
            let at = counted.last.map(|test| format!(" while {test} ran")).unwrap_or_default();
            return RunResult::broken(format!(
                "it ended with {}{at} and left no report: {}",
                ended(code),
                last(said)
            ));
        }
        Runner::Nextest | Runner::Pytest => match junit::read(report) {
            Ok(result) => result,
            Err(problem) => return RunResult::broken(problem),
        },
    };
    result.deselected = counted.deselected;
    let missing = counted.found.map_or(0, |found| found.saturating_sub(counted.ended.len()));
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
        _ if missing > 0 => {
            let found = counted.found.unwrap_or_default();
            Some(format!("{missing} of {found} tests did not end: it was stopped before"))
        }
        _ => None,
    };
    if result.broken.is_none() {
        result.broken = broken;
    }
    result
}

/// What was said, without the lines of the plugin.
#[must_use]
pub fn without_marks(said: &str) -> String {
    let lines = said.lines().map(|line| line.split_once(MARK).map_or(line, |(before, _)| before));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
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
            let script = script(runner, &request, "python3", &Toolchain::default());
            let parsed = shell_words(&script);
            assert!(parsed.iter().any(|word| word.contains("$(touch y)")), "{parsed:?}");
            assert!(parsed.contains(&"'; rm -rf /".to_owned()), "{parsed:?}");
        }
    }

    /// The words of a script as a shell reads them: bare ones, and those in single quotes.
    fn shell_words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\'' => is_quoted = !is_quoted,
                '\\' if !is_quoted => word.extend(letters.next()),
                ' ' | '\n' if !is_quoted => words.push(std::mem::take(&mut word)),
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
            result(runner, (report, is_cut), code, "E\nlast words\n", "").broken
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
    fn a_run_that_stops_early_is_broken_and_a_hang_is_named() {
        let one = b"<testsuites><testsuite><testcase name=\"a\"/></testsuite></testsuites>";
        let of =
            |report: &[u8], code, marked: &str| result(Runner::Pytest, (report, false), code, "said", marked);
        let all = "\u{1e}quality deselected 2\n\u{1e}quality found 1\n.\u{1e}quality begins t.py::a\n\u{1e}quality ends t.py::a\n";
        let whole = of(one, Some(0), all);
        assert_eq!((whole.broken, whole.deselected), (None, 2));
        let early = all.replace("found 1", "found 3");
        assert_eq!(
            of(one, Some(0), &early).broken.unwrap(),
            "2 of 3 tests did not end: it was stopped before"
        );
        let hang = "\u{1e}quality found 1\n\u{1e}quality begins t.py::slow\n";
        assert!(of(b"", None, hang).broken.unwrap().contains("while t.py::slow ran"));
        assert_eq!(without_marks(all), ".");
    }

    #[test]
    fn an_environment_is_found_above_and_its_interpreter_elsewhere() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let root = base.join("root");
        for directory in ["root/a/b", "root/.venv/bin", "python/bin"] {
            std::fs::create_dir_all(base.join(directory)).unwrap();
        }
        std::fs::write(base.join("python/bin/python3"), "").unwrap();
        assert_eq!(environment(&root.join("a/b"), &root), None);
        let python = root.join(".venv/bin/python");
        std::os::unix::fs::symlink(base.join("python/bin/python3"), &python).unwrap();
        assert_eq!(environment(&root.join("a/b"), &root), Some(python.clone()));
        assert_eq!(environment(&base, &root), None);
        assert_eq!(installed(&python, &root), Some(base.join("python")));
        assert_eq!(installed(&python, &base), None);
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
