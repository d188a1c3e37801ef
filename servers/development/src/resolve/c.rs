//! Included files of C and C++: beside the file that includes, else the one file of the root that ends with the path.

use mcp_source::Language;
use rustc_hash::FxHashMap;

use super::{FileId, Modules, Place, directory, join};

/// Files by their last part.
pub(super) struct Includes(FxHashMap<String, Vec<FileId>>);

impl Includes {
    pub(super) fn new(paths: &[String], languages: &[Language]) -> Self {
        let mut files: FxHashMap<String, Vec<FileId>> = FxHashMap::default();
        for (number, path) in (0..).zip(paths) {
            if matches!(languages[number as usize], Language::C | Language::Cpp) {
                files.entry(last(path).to_owned()).or_default().push(number);
            }
        }
        Self(files)
    }

    pub(super) fn place(&self, modules: &Modules, from: FileId, path: &str) -> Place {
        if let Some(file) = join(directory(modules.path(from)), path).and_then(|path| modules.number(&path)) {
            return Place::Files(vec![file]);
        }
        let plain = path.trim_start_matches("./").trim_start_matches("../");
        let ends = |file: &&FileId| {
            let known = modules.path(**file);
            known.strip_suffix(plain).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let found: Vec<FileId> = self.0.get(last(path)).into_iter().flatten().filter(ends).copied().collect();
        match found[..] {
            [file] => Place::Files(vec![file]),
            // Which of several, the compiler's search path says, which is not known here.
            _ => Place::Unresolved,
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
