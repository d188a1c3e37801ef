//! Packages of Java: by what files say of themselves.

use mcp_source::Language;
use rustc_hash::FxHashMap;

use super::{FileId, Modules, Place, Resolver};
use crate::facts::{Form, Import};

/// The files of each package.
pub(super) struct Packages(FxHashMap<String, Vec<FileId>>);

impl Packages {
    pub(super) fn new(languages: &[Language], imports: &[Vec<Import>]) -> Self {
        let mut packages: FxHashMap<String, Vec<FileId>> = FxHashMap::default();
        for (number, imports) in (0..).zip(imports) {
            if languages[number as usize] == Language::Java {
                packages.entry(package(imports).to_owned()).or_default().push(number);
            }
        }
        Self(packages)
    }

    /// The files of a package, or the one that has the class of a name in it.
    pub(super) fn place(&self, resolver: &Resolver<'_>, name: &str) -> Place {
        if let Some(files) = self.0.get(name) {
            return Place::Files(files.clone());
        }
        let mut package = name;
        while let Some((before, class)) = package.rsplit_once('.') {
            package = before;
            if let Some(files) = self.0.get(before) {
                let found = files.iter().find(|file| resolver.defines(**file, class));
                return found.map_or(Place::Unresolved, |file| Place::Files(vec![*file]));
            }
        }
        Place::External
    }

    pub(super) fn beside(&self, modules: &Modules, file: FileId) -> Vec<FileId> {
        let files = self.0.get(package(modules.imports(file)));
        files.into_iter().flatten().copied().filter(|other| *other != file).collect()
    }
}

fn package(imports: &[Import]) -> &str {
    imports.iter().find(|import| import.form == Form::Package).map_or("", |import| import.module.as_str())
}
