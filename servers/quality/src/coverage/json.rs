//! The JSON of `llvm-cov export` (version 2 and 3) and of `coverage json` (format 2 and 3), read file by file.

use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::coverage::llvm::{Segment, lines};
use crate::coverage::read::ReadError;
use crate::coverage::report::{Count, FileCoverage, Format, Report};

/// Reads a report in JSON.
pub(crate) fn read(input: impl BufRead) -> Result<Report, ReadError> {
    let mut report = Report::new(Format::Llvm);
    let mut json = serde_json::Deserializer::from_reader(input);
    let result = Top(&mut report).deserialize(&mut json).and_then(|()| json.end());
    result.map_err(|error| match error.classify() {
        serde_json::error::Category::Io => ReadError::Io(error.into()),
        serde_json::error::Category::Eof => ReadError::cut(report.format, &error.to_string()),
        _ => ReadError::Malformed { format: report.format, problem: error.to_string() },
    })?;
    Ok(report)
}

/// Makes a visitor of a map whose entries are taken one by one, so that nothing is held that is not needed.
macro_rules! map_of {
    ($name:ident, $expecting:literal, |$report:ident, $key:ident, $map:ident| $body:block) => {
        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_map(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($expecting)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<(), A::Error> {
                let $report = self.0;
                while let Some($key) = $map.next_key::<String>()? {
                    $body
                }
                Ok(())
            }
        }
    };
}

struct Top<'a>(&'a mut Report);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `data` (llvm-cov) or `files` (coverage.py)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let report = self.0;
        let mut is_known = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "data" => {
                    is_known = true;
                    report.format = Format::Llvm;
                    map.next_value_seed(Exports(report))?;
                }
                "files" => {
                    is_known = true;
                    report.format = Format::CoveragePy;
                    map.next_value_seed(PyFiles(report))?;
                }
                "totals" => {
                    let totals: PyTotals = map.next_value()?;
                    if let (Some(found), Some(hit)) = (totals.num_statements, totals.covered_lines) {
                        report.stated_lines = Some(Count { found, hit });
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if is_known {
            return Ok(());
        }
        Err(A::Error::custom(
            "it has neither `data` nor `files`, which JSON of llvm-cov and of coverage.py has",
        ))
    }
}

struct Exports<'a>(&'a mut Report);

impl<'de> DeserializeSeed<'de> for Exports<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Exports<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of exports")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Export(self.0))?.is_some() {}
        Ok(())
    }
}

struct Export<'a>(&'a mut Report);

map_of!(Export, "an export", |report, key, map| {
    match key.as_str() {
        "files" => map.next_value_seed(LlvmFiles(report))?,
        "totals" => {
            let totals: Summary = map.next_value()?;
            if let Some(lines) = totals.lines {
                let mut stated = report.stated_lines.unwrap_or_default();
                stated.add(lines.into());
                report.stated_lines = Some(stated);
            }
        }
        _ => drop(map.next_value::<IgnoredAny>()?),
    }
});

struct LlvmFiles<'a>(&'a mut Report);

impl<'de> DeserializeSeed<'de> for LlvmFiles<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for LlvmFiles<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(file) = list.next_element::<LlvmFile>()? {
            let mut coverage = FileCoverage::default();
            lines(&file.segments, |line, count| coverage.line(line, count > 0));
            let mut before = (0, 0);
            for Branch { line, taken, not_taken } in file.branches {
                let place = if before.0 == line { before.1 } else { 0 };
                coverage.branch(line, place, taken > 0);
                coverage.branch(line, place + 1, not_taken > 0);
                before = (line, place + 2);
            }
            if let Some(functions) = file.summary.functions {
                coverage.counted_functions(functions.into());
            }
            self.0.file(&file.filename).merge(coverage);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct LlvmFile {
    filename: String,
    #[serde(default)]
    segments: Vec<Segment>,
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    summary: Summary,
}

/// Line, column, end line, end column, how often it was true and how often false, and more.
#[derive(Deserialize)]
#[serde(from = "(u32, u32, u32, u32, u64, u64, IgnoredAny, IgnoredAny, IgnoredAny)")]
struct Branch {
    line: u32,
    taken: u64,
    not_taken: u64,
}

impl From<(u32, u32, u32, u32, u64, u64, IgnoredAny, IgnoredAny, IgnoredAny)> for Branch {
    fn from(fields: (u32, u32, u32, u32, u64, u64, IgnoredAny, IgnoredAny, IgnoredAny)) -> Self {
        Self { line: fields.0, taken: fields.4, not_taken: fields.5 }
    }
}

#[derive(Default, Deserialize)]
struct Summary {
    lines: Option<Covered>,
    functions: Option<Covered>,
}

#[derive(Clone, Copy, Deserialize)]
struct Covered {
    count: u64,
    covered: u64,
}

impl From<Covered> for Count {
    fn from(covered: Covered) -> Self {
        Self { found: covered.count, hit: covered.covered }
    }
}

struct PyFiles<'a>(&'a mut Report);

map_of!(PyFiles, "an object of files by their paths", |report, path, map| {
    let file: PyFile = map.next_value()?;
    let coverage = report.file(&path);
    for line in file.missing_lines {
        coverage.line(line, false);
    }
    for line in file.executed_lines {
        coverage.line(line, true);
    }
    let branches = file.executed_branches.into_iter().map(|branch| (branch, true));
    let missing = file.missing_branches.into_iter().map(|branch| (branch, false));
    let mut branches: Vec<((i64, i64), bool)> = branches.chain(missing).collect();
    branches.sort_unstable();
    let mut before = (0, 0);
    for ((from, _), is_taken) in branches {
        let place = if before.0 == from { before.1 } else { 0 };
        before = (from, place + 1);
        coverage.branch(u32::try_from(from).unwrap_or_default(), place, is_taken);
    }
});

#[derive(Deserialize)]
struct PyFile {
    executed_lines: Vec<u32>,
    missing_lines: Vec<u32>,
    #[serde(default)]
    executed_branches: Vec<(i64, i64)>,
    #[serde(default)]
    missing_branches: Vec<(i64, i64)>,
}

#[derive(Deserialize)]
struct PyTotals {
    num_statements: Option<u64>,
    covered_lines: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Report, String> {
        read(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn coverage_py_is_read_with_branches() {
        let report =
            of(r#"{"meta": {"format": 3, "version": "7.6"}, "files": {"a.py": {"executed_lines": [1, 2, 4],
            "summary": {"covered_lines": 3}, "missing_lines": [5], "excluded_lines": [],
            "executed_branches": [[2, 4]], "missing_branches": [[2, 5], [4, -1]]}},
            "totals": {"covered_lines": 3, "num_statements": 4}}"#)
            .unwrap();
        assert_eq!(report.format, Format::CoveragePy);
        assert_eq!(report.lines(), Count { found: 4, hit: 3 });
        assert_eq!(report.stated_lines, Some(report.lines()));
        assert_eq!(report.branches(), Count { found: 3, hit: 1 });
    }

    #[test]
    fn llvm_cov_is_read_file_by_file() {
        let report = of(r#"{"data": [{"files": [{"filename": "/p/a.rs", "branches": [[2, 8, 2, 13, 1, 0, 0, 0, 4]],
            "expansions": [], "segments": [[1, 1, 1, true, true, false], [3, 2, 0, false, false, false],
            [5, 1, 0, true, true, false], [6, 2, 0, false, false, false]],
            "summary": {"lines": {"count": 5, "covered": 3, "percent": 60}, "functions": {"count": 2, "covered": 1}}}],
            "functions": [{"name": "f"}], "totals": {"lines": {"count": 5, "covered": 3}}}],
            "type": "llvm.coverage.json.export", "version": "2.0.1"}"#)
        .unwrap();
        assert_eq!(report.lines(), Count { found: 5, hit: 3 });
        assert_eq!(report.stated_lines, Some(report.lines()));
        assert_eq!(report.branches(), Count { found: 2, hit: 1 });
        assert_eq!(report.functions(), Count { found: 2, hit: 1 });
    }

    #[test]
    fn what_is_cut_off_or_else_is_said() {
        for (text, part) in [
            (r#"{"files": {"a.py": {"executed_lines": [1"#, "cut off"),
            (r#"{"files": {"a.py": {"executed_lines": 1}}}"#, "expected"),
            (r#"{"data": 1}"#, "a list of exports"),
            (r#"{"tests": []}"#, "neither"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = format!("{{\"x\": {}", "[".repeat(1_000_000));
        assert!(of(&deep).is_err());
    }
}
