//! Modules of Python: by the packages that directories are, and by the directories that programs run in.

use mcp_source::Language;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{FileId, Modules, Place, directory};

/// Modules by their dotted names.
pub(super) struct Names {
    files: FxHashMap<String, Vec<FileId>>,
    /// The first parts of all names.
    tops: FxHashSet<String>,
}

impl Names {
    pub(super) fn new(paths: &[String], languages: &[Language]) -> Self {
        let is_python = |place: &usize| languages[*place] == Language::Python;
        let packages: FxHashSet<&str> = paths
            .iter()
            .filter_map(|path| path.strip_suffix("__init__.py").or_else(|| path.strip_suffix("__init__.pyi")))
            .map(|path| path.trim_end_matches('/'))
            .collect();
        let mut names = Self { files: FxHashMap::default(), tops: FxHashSet::default() };
        for place in (0..paths.len()).filter(is_python) {
            let path = paths[place].trim_end_matches(".pyi").trim_end_matches(".pyw").trim_end_matches(".py");
            let file = u32::try_from(place).unwrap_or(u32::MAX);
            let path = path.strip_suffix("__init__").map_or(path, |path| path.trim_end_matches('/'));
            for start in starts(&paths[place], &packages) {
                let below = path.strip_prefix(&start).unwrap_or(path).trim_start_matches('/');
                if !below.is_empty() {
                    names.add(&below.replace('/', "."), file);
                }
            }
        }
        names
    }

    fn add(&mut self, name: &str, file: FileId) {
        let files = self.files.entry(name.to_owned()).or_default();
        if !files.contains(&file) {
            files.push(file);
        }
        self.tops.insert(name.split('.').next().unwrap_or(name).to_owned());
    }

    /// The module of a name, as seen from a file.
    pub(super) fn place(&self, modules: &Modules, from: FileId, name: &str) -> Place {
        if name.starts_with('.') {
            return relative(modules, from, name);
        }
        if let Some(files) = self.files.get(name) {
            return Place::Files(nearest(modules, from, files));
        }
        // `import package.thing` where thing is not a module.
        let top = name.split('.').next().unwrap_or(name);
        let is_own = self.tops.contains(top) && self.files.get(top).is_some_and(|files| !files.is_empty());
        if is_own { Place::Unresolved } else { Place::External }
    }
}

/// The directories that the name of a module may begin in: the root, `src`, and the one that holds its outermost package.
fn starts(path: &str, packages: &FxHashSet<&str>) -> Vec<String> {
    let mut at = directory(path);
    while packages.contains(at) && !at.is_empty() {
        at = directory(at);
    }
    let mut starts = vec![String::new(), at.to_owned()];
    if path.starts_with("src/") {
        starts.push("src".to_owned());
    }
    starts.sort();
    starts.dedup();
    starts
}

/// Of modules of one name those that share the longest path with the file that asks; a stub goes with its module.
fn nearest(modules: &Modules, from: FileId, files: &[FileId]) -> Vec<FileId> {
    let own = modules.path(from);
    let shared = |file: &FileId| {
        let parts = modules.path(*file).split('/').zip(own.split('/'));
        parts.take_while(|(a, b)| a == b).count()
    };
    let most = files.iter().map(shared).max().unwrap_or_default();
    let best: Vec<FileId> = files.iter().copied().filter(|file| shared(file) == most).collect();
    // Several in one distance: which one is loaded is up to how the program is started.
    let stems: FxHashSet<&str> = best.iter().map(|file| modules.path(*file).trim_end_matches('i')).collect();
    if stems.len() > 1 { Vec::new() } else { best }
}

fn relative(modules: &Modules, from: FileId, name: &str) -> Place {
    let dots = name.bytes().take_while(|byte| *byte == b'.').count();
    let mut at = directory(modules.path(from)).to_owned();
    for _ in 1..dots {
        if at.is_empty() {
            return Place::Unresolved;
        }
        at = directory(&at).to_owned();
    }
    let rest = name[dots..].replace('.', "/");
    let path = match (at.is_empty(), rest.is_empty()) {
        (true, _) => rest,
        (false, true) => at,
        (false, false) => format!("{at}/{rest}"),
    };
    let join = |end: &str| {
        if path.is_empty() { end.trim_start_matches('/').to_owned() } else { format!("{path}{end}") }
    };
    let ends = [".py", ".pyi", "/__init__.py", "/__init__.pyi"];
    let files: Vec<FileId> = ends.iter().filter_map(|end| modules.number(&join(end))).collect();
    match files.first() {
        Some(_) => Place::Files(files),
        // A package without a file of its own, in which modules may lie.
        None => Place::Unresolved,
    }
}
