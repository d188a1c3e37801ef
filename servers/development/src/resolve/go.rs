//! Packages of Go: directories, by the path of the module that `go.mod` names.

use mcp_source::Language;
use rustc_hash::FxHashMap;

use super::config::Configs;
use super::{FileId, Modules, Place, directory};
use crate::facts::Form;

/// The files of each directory, and the modules.
pub(super) struct Packages {
    directories: FxHashMap<String, Vec<FileId>>,
    modules: Vec<(String, String)>,
}

impl Packages {
    pub(super) fn new(paths: &[String], languages: &[Language], configs: &Configs) -> Self {
        let mut directories: FxHashMap<String, Vec<FileId>> = FxHashMap::default();
        for (number, path) in (0..).zip(paths) {
            if languages[number as usize] == Language::Go {
                directories.entry(directory(path).to_owned()).or_default().push(number);
            }
        }
        Self { directories, modules: configs.go.clone() }
    }

    pub(super) fn place(&self, modules: &Modules, path: &str) -> Place {
        let own = self.modules.iter().filter_map(|(at, module)| {
            let rest = path.strip_prefix(module.as_str())?;
            let is_whole = rest.is_empty() || rest.starts_with('/');
            is_whole.then(|| (module.len(), at, rest.trim_start_matches('/')))
        });
        let Some((_, at, rest)) = own.max_by_key(|(length, _, _)| *length) else { return Place::External };
        let directory = match (at.is_empty(), rest.is_empty()) {
            (true, _) => rest.to_owned(),
            (false, true) => at.clone(),
            (false, false) => format!("{at}/{rest}"),
        };
        match self.directories.get(&directory) {
            // Nobody can import a test.
            Some(files) => {
                let is_test = |file: &FileId| modules.path(*file).ends_with("_test.go");
                Place::Files(files.iter().copied().filter(|file| !is_test(file)).collect())
            }
            None => Place::Unresolved,
        }
    }

    /// The other files of a file's package: of its directory, and of one name.
    pub(super) fn beside(&self, modules: &Modules, file: FileId) -> Vec<FileId> {
        let files = self.directories.get(directory(modules.path(file)));
        let own = package(modules, file);
        files
            .into_iter()
            .flatten()
            .copied()
            .filter(|other| *other != file && package(modules, *other) == own)
            .collect()
    }
}

fn package(modules: &Modules, file: FileId) -> Option<&str> {
    modules
        .imports(file)
        .iter()
        .find(|import| import.form == Form::Package)
        .map(|import| import.module.as_str())
}
