//! Which tests a change needs: by a map of what each test runs, else by what imports what and what was changed
//! together; with the reason for each, and the risk to miss a failure as far as it was measured.

mod imports;
mod map;
mod mapped;
mod packages;
mod risk;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mcp_source::Language;
use serde::Serialize;

use crate::git::{Change, Changes};
use crate::lint::rules::is_test_path;

pub use imports::{Imports, Source};
pub use map::{CoverageMap, LARGEST as LARGEST_MAP};
pub use packages::Packages;
pub use risk::{Observed, Risk, upper_bound};

/// Why a test is selected. Earlier ones are stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It failed the last time.
    FailedLast,
    /// It is new or was changed itself.
    Changed,
    /// It ran lines that were changed.
    Covers,
    /// What it tests depends on what was changed.
    Depends,
    /// It was often changed together with what was changed.
    History,
    /// Everything is selected.
    Everything,
}

/// What a test is selected as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One test, by the name that the runner takes.
    Test,
    /// All tests of a file.
    File,
    /// All tests of a package.
    Package,
}

/// A selected test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Selected {
    /// What it is.
    pub unit: Unit,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: Reason,
    /// How likely it is to fail, by its own past: failures and one of runs and two.
    pub likelihood: f64,
    /// How long it took, in milliseconds, where that is known.
    pub ms: Option<f64>,
}

/// What is known of a test from earlier runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Past {
    /// Runs.
    pub runs: u32,
    /// Failures among them.
    pub failures: u32,
    /// Whether it failed the last time.
    pub failed_last: bool,
    /// The last time it took, in milliseconds.
    pub ms: Option<f64>,
}

/// What tests are selected from.
pub struct Material<'a> {
    /// What was changed.
    pub changes: &'a Changes,
    /// The files of the tree.
    pub tree: &'a [String],
    /// What each test runs, where that was recorded.
    pub map: Option<&'a CoverageMap>,
    /// The lines of the functions of changed files at the base, by the path there; without those that cannot be parsed.
    pub functions: &'a BTreeMap<String, Vec<(u32, u32)>>,
    /// What imports what.
    pub imports: &'a Imports,
    /// Packages of Cargo.
    pub packages: &'a Packages,
    /// The files of commits, newest first.
    pub together: &'a [Vec<String>],
    /// Earlier results by name.
    pub past: &'a BTreeMap<String, Past>,
}

/// What was selected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The tests, in the order in which they should run.
    pub tests: Vec<Selected>,
    /// How many there are to choose from, of the same units.
    pub total: usize,
    /// Why everything is selected, where it is.
    pub everything: Option<String>,
    /// What limits the selection, a sentence each.
    pub notices: Vec<String>,
}

/// Selects the tests that a change needs.
#[must_use]
pub fn select(material: &Material<'_>) -> Selection {
    let mut chosen = Chosen::default();
    let mut selection =
        Selection { everything: outside_code(material, &mut chosen.notices), ..Selection::default() };
    let units = units(material);
    selection.total = units.len();
    if selection.everything.is_some() {
        chosen.reasons = units.iter().map(|unit| (unit.clone(), Reason::Everything)).collect();
    } else {
        by_change(material, &units, &mut chosen);
    }
    let failed = material.past.iter().filter(|(name, past)| past.failed_last && is_there(material, name));
    for (name, _) in failed {
        chosen.add(unit_of(material, name, &units), Reason::FailedLast);
    }
    if !material.changes.inner.is_empty() {
        let inner: Vec<&str> = material.changes.inner.iter().map(String::as_str).collect();
        chosen.notices.push(format!("what was changed in {} is not looked at", inner.join(", ")));
    }
    selection.tests = chosen
        .reasons
        .into_iter()
        .map(|((unit, name), reason)| {
            let past = past_of(material, unit, &name);
            let likelihood = f64::from(past.failures + 1) / f64::from(past.runs + 2);
            Selected { unit, name, reason, likelihood, ms: past.ms }
        })
        .collect();
    order(&mut selection.tests);
    selection.notices = chosen.notices;
    selection
}

/// The most likely to fail first: by the reason, then by the past, then the quickest.
fn order(tests: &mut [Selected]) {
    tests.sort_by(|a, b| {
        let quick = |test: &Selected| test.ms.unwrap_or(f64::MAX);
        a.reason
            .cmp(&b.reason)
            .then(b.likelihood.total_cmp(&a.likelihood))
            .then(quick(a).total_cmp(&quick(b)))
            .then_with(|| a.name.cmp(&b.name))
    });
}

type Key = (Unit, String);

#[derive(Default)]
struct Chosen {
    reasons: BTreeMap<Key, Reason>,
    notices: Vec<String>,
}

impl Chosen {
    fn add(&mut self, key: Key, reason: Reason) {
        let known = self.reasons.entry(key).or_insert(reason);
        *known = (*known).min(reason);
    }
}

/// Why everything has to be run: what is not code may change any test.
fn outside_code(material: &Material<'_>, notices: &mut Vec<String>) -> Option<String> {
    let mut prose = Vec::new();
    for (path, change) in &material.changes.files {
        if Language::of_path(path.as_ref()).is_some() && !is_build_script(path) {
            continue;
        }
        if is_prose(path) && !material.imports.names(path) {
            prose.push(path.as_str());
            continue;
        }
        let what = match change.change {
            Change::Added => "is new",
            Change::Deleted => "is gone",
            Change::Modified | Change::Renamed => "was changed",
        };
        return Some(format!(
            "{path} {what} and is not code that only some tests run: any test may depend on it"
        ));
    }
    if !prose.is_empty() {
        notices.push(format!("{} is prose that no code names, so it selects nothing", prose.join(", ")));
    }
    material
        .changes
        .files
        .iter()
        .find(|(path, _)| path.ends_with("conftest.py") && !path.contains('/'))
        .map(|(path, _)| format!("{path} was changed: it is part of every test"))
}

fn is_build_script(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("build.rs" | "setup.py" | "noxfile.py" | "gulpfile.js"))
        || path.ends_with(".config.js")
        || path.ends_with(".config.ts")
        || path.ends_with(".config.mjs")
}

fn is_prose(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".md", ".rst", ".adoc"].iter().any(|end| name.ends_with(end))
        || ["LICENSE", "AUTHORS", "NOTICE", ".gitignore", ".mailmap"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// All that can be selected.
fn units(material: &Material<'_>) -> BTreeSet<Key> {
    if let Some(map) = material.map {
        return map.tests().map(|name| (Unit::Test, name.to_owned())).collect();
    }
    let packages = material.packages.names().map(|name| (Unit::Package, name.to_owned()));
    packages.chain(test_files(material).map(|path| (Unit::File, path.to_owned()))).collect()
}

fn test_files<'a>(material: &Material<'a>) -> impl Iterator<Item = &'a str> {
    material.tree.iter().map(String::as_str).filter(|path| is_test_file(path))
}

/// A file whose tests are run by its name: of Python or of JavaScript.
fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match Language::of_path(path.as_ref()) {
        Some(Language::Python) => name.starts_with("test_") || name.ends_with("_test.py"),
        Some(Language::JavaScript | Language::TypeScript | Language::Tsx) => {
            name.contains(".test.") || name.contains(".spec.") || path.contains("__tests__/")
        }
        _ => false,
    }
}

/// Whether the file of a test is there, where its name begins with one.
fn is_there(material: &Material<'_>, test: &str) -> bool {
    let file = test.split("::").next().unwrap_or(test);
    !is_test_file(file) || material.tree.iter().any(|path| path == file)
}

/// What an earlier result belongs to.
fn unit_of(material: &Material<'_>, name: &str, units: &BTreeSet<Key>) -> Key {
    let file = name.split("::").next().unwrap_or(name);
    if material.map.is_none() && units.contains(&(Unit::File, file.to_owned())) {
        return (Unit::File, file.to_owned());
    }
    (Unit::Test, name.to_owned())
}

fn past_of(material: &Material<'_>, unit: Unit, name: &str) -> Past {
    match unit {
        Unit::Test => material.past.get(name).copied().unwrap_or_default(),
        Unit::File | Unit::Package => {
            let inside = material.past.iter().filter(|(test, _)| match unit {
                Unit::File => test.split("::").next() == Some(name),
                _ => test.split("::").next().is_some_and(|target| target == name.replace('-', "_")),
            });
            inside.fold(Past::default(), |sum, (_, past)| Past {
                runs: sum.runs.max(past.runs),
                failures: sum.failures.max(past.failures),
                failed_last: sum.failed_last || past.failed_last,
                ms: match (sum.ms, past.ms) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                },
            })
        }
    }
}

/// The changed files of code.
struct Code<'a> {
    /// Those that are there, by the path that they have.
    changed: Vec<&'a String>,
    /// Paths that are not there any more: of files that were deleted, or moved.
    gone: Vec<&'a String>,
}

impl<'a> Code<'a> {
    fn of(changes: &'a Changes) -> Self {
        let is_code = |path: &&String| Language::of_path((*path).as_ref()).is_some();
        let (gone, changed): (Vec<_>, Vec<_>) =
            changes.files.iter().partition(|(_, change)| change.change == Change::Deleted);
        let moved = changed.iter().filter_map(|(_, change)| change.old_path.as_ref());
        Self {
            gone: gone.iter().map(|(path, _)| *path).chain(moved).filter(is_code).collect(),
            changed: changed.iter().map(|(path, _)| *path).filter(is_code).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a str> {
        self.changed.iter().chain(&self.gone).map(|path| path.as_str())
    }
}

fn by_change(material: &Material<'_>, units: &BTreeSet<Key>, chosen: &mut Chosen) {
    let code = Code::of(material.changes);
    if let Some(map) = material.map {
        mapped::select(material, map, chosen);
        return;
    }
    by_imports(material, &code, chosen);
    for package in material.packages.affected(code.all()) {
        chosen.add((Unit::Package, package), Reason::Depends);
    }
    by_history(material, &code.all().collect::<Vec<_>>(), units, chosen);
}

fn by_imports(material: &Material<'_>, code: &Code<'_>, chosen: &mut Chosen) {
    let changed: Vec<&str> = code.changed.iter().map(|path| path.as_str()).collect();
    let gone = code.gone.iter().map(|path| path.as_str());
    let dependents = material.imports.dependents(changed.iter().copied(), gone);
    for path in test_files(material) {
        if changed.contains(&path) {
            chosen.add((Unit::File, path.to_owned()), Reason::Changed);
        } else if dependents.contains(path) {
            chosen.add((Unit::File, path.to_owned()), Reason::Depends);
        }
    }
    if material.imports.dynamic() > 0 {
        let count = crate::words::count(material.imports.dynamic(), "file imports", "files import");
        chosen.notices.push(format!("{count} by names that are computed, which is not followed"));
    }
}

/// A test belongs to a file by history where both were changed in so many commits,
const LEAST_COMMITS: usize = 3;
/// and in this share of those that changed the file.
const LEAST_SHARE: f64 = 0.2;

fn by_history(material: &Material<'_>, code: &[&str], units: &BTreeSet<Key>, chosen: &mut Chosen) {
    for path in code {
        let mut commits = 0_usize;
        let mut partners: BTreeMap<&str, usize> = BTreeMap::new();
        for files in material.together.iter().filter(|files| files.iter().any(|file| file == path)) {
            commits += 1;
            for file in files.iter().filter(|file| is_test_path(file)) {
                *partners.entry(file).or_default() += 1;
            }
        }
        for (file, count) in partners {
            #[expect(clippy::cast_precision_loss, reason = "counts of commits are small")]
            let is_often = count >= LEAST_COMMITS && count as f64 >= LEAST_SHARE * commits as f64;
            let key = (Unit::File, file.to_owned());
            if is_often && units.contains(&key) {
                chosen.add(key, Reason::History);
            }
        }
    }
}
