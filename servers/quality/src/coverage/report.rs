//! What a coverage report says, whatever wrote it: lines, branches and functions of each file.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// The last line that a report may name. Longer files are not written by people, and a line takes memory.
pub const LAST_LINE: u32 = 50_000_000;

const _: () =
    assert!((LAST_LINE as u64 + 1) * (TOLD_APART as u64) <= u32::MAX as u64, "places of branches fit");

/// Branches of one line that are told apart; of further ones only the number counts.
const TOLD_APART: u32 = 64;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The trace files of lcov and geninfo.
    Lcov,
    /// The XML of Cobertura, coverage.py, tarpaulin and others.
    Cobertura,
    /// The XML of JaCoCo.
    Jacoco,
    /// What `llvm-cov export` and `cargo llvm-cov --json` write.
    Llvm,
    /// What `coverage json` writes.
    CoveragePy,
}

impl Format {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lcov => "lcov",
            Self::Cobertura => "Cobertura",
            Self::Jacoco => "JaCoCo",
            Self::Llvm => "llvm-cov",
            Self::CoveragePy => "coverage.py",
        }
    }
}

/// How many of what there is were run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How many there are.
    pub found: u64,
    /// How many of them were run.
    pub hit: u64,
}

impl Count {
    /// The share in percent; `None` of nothing.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^52")]
        (self.found > 0).then(|| 100.0 * self.hit as f64 / self.found as f64)
    }

    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.found += other.found;
        self.hit += other.hit;
    }
}

/// Coverage of one file. A file that is described several times, as once for each test, is run where any of the
/// descriptions says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileCoverage {
    known: RoaringBitmap,
    hit: RoaringBitmap,
    /// Branches by line and place on the line.
    branches: RoaringBitmap,
    taken: RoaringBitmap,
    /// Branches beyond those that are told apart.
    further: Count,
    /// Functions by the hash of their name, and whether they were run.
    functions: FxHashMap<u64, bool>,
    /// Functions of formats that give numbers only.
    counted_functions: Count,
}

impl FileCoverage {
    /// A line that can be run, and whether it was. A line beyond [`LAST_LINE`] is left out.
    pub fn line(&mut self, line: u32, is_hit: bool) {
        if line == 0 || line > LAST_LINE {
            return;
        }
        self.known.insert(line);
        if is_hit {
            self.hit.insert(line);
        }
    }

    /// A branch of a line by its place among the line's branches.
    pub fn branch(&mut self, line: u32, place: u32, is_taken: bool) {
        if line == 0 || line > LAST_LINE {
            return;
        }
        if place >= TOLD_APART {
            self.further.add(Count { found: 1, hit: u64::from(is_taken) });
            return;
        }
        self.branches.insert(line * TOLD_APART + place);
        if is_taken {
            self.taken.insert(line * TOLD_APART + place);
        }
    }

    /// How many branches of a line are told apart so far.
    pub(crate) fn branches_on(&self, line: u32) -> u32 {
        let places = line * TOLD_APART..(line + 1) * TOLD_APART;
        u32::try_from(self.branches.range_cardinality(places)).unwrap_or(TOLD_APART)
    }

    /// A function by the hash of its name.
    pub fn function(&mut self, name: u64, is_run: bool) {
        *self.functions.entry(name).or_default() |= is_run;
    }

    /// Functions that are only counted.
    pub fn counted_functions(&mut self, count: Count) {
        self.counted_functions.add(count);
    }

    /// Lines that can be run.
    #[must_use]
    pub fn lines(&self) -> Count {
        Count { found: self.known.len(), hit: self.hit.len() }
    }

    /// Branches.
    #[must_use]
    pub fn branch_count(&self) -> Count {
        let mut count = Count { found: self.branches.len(), hit: self.taken.len() };
        count.add(self.further);
        count
    }

    /// Functions.
    #[must_use]
    pub fn functions(&self) -> Count {
        let run = self.functions.values().filter(|is_run| **is_run).count();
        let mut count = Count { found: self.functions.len() as u64, hit: run as u64 };
        count.add(self.counted_functions);
        count
    }

    /// Whether a line can be run and was; `None` for one that cannot be.
    #[must_use]
    pub fn is_hit(&self, line: u32) -> Option<bool> {
        self.known.contains(line).then(|| self.hit.contains(line))
    }

    /// The last line that is described.
    #[must_use]
    pub fn last_line(&self) -> Option<u32> {
        self.known.max()
    }

    /// The lines that were run.
    pub fn hit_lines(&self) -> impl Iterator<Item = u32> + '_ {
        self.hit.iter()
    }

    /// Regions that were not run, first and last line of each. Lines between two of them that cannot be run, such as
    /// empty ones, do not part a region.
    #[must_use]
    pub fn gaps(&self) -> Vec<(u32, u32)> {
        let mut gaps: Vec<(u32, u32)> = Vec::new();
        let mut is_open = false;
        for line in &self.known {
            if self.hit.contains(line) {
                is_open = false;
            } else if let Some(last) = gaps.last_mut().filter(|_| is_open) {
                last.1 = line;
            } else {
                gaps.push((line, line));
                is_open = true;
            }
        }
        gaps
    }

    /// Takes in what another description says of the same file.
    pub fn merge(&mut self, other: Self) {
        self.known |= other.known;
        self.hit |= other.hit;
        self.branches |= other.branches;
        self.taken |= other.taken;
        self.further.add(other.further);
        for (name, is_run) in other.functions {
            self.function(name, is_run);
        }
        self.counted_functions.add(other.counted_functions);
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What wrote it.
    pub format: Format,
    /// Coverage by file, as the report names files.
    pub files: BTreeMap<String, FileCoverage>,
    /// What the report itself gives as the total of its lines, where it does.
    pub stated_lines: Option<Count>,
    /// Directories that its relative paths may start from, where it names some.
    pub sources: Vec<String>,
}

impl Report {
    /// A report of nothing yet.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, files: BTreeMap::new(), stated_lines: None, sources: Vec::new() }
    }

    /// The coverage of a file, to be added to.
    pub fn file(&mut self, path: &str) -> &mut FileCoverage {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), FileCoverage::default());
        }
        self.files.entry(path.to_owned()).or_default()
    }

    /// Lines of all files.
    #[must_use]
    pub fn lines(&self) -> Count {
        self.sum(FileCoverage::lines)
    }

    /// Branches of all files.
    #[must_use]
    pub fn branches(&self) -> Count {
        self.sum(FileCoverage::branch_count)
    }

    /// Functions of all files.
    #[must_use]
    pub fn functions(&self) -> Count {
        self.sum(FileCoverage::functions)
    }

    fn sum(&self, of: impl Fn(&FileCoverage) -> Count) -> Count {
        self.files.values().fold(Count::default(), |mut sum, file| {
            sum.add(of(file));
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_span_lines_that_cannot_be_run() {
        let mut file = FileCoverage::default();
        for (line, is_hit) in [(1, true), (3, false), (7, false), (8, true), (10, false)] {
            file.line(line, is_hit);
        }
        assert_eq!(file.gaps(), [(3, 7), (10, 10)]);
        assert_eq!(file.lines(), Count { found: 5, hit: 2 });
        assert_eq!((file.is_hit(1), file.is_hit(2), file.is_hit(3)), (Some(true), None, Some(false)));
    }

    #[test]
    fn descriptions_of_one_file_are_joined() {
        let mut one = FileCoverage::default();
        one.line(1, false);
        one.branch(1, 0, true);
        one.branch(1, 1, false);
        one.function(7, false);
        let mut other = FileCoverage::default();
        other.line(1, true);
        other.line(2, false);
        other.branch(1, 1, true);
        other.function(7, true);
        one.merge(other);
        assert_eq!(one.lines(), Count { found: 2, hit: 1 });
        assert_eq!(one.branch_count(), Count { found: 2, hit: 2 });
        assert_eq!(one.functions(), Count { found: 1, hit: 1 });
    }

    #[test]
    fn a_line_that_no_file_has_takes_no_memory() {
        let mut file = FileCoverage::default();
        file.line(u32::MAX, true);
        file.line(0, true);
        file.branch(u32::MAX, 0, true);
        assert_eq!((file.lines(), file.branch_count()), (Count::default(), Count::default()));
    }

    #[test]
    fn the_share_of_nothing_is_nothing() {
        assert_eq!(Count::default().percent(), None);
        assert_eq!(Count { found: 8, hit: 2 }.percent(), Some(25.0));
    }
}
