//! Finds the files of a report in the tree here. Reports name files as the machine did that measured: with absolute
//! paths of another checkout, from another directory, or from a source root that the report does not name.

use std::collections::BTreeMap;
use std::path::Path;

use rustc_hash::FxHashMap;

use crate::coverage::report::{FileCoverage, Report};

/// A report whose files were looked for in a tree.
#[derive(Debug)]
pub struct Placed {
    /// Coverage by path in the tree.
    pub files: BTreeMap<String, FileCoverage>,
    /// Paths of the report that are not in the tree, or in it in several places.
    pub unmapped: Vec<String>,
}

/// Finds each file of a report in a tree. `tree` are the paths of its files, relative and with slashes; `roots` are
/// the directories that they are relative to.
#[must_use]
pub fn place(report: Report, tree: &[String], roots: &[&Path]) -> Placed {
    let finder = Finder::new(tree, roots);
    let prefix = finder.common_prefix(&report);
    let sources: Vec<String> = report.sources.iter().map(|source| plain(source)).collect();
    let mut placed = Placed { files: BTreeMap::new(), unmapped: Vec::new() };
    for (path, coverage) in report.files {
        match finder.find(&plain(&path), prefix.as_deref(), &sources) {
            Some(found) => placed.files.entry(found.to_owned()).or_default().merge(coverage),
            None => placed.unmapped.push(path),
        }
    }
    placed
}

/// The path with slashes, and without `.` and empty parts.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    let start = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{start}{}", parts.join("/"))
}

/// Finds files of a tree by the names that other machines gave them.
pub struct Finder<'a> {
    /// Paths by file name.
    by_name: FxHashMap<&'a str, Vec<&'a str>>,
    roots: Vec<String>,
}

impl<'a> Finder<'a> {
    /// A finder for a tree, as for [`place`].
    #[must_use]
    pub fn new(tree: &'a [String], roots: &[&Path]) -> Self {
        let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for path in tree {
            by_name.entry(name(path)).or_default().push(path);
        }
        Self { by_name, roots: roots.iter().map(|root| root.display().to_string()).collect() }
    }

    /// The file that a path means, without knowing other paths of the same report.
    #[must_use]
    pub fn find_plain(&self, path: &str) -> Option<&'a str> {
        self.find(&plain(path), None, &[])
    }

    fn exact(&self, path: &str) -> Option<&'a str> {
        self.by_name.get(name(path))?.iter().copied().find(|known| *known == path)
    }

    fn find(&self, path: &str, prefix: Option<&str>, sources: &[String]) -> Option<&'a str> {
        if let Some(found) = self.exact(path) {
            return Some(found);
        }
        let absolute = if path.starts_with('/') {
            vec![path.to_owned()]
        } else {
            sources.iter().map(|source| format!("{source}/{path}")).collect()
        };
        for full in &absolute {
            let known = self.roots.iter().map(String::as_str).chain(prefix);
            for start in known {
                if let Some(below) = full.strip_prefix(start).and_then(|rest| rest.strip_prefix('/'))
                    && let Some(found) = self.exact(below)
                {
                    return Some(found);
                }
            }
        }
        let longest = absolute.first().map_or(path, String::as_str);
        self.by_end(longest).or_else(|| self.by_end(path))
    }

    /// The one file whose path ends as this one does, in more parts than any other and in two at least.
    fn by_end(&self, path: &str) -> Option<&'a str> {
        let candidates = self.by_name.get(name(path))?;
        let shared = |known: &str| {
            known
                .rsplit('/')
                .zip(path.trim_start_matches('/').rsplit('/'))
                .take_while(|(a, b)| a == b)
                .count()
        };
        let most = candidates.iter().map(|known| shared(known)).max()?;
        let mut best = candidates.iter().copied().filter(|known| shared(known) == most);
        let (found, other) = (best.next()?, best.next());
        (most >= 2 && other.is_none()).then_some(found)
    }

    /// The directory that most absolute paths of the report lie in where their ends are found here: the other
    /// checkout.
    fn common_prefix(&self, report: &Report) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        let plain: Vec<String> = report.files.keys().map(|path| plain(path)).collect();
        for path in plain.iter().filter(|path| path.starts_with('/')) {
            if let Some(found) = self.by_end(path)
                && let Some(prefix) = path.strip_suffix(found).and_then(|rest| rest.strip_suffix('/'))
            {
                *votes.entry(prefix).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, votes)| *votes).map(|(prefix, _)| prefix.to_owned())
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::report::Format;

    fn tree() -> Vec<String> {
        [
            "build.rs",
            "core/a/src/lib.rs",
            "core/b/src/lib.rs",
            "src/main/java/org/x/A.java",
            "src/one.py",
            "core/a/build.rs",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn placed(paths: &[&str], sources: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut report = Report::new(Format::Lcov);
        report.sources = sources.iter().map(|source| (*source).to_owned()).collect();
        for path in paths {
            report.file(path).line(1, true);
        }
        let placed = place(report, &tree(), &[Path::new("/w/p")]);
        (placed.files.into_keys().collect(), placed.unmapped)
    }

    #[test]
    fn files_are_found_by_every_way_that_reports_name_them() {
        for (path, sources, found) in [
            ("src/one.py", &[][..], "src/one.py"),
            ("./src//one.py", &[], "src/one.py"),
            ("src\\one.py", &[], "src/one.py"),
            ("/w/p/src/one.py", &[], "src/one.py"),
            ("/home/ci/build/src/one.py", &[], "src/one.py"),
            ("org/x/A.java", &[], "src/main/java/org/x/A.java"),
            ("one.py", &["/w/p/src"], "src/one.py"),
            ("one.py", &["/home/ci/src"], "src/one.py"),
            ("/elsewhere/core/b/src/lib.rs", &[], "core/b/src/lib.rs"),
        ] {
            assert_eq!(placed(&[path], sources), (vec![found.to_owned()], vec![]), "{path}");
        }
    }

    #[test]
    fn what_could_be_several_files_is_none() {
        for path in
            ["src/lib.rs", "/other/src/lib.rs", "/other/build.rs", "nowhere.c", "/usr/include/stdio.h", ""]
        {
            assert_eq!(placed(&[path], &[]), (vec![], vec![path.to_owned()]), "{path}");
        }
    }

    #[test]
    fn the_other_checkout_is_learned_from_paths_that_are_certain() {
        let (files, unmapped) =
            placed(&["/ci/p/core/a/src/lib.rs", "/ci/p/build.rs", "/usr/x/build.rs"], &[]);
        assert_eq!(files, ["build.rs", "core/a/src/lib.rs"]);
        assert_eq!(unmapped, ["/usr/x/build.rs"]);
    }
}
