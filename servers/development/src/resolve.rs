//! What imports mean: which file of the root a module is, and where a name that is imported is defined.
//!
//! A module that no rule of its language leads to is not guessed: it is of another package, or unresolved.

mod c;
mod config;
mod go;
mod graph;
mod java;
mod python;
mod rust;
mod script;

use std::collections::BTreeSet;

use mcp_source::Language;
use mcp_workspace::Root;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Form, Import};
use crate::index::{Entry, Live};

pub use graph::{Dependent, Graph, Impact};

/// How many re-exports are followed from one name.
const MOST_STEPS: usize = 12;

/// A file by its number in [`Modules`].
pub type FileId = u32;

/// Where a name is defined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meaning {
    /// The file.
    pub file: FileId,
    /// The name there; empty for the file as a module.
    pub name: String,
}

/// What an import leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// To these.
    Known(BTreeSet<Meaning>),
    /// To the files of a module in which the name is not found: a macro may make it.
    Module(Vec<FileId>),
    /// To another package.
    External,
    /// It should be a file of the root, and none is there.
    Unresolved,
}

/// Which files a module is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Files(Vec<FileId>),
    /// A thing in a file, and what follows it in the path: `module::Type::new`.
    Inside(FileId, Vec<String>),
    External,
    Unresolved,
}

/// The files of an index and what their modules are called.
pub struct Modules {
    paths: Vec<String>,
    languages: Vec<Language>,
    imports: Vec<Vec<Import>>,
    numbers: FxHashMap<String, FileId>,
    rust: rust::Tree,
    python: python::Names,
    script: script::Packages,
    go: go::Packages,
    java: java::Packages,
    c: c::Includes,
}

impl Modules {
    /// The modules of an index. Manifests that name them are read below the root.
    #[must_use]
    pub fn new(live: &Live, root: &Root) -> Self {
        let entries = live.entries();
        let paths: Vec<String> = entries.iter().map(|entry| entry.path().to_owned()).collect();
        let languages: Vec<Language> = entries.iter().map(|entry| entry.language()).collect();
        let imports: Vec<Vec<Import>> = entries.iter().map(|entry| entry.imports()).collect();
        let numbers: FxHashMap<String, FileId> =
            (0..).zip(&paths).map(|(number, path)| (path.clone(), number)).collect();
        let configs = config::read(root, &paths);
        let mut modules = Self {
            rust: rust::Tree::default(),
            python: python::Names::new(&paths, &languages),
            script: script::Packages::new(&configs),
            go: go::Packages::new(&paths, &languages, &configs),
            java: java::Packages::new(&languages, &imports),
            c: c::Includes::new(&paths, &languages),
            paths,
            languages,
            imports,
            numbers,
        };
        modules.rust = rust::Tree::new(&modules, &configs);
        modules
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.paths.get(file as usize).map_or("", String::as_str)
    }

    /// The number of a file.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<FileId> {
        self.numbers.get(path).copied()
    }

    /// The language of a file.
    #[must_use]
    pub fn language(&self, file: FileId) -> Language {
        self.languages.get(file as usize).copied().unwrap_or(Language::C)
    }

    /// What a file imports.
    #[must_use]
    pub fn imports(&self, file: FileId) -> &[Import] {
        self.imports.get(file as usize).map_or(&[], Vec::as_slice)
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        0..u32::try_from(self.paths.len()).unwrap_or(u32::MAX)
    }

    /// The files whose names are visible in a file without an import: of its package.
    #[must_use]
    pub fn beside(&self, file: FileId) -> Vec<FileId> {
        match self.language(file) {
            Language::Go => self.go.beside(self, file),
            Language::Java => self.java.beside(self, file),
            _ => Vec::new(),
        }
    }
}

/// Resolves names by the modules and the definitions of an index.
pub struct Resolver<'r> {
    /// The modules.
    pub modules: &'r Modules,
    /// The definitions.
    pub live: &'r Live,
    /// The files, where the heads of types may be looked at.
    pub root: Option<&'r Root>,
}

impl<'r> Resolver<'r> {
    /// The file of a number.
    #[must_use]
    pub fn entry(&self, file: FileId) -> Option<Entry<'r>> {
        self.live.entry(self.modules.path(file))
    }

    fn defines(&self, file: FileId, name: &str) -> bool {
        self.entry(file).is_some_and(|entry| !entry.named(name).is_empty())
    }

    /// Which files a module is that is named in a file.
    fn place(&self, from: FileId, module: &str, steps: usize) -> Place {
        if steps == 0 {
            return Place::Unresolved;
        }
        let modules = self.modules;
        match modules.language(from) {
            Language::Rust => rust::place(self, from, module, steps),
            Language::Python => modules.python.place(modules, from, module),
            Language::TypeScript | Language::Tsx | Language::JavaScript => {
                modules.script.place(modules, from, module)
            }
            Language::Go => modules.go.place(modules, module),
            Language::Java => modules.java.place(self, module),
            Language::C | Language::Cpp => modules.c.place(modules, from, module),
        }
    }

    /// What an import of a file leads to.
    #[must_use]
    pub fn import(&self, from: FileId, import: &Import) -> Resolution {
        self.followed(from, import, MOST_STEPS, &mut FxHashSet::default())
    }

    fn followed(
        &self,
        from: FileId,
        import: &Import,
        steps: usize,
        seen: &mut FxHashSet<(FileId, String)>,
    ) -> Resolution {
        let place = match import.form {
            Form::Package => return Resolution::External,
            Form::System => match self.place(from, &import.module, steps) {
                Place::Unresolved => return Resolution::External,
                found => found,
            },
            Form::Child => return rust::child(self.modules, from, &import.item),
            Form::Module | Form::Item | Form::Wildcard | Form::Path => {
                self.place(from, &import.module, steps)
            }
        };
        let (files, name) = match place {
            Place::External => return Resolution::External,
            Place::Unresolved => return Resolution::Unresolved,
            Place::Files(files) => (files, import.item.clone()),
            Place::Inside(file, rest) => (vec![file], rest.into_iter().next().unwrap_or_default()),
        };
        if name.is_empty() {
            return Resolution::Known(
                files.into_iter().map(|file| Meaning { file, name: String::new() }).collect(),
            );
        }
        let mut found = BTreeSet::new();
        for file in &files {
            self.offered(*file, &name, steps - 1, seen, &mut found);
        }
        if found.is_empty()
            && let Some(file) = self.submodule(from, &import.module, &name)
        {
            found.insert(Meaning { file, name: String::new() });
        }
        if found.is_empty() { Resolution::Module(files) } else { Resolution::Known(found) }
    }

    /// A module that is imported as if it were a name of the one above it.
    fn submodule(&self, from: FileId, module: &str, name: &str) -> Option<FileId> {
        match self.modules.language(from) {
            Language::Python => {
                let joined = if module.ends_with('.') {
                    format!("{module}{name}")
                } else {
                    format!("{module}.{name}")
                };
                match self.modules.python.place(self.modules, from, &joined) {
                    Place::Files(files) => files.first().copied(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What a name of a file means for whoever imports it: a definition there, or what it passes on.
    fn offered(
        &self,
        file: FileId,
        name: &str,
        steps: usize,
        seen: &mut FxHashSet<(FileId, String)>,
        found: &mut BTreeSet<Meaning>,
    ) {
        if steps == 0 || !seen.insert((file, name.to_owned())) {
            return;
        }
        if self.modules.language(file) == Language::Rust
            && let Some(child) = self.modules.rust.child(file, name)
        {
            found.insert(Meaning { file: child, name: String::new() });
            return;
        }
        if self.defines(file, name) {
            found.insert(Meaning { file, name: name.to_owned() });
            return;
        }
        let imports = self.modules.imports(file).iter().filter(|import| import.is_reexport);
        for import in imports.clone().filter(|import| import.local == name) {
            if import.module == "." && matches!(import.form, Form::Item) && self.is_script(file) {
                self.own(file, &import.item, steps, seen, found);
            } else if let Resolution::Known(meanings) = self.followed(file, import, steps - 1, seen) {
                found.extend(meanings);
            }
        }
        if found.is_empty() {
            for import in imports.filter(|import| import.form == Form::Wildcard) {
                if let Place::Files(files) = self.place(file, &import.module, steps - 1) {
                    files.iter().for_each(|file| self.offered(*file, name, steps - 1, seen, found));
                }
            }
        }
    }

    /// Whether a file is TypeScript or JavaScript.
    #[must_use]
    pub fn is_script(&self, file: FileId) -> bool {
        matches!(self.modules.language(file), Language::TypeScript | Language::Tsx | Language::JavaScript)
    }

    /// What a file exports under another name: its own definition, or what it imported.
    fn own(
        &self,
        file: FileId,
        item: &str,
        steps: usize,
        seen: &mut FxHashSet<(FileId, String)>,
        found: &mut BTreeSet<Meaning>,
    ) {
        if self.defines(file, item) {
            found.insert(Meaning { file, name: item.to_owned() });
            return;
        }
        let imports = self.modules.imports(file).iter();
        for import in imports.filter(|import| import.local == item && import.module != ".") {
            if let Resolution::Known(meanings) = self.followed(file, import, steps - 1, seen) {
                found.extend(meanings);
            }
        }
    }

    /// Whether a file has the name of an outer definition of another one, and no definition of it of its own.
    fn names(&self, from: FileId, to: FileId) -> bool {
        let (Some(from), Some(to)) = (self.entry(from), self.entry(to)) else { return false };
        let outer = to.defs().into_iter().filter(|def| def.container.is_empty());
        let mut held = outer.filter(|def| from.holds(crate::facts::name_hash(def.name.as_bytes())));
        held.any(|def| !from.defines(def.name))
    }

    /// What a name means in a file by its imports; `None` where none of them binds it.
    #[must_use]
    pub fn imported(&self, file: FileId, name: &str) -> Option<Resolution> {
        let binds = |import: &&Import| {
            import.local == name
                && !matches!(import.form, Form::Path | Form::Package)
                && !import.local.is_empty()
                && (import.module != "." || !self.is_script(file))
        };
        let import = self.modules.imports(file).iter().find(binds)?;
        Some(self.import(file, import))
    }

    /// What a name means in a file by what it imports as a whole: the definitions that are found that way.
    #[must_use]
    pub fn by_wildcard(&self, file: FileId, name: &str) -> BTreeSet<Meaning> {
        let mut found = BTreeSet::new();
        let mut seen = FxHashSet::default();
        let wild = self.modules.imports(file).iter().filter(|import| import.form == Form::Wildcard);
        for import in wild {
            if let Place::Files(files) = self.place(file, &import.module, MOST_STEPS) {
                for other in files.iter().filter(|other| **other != file) {
                    self.offered(*other, name, MOST_STEPS, &mut seen, &mut found);
                }
            }
        }
        for other in self.modules.beside(file) {
            if self.defines(other, name) {
                found.insert(Meaning { file: other, name: name.to_owned() });
            }
        }
        found
    }

    /// Where a name behind a path leads to: `module::name`, `package.name`.
    #[must_use]
    pub fn behind(&self, from: FileId, module: &str, name: &str) -> Resolution {
        let import = Import {
            form: Form::Item,
            module: module.to_owned(),
            item: name.to_owned(),
            local: String::new(),
            is_reexport: false,
            line: 0,
        };
        self.import(from, &import)
    }

    /// Where a name of a file that is a module leads to.
    #[must_use]
    pub fn member(&self, file: FileId, name: &str) -> BTreeSet<Meaning> {
        let mut found = BTreeSet::new();
        self.offered(file, name, MOST_STEPS, &mut FxHashSet::default(), &mut found);
        found
    }
}

/// The directory of a path; empty for a file of the root.
fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A path below a directory, with `.` and `..` carried out; `None` where it leads above the root.
fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
pub(crate) mod tests;
