//! What each test runs: the contexts of `coverage json --show-contexts`, or a map of this server's own form,
//! `{"format": "quality-map 1", "commit": …, "tests": {NAME: {PATH: [[FIRST, LAST], …]}}}`.

use std::collections::BTreeMap;
use std::io::BufRead;

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::selection::risk::Observed;

/// The most bytes of a map.
pub const LARGEST: u64 = 512 << 20;

/// What each test runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoverageMap {
    commit: Option<String>,
    tests: Vec<String>,
    /// By path: the number of a test, and the lines that it runs.
    files: BTreeMap<String, Vec<(u32, RoaringBitmap)>>,
    observed: Observed,
}

/// The lines that a test runs, by file: first and last of each region.
type Regions = BTreeMap<String, Vec<(u32, u32)>>;

/// Both forms: their members have different names.
#[derive(Deserialize)]
struct Written {
    format: Option<String>,
    commit: Option<String>,
    tests: Option<BTreeMap<String, Regions>>,
    #[serde(default)]
    observed: Observed,
    files: Option<BTreeMap<String, PyFile>>,
}

#[derive(Deserialize)]
struct PyFile {
    contexts: Option<BTreeMap<u32, Vec<String>>>,
}

impl CoverageMap {
    /// Reads a map of either form.
    ///
    /// # Errors
    /// One sentence: it is none, or holds no test.
    pub fn read(input: impl BufRead) -> Result<Self, String> {
        let written: Written = serde_json::from_reader(std::io::Read::take(input, LARGEST))
            .map_err(|error| format!("the map cannot be read: {error}"))?;
        let map = match (written.tests, written.files) {
            (Some(tests), _) if written.format.as_deref() == Some("quality-map 1") => {
                Self::own(tests, written.commit, written.observed)?
            }
            (None, Some(files)) => Self::python(files)?,
            _ => {
                return Err(
                    "the map is of no known form: give one of `quality-map 1`, or of `coverage json \
                            --show-contexts`"
                        .to_owned(),
                );
            }
        };
        if map.tests.is_empty() {
            return Err("the map holds no test".to_owned());
        }
        Ok(map)
    }

    fn own(
        tests: BTreeMap<String, Regions>,
        commit: Option<String>,
        observed: Observed,
    ) -> Result<Self, String> {
        let mut map = Self { commit, observed, ..Self::default() };
        for (name, files) in tests {
            let number = u32::try_from(map.tests.len()).unwrap_or(u32::MAX);
            for (path, regions) in files {
                let mut lines = RoaringBitmap::new();
                for (first, last) in regions {
                    if first == 0 || last < first {
                        return Err(format!("the map gives {name} the lines {first} to {last} of {path}"));
                    }
                    lines.insert_range(first..=last);
                }
                map.files.entry(path).or_default().push((number, lines));
            }
            map.tests.push(name);
        }
        Ok(map)
    }

    fn python(files: BTreeMap<String, PyFile>) -> Result<Self, String> {
        let mut map = Self::default();
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        for (path, file) in files {
            let contexts = file.contexts.ok_or_else(|| {
                "the report has no contexts: run coverage with `dynamic_context = test_function` or pytest with \
                 `--cov-context=test`, and `coverage json --show-contexts`"
                    .to_owned()
            })?;
            let mut by_test: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
            for (line, names) in contexts {
                // Without a name: it was run outside of any test, as when it was imported.
                for name in names.iter().filter(|name| !name.is_empty()) {
                    // pytest-cov says in which phase.
                    let name = name.split('|').next().unwrap_or(name);
                    let number = match numbers.get(name) {
                        Some(number) => *number,
                        None => {
                            let number = u32::try_from(map.tests.len()).unwrap_or(u32::MAX);
                            map.tests.push(name.to_owned());
                            numbers.insert(name.to_owned(), number);
                            number
                        }
                    };
                    by_test.entry(number).or_default().insert(line);
                }
            }
            map.files.entry(path.replace('\\', "/")).or_default().extend(by_test);
        }
        Ok(map)
    }

    /// The commit that it was recorded at, where it says so.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// What a replay of changes observed with it.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.observed
    }

    /// All tests.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().map(String::as_str)
    }

    /// The tests that run a file, with the lines.
    pub fn of_file(&self, path: &str) -> impl Iterator<Item = (&str, &RoaringBitmap)> {
        let tests = self.files.get(path).into_iter().flatten();
        tests.filter_map(|(number, lines)| Some((self.tests.get(*number as usize)?.as_str(), lines)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<CoverageMap, String> {
        CoverageMap::read(text.as_bytes())
    }

    #[test]
    fn both_forms_are_read() {
        let own = of(
            r#"{"format": "quality-map 1", "commit": "abc", "tests": {"t::a": {"src/a.rs": [[1, 3], [7, 7]]}},
            "observed": {"failures": 300, "missed": 1}}"#,
        )
        .unwrap();
        let lines: Vec<(&str, Vec<u32>)> =
            own.of_file("src/a.rs").map(|(test, lines)| (test, lines.iter().collect())).collect();
        assert_eq!(lines, [("t::a", vec![1, 2, 3, 7])]);
        assert_eq!((own.commit(), own.observed().failures), (Some("abc"), 300));
        let python = of(
            r#"{"meta": {}, "files": {"a.py": {"executed_lines": [1], "contexts": {"1": ["", "t.py::a|run"],
            "2": ["t.py::a|run", "t.py::b|setup"]}}}, "totals": {}}"#,
        )
        .unwrap();
        let lines: Vec<(&str, Vec<u32>)> =
            python.of_file("a.py").map(|(test, lines)| (test, lines.iter().collect())).collect();
        assert_eq!(lines, [("t.py::a", vec![1, 2]), ("t.py::b", vec![2])]);
    }

    #[test]
    fn what_is_no_map_is_said() {
        for (text, part) in [
            ("{}", "no known form"),
            ("[", "cannot be read"),
            (r#"{"format": "quality-map 9", "tests": {}}"#, "no known form"),
            (r#"{"format": "quality-map 1", "tests": {}}"#, "no test"),
            (r#"{"format": "quality-map 1", "tests": {"a": {"b": [[3, 2]]}}}"#, "3 to 2"),
            (r#"{"files": {"a.py": {"executed_lines": []}}}"#, "has no contexts"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
