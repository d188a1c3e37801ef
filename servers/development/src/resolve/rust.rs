//! Modules of Rust: files by `mod`, paths by `crate`, `self`, `super`, crates of the workspace and imports.

use mcp_source::Language;
use mcp_source::symbols::Kind;
use rustc_hash::FxHashMap;

use super::config::Configs;
use super::{FileId, Meaning, Modules, Place, Resolution, Resolver, directory};
use crate::facts::{Form, Import};

/// Which file is a module of which.
#[derive(Default)]
pub(super) struct Tree {
    parents: FxHashMap<FileId, FileId>,
    children: FxHashMap<(FileId, String), FileId>,
    /// The roots of libraries, by the names that code uses.
    crates: FxHashMap<String, FileId>,
}

impl Tree {
    pub(super) fn new(modules: &Modules, configs: &Configs) -> Self {
        let mut tree = Self::default();
        for file in modules.files().filter(|file| modules.language(*file) == Language::Rust) {
            for import in modules.imports(file).iter().filter(|import| import.form == Form::Child) {
                if let Some(child) = child_file(modules, file, &import.item) {
                    tree.parents.insert(child, file);
                    tree.children.insert((file, import.item.clone()), child);
                }
            }
        }
        for found in &configs.crates {
            if let Some(file) = modules.number(&found.library) {
                tree.crates.insert(found.name.clone(), file);
            }
        }
        tree
    }

    pub(super) fn child(&self, file: FileId, name: &str) -> Option<FileId> {
        self.children.get(&(file, name.to_owned())).copied()
    }

    fn root(&self, file: FileId) -> FileId {
        let mut at = file;
        // A file that names itself as its module would lead round.
        for _ in 0..256 {
            match self.parents.get(&at) {
                Some(parent) => at = *parent,
                None => break,
            }
        }
        at
    }
}

/// The file of `mod name;`: beside a root of a crate or a `mod.rs`, else in the directory named as the file.
fn child_file(modules: &Modules, file: FileId, name: &str) -> Option<FileId> {
    let path = modules.path(file);
    let at = directory(path);
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    let beside = at.to_owned();
    let own = if at.is_empty() { stem.to_owned() } else { format!("{at}/{stem}") };
    let places = if matches!(stem, "mod" | "lib" | "main" | "build") { [beside, own] } else { [own, beside] };
    places.iter().find_map(|place| {
        let before = if place.is_empty() { String::new() } else { format!("{place}/") };
        let found = [format!("{before}{name}.rs"), format!("{before}{name}/mod.rs")];
        found.iter().find_map(|path| modules.number(path)).filter(|found| *found != file)
    })
}

pub(super) fn child(modules: &Modules, from: FileId, name: &str) -> Resolution {
    match modules.rust.child(from, name) {
        Some(file) => Resolution::Known([Meaning { file, name: String::new() }].into()),
        None => Resolution::Unresolved,
    }
}

/// Where a path leads that is written in a file.
pub(super) fn place(resolver: &Resolver<'_>, from: FileId, path: &str, steps: usize) -> Place {
    let tree = &resolver.modules.rust;
    let mut parts = path.split("::").filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return Place::Files(vec![from]) };
    let rest: Vec<&str> = parts.collect();
    match first {
        "crate" | "$crate" => onward(resolver, tree.root(from), &rest, steps),
        "self" => onward(resolver, from, &rest, steps),
        "super" => match tree.parents.get(&from) {
            Some(parent) => onward(resolver, *parent, &rest, steps),
            None => Place::Unresolved,
        },
        "std" | "core" | "alloc" => Place::External,
        name => by_name(resolver, from, name, &rest, steps),
    }
}

/// A path that begins with a name: a module below this file, an import of it, a module inside it, a crate.
fn by_name(resolver: &Resolver<'_>, from: FileId, name: &str, rest: &[&str], steps: usize) -> Place {
    let tree = &resolver.modules.rust;
    if let Some(child) = tree.child(from, name) {
        return onward(resolver, child, rest, steps);
    }
    let binds = |import: &&Import| {
        import.local == name
            && import.form == Form::Item
            && !(import.item == name && import.module.is_empty())
    };
    if let Some(import) = resolver.modules.imports(from).iter().find(binds) {
        let path = if import.module.is_empty() {
            import.item.clone()
        } else {
            format!("{}::{}", import.module, import.item)
        };
        let whole = rest.iter().fold(path, |path, part| format!("{path}::{part}"));
        return if steps > 1 { place(resolver, from, &whole, steps - 1) } else { Place::Unresolved };
    }
    if is_inline(resolver, from, name) {
        return onward(resolver, from, &[&[name], rest].concat(), steps);
    }
    match tree.crates.get(name) {
        Some(library) => onward(resolver, *library, rest, steps),
        None => Place::External,
    }
}

fn is_inline(resolver: &Resolver<'_>, file: FileId, name: &str) -> bool {
    let entry = resolver.entry(file);
    entry.is_some_and(|entry| {
        entry.named(name).iter().any(|def| def.kind == Kind::Module && !def.is_declaration)
    })
}

/// Follows a path from a file.
fn onward(resolver: &Resolver<'_>, file: FileId, path: &[&str], steps: usize) -> Place {
    let tree = &resolver.modules.rust;
    let mut at = file;
    let mut place = 0;
    while let Some(part) = path.get(place) {
        place += 1;
        if *part == "super" {
            match tree.parents.get(&at) {
                Some(parent) => at = *parent,
                None => return Place::Unresolved,
            }
        } else if let Some(child) = tree.child(at, part) {
            at = child;
        } else if is_inline(resolver, at, part) {
            // What lies in it is in the same file, under a name that is looked for there.
        } else if resolver.entry(at).is_some_and(|entry| !entry.named(part).is_empty()) {
            return Place::Inside(at, path[place - 1..].iter().map(|part| (*part).to_owned()).collect());
        } else {
            return passed_on(resolver, at, &path[place - 1..], steps);
        }
    }
    Place::Files(vec![at])
}

/// A part of a path that a file passes on from elsewhere (`pub use`).
fn passed_on(resolver: &Resolver<'_>, file: FileId, path: &[&str], steps: usize) -> Place {
    if steps <= 1 {
        return Place::Unresolved;
    }
    let binds = |import: &&Import| import.local == path[0] && import.form == Form::Item && import.is_reexport;
    if let Some(import) = resolver.modules.imports(file).iter().find(binds) {
        let start = if import.module.is_empty() {
            import.item.clone()
        } else {
            format!("{}::{}", import.module, import.item)
        };
        let whole = path[1..].iter().fold(start, |whole, part| format!("{whole}::{part}"));
        return match place(resolver, file, &whole, steps - 1) {
            Place::External => Place::External,
            found => found,
        };
    }
    // A macro may make it, or a wildcard bring it.
    Place::Inside(file, path.iter().map(|part| (*part).to_owned()).collect())
}
