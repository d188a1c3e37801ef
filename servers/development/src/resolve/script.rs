//! Modules of TypeScript and JavaScript: by path, by `paths` of `tsconfig.json`, by packages of the repository.

use super::config::{Configs, Npm, Paths};
use super::{FileId, Modules, Place, directory, join};

/// What can be left out of a module's name.
const ENDS: [&str; 16] = [
    "",
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mts",
    ".cts",
    ".mjs",
    ".cjs",
    "/index.ts",
    "/index.tsx",
    "/index.d.ts",
    "/index.js",
    "/index.jsx",
    "/index.mjs",
];

/// The packages of the repository and the names that configurations give.
pub(super) struct Packages {
    npm: Vec<Npm>,
    paths: Vec<Paths>,
}

impl Packages {
    pub(super) fn new(configs: &Configs) -> Self {
        Self { npm: configs.npm.clone(), paths: configs.paths.clone() }
    }

    /// The module of a name, as seen from a file.
    pub(super) fn place(&self, modules: &Modules, from: FileId, name: &str) -> Place {
        let at = directory(modules.path(from));
        if name.starts_with('.') {
            let file = join(at, name).and_then(|path| file(modules, &path));
            return file.map_or(Place::Unresolved, |file| Place::Files(vec![file]));
        }
        let own = self.paths.iter().filter(|paths| is_within(at, &paths.directory));
        if let Some(paths) = own.max_by_key(|paths| paths.directory.len())
            && let Some(file) = by_paths(modules, paths, name)
        {
            return Place::Files(vec![file]);
        }
        match self.npm.iter().find(|npm| name == npm.name || name.starts_with(&format!("{}/", npm.name))) {
            Some(npm) => by_package(modules, npm, name),
            None => Place::External,
        }
    }
}

fn is_within(path: &str, directory: &str) -> bool {
    directory.is_empty() || path == directory || path.starts_with(&format!("{directory}/"))
}

/// The file of a path without its end; a compiled name stands for its source.
fn file(modules: &Modules, path: &str) -> Option<FileId> {
    let direct = ENDS.iter().find_map(|end| modules.number(&format!("{path}{end}")));
    direct.or_else(|| {
        let sources = [
            (".js", &[".ts", ".tsx", ".d.ts"][..]),
            (".jsx", &[".tsx"]),
            (".mjs", &[".mts"]),
            (".cjs", &[".cts"]),
        ];
        let (stem, ends) = sources.iter().find_map(|(end, ends)| Some((path.strip_suffix(end)?, ends)))?;
        ends.iter().find_map(|end| modules.number(&format!("{stem}{end}")))
    })
}

fn by_paths(modules: &Modules, paths: &Paths, name: &str) -> Option<FileId> {
    for (pattern, targets) in &paths.names {
        let inner = match pattern.split_once('*') {
            Some((before, after)) => name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)),
            None => (name == pattern).then_some(""),
        };
        let Some(inner) = inner else { continue };
        if let Some(found) = targets.iter().find_map(|target| file(modules, &target.replace('*', inner))) {
            return Some(found);
        }
    }
    let base = paths.base.as_ref()?;
    file(modules, &join(base, name)?)
}

fn by_package(modules: &Modules, npm: &Npm, name: &str) -> Place {
    let rest = name[npm.name.len()..].trim_start_matches('/');
    let below = |path: &str| join(&npm.directory, path);
    let candidates: Vec<String> = if rest.is_empty() {
        let said = npm.entries.iter().filter_map(|entry| below(entry));
        said.chain([below("src/index"), below("index")].into_iter().flatten()).collect()
    } else {
        [below(rest), below(&format!("src/{rest}"))].into_iter().flatten().collect()
    };
    let found = candidates.iter().find_map(|path| file(modules, path));
    found.map_or(Place::Unresolved, |file| Place::Files(vec![file]))
}
