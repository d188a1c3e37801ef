//! What imports what, in Python and JavaScript: read from the lines that say so, not from a syntax tree, because all
//! files of a tree are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use mcp_source::Language;
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

/// A file of code.
pub struct Source<'a> {
    /// Relative to the root.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What imports what.
#[derive(Clone, Debug, Default)]
pub struct Imports {
    /// Who imports a file.
    importers: BTreeMap<String, BTreeSet<String>>,
    /// Files that import by a computed name.
    dynamic: usize,
    /// File names that stand in code as texts.
    named: FxHashSet<String>,
    /// All files of code.
    paths: BTreeSet<String>,
}

static PYTHON_IMPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+([^\n#]+))",
    )
    .ok()
});
static PYTHON_DYNAMIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:import_module|__import__)\([ \t]*[^'\x22 \t)]").ok());
static SCRIPT_IMPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?:\bfrom[ \t\n]*|\bimport[ \t\n]*\(?[ \t\n]*|\brequire[ \t]*\([ \t]*)['"](\.[^'"\n]*)['"]"#,
    )
    .ok()
});
static SCRIPT_DYNAMIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:import|require)[ \t]*\([ \t]*[^'\x22 \t)]").ok());
static FILE_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\w.-]+\.(?:md|rst|adoc)\b|LICENSE[\w.-]*|AUTHORS|NOTICE").ok());

impl Imports {
    /// Reads the files of a tree. `gone` are paths that are not there any more, or that cannot be read: others may
    /// still import them.
    #[must_use]
    pub fn read<'a>(
        sources: impl IntoIterator<Item = Source<'a>>,
        gone: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let sources: Vec<Source<'a>> = sources.into_iter().collect();
        let modules = Modules::new(sources.iter().map(|source| source.path).chain(gone));
        let paths = modules.paths.iter().map(|path| (*path).to_owned()).collect();
        let mut imports = Self { paths, ..Self::default() };
        for source in &sources {
            let language = Language::of_path(source.path.as_ref());
            let (targets, is_dynamic) = match language {
                Some(Language::Python) => (python(source, &modules), is_match(&PYTHON_DYNAMIC, source.text)),
                Some(Language::JavaScript | Language::TypeScript | Language::Tsx) => {
                    (script(source, &modules), is_match(&SCRIPT_DYNAMIC, source.text))
                }
                _ => (BTreeSet::new(), false),
            };
            imports.dynamic += usize::from(is_dynamic);
            for target in targets {
                imports.importers.entry(target).or_default().insert(source.path.to_owned());
            }
            if let Some(names) = FILE_NAME.as_ref() {
                imports.named.extend(names.find_iter(source.text).map(|name| name.as_str().to_owned()));
            }
        }
        imports
    }

    /// The files that depend on any of these, directly or through others, with these. Whatever lies below a
    /// `conftest.py` depends on it, and a package on its `__init__.py`. What imports a file that is gone cannot be
    /// loaded itself, so a package whose `__init__.py` does is lost as a whole.
    #[must_use]
    pub fn dependents<'a>(
        &'a self,
        changed: impl IntoIterator<Item = &'a str>,
        gone: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let (gone, changed) = (gone.into_iter(), changed.into_iter());
        let mut waiting: Vec<(&str, bool)> =
            changed.map(|file| (file, false)).chain(gone.map(|file| (file, true))).collect();
        let seeds: BTreeSet<&str> = waiting.iter().map(|(file, _)| *file).collect();
        // Whether a file is lost is followed by itself: it reaches more.
        let mut found: BTreeSet<(&str, bool)> = BTreeSet::new();
        while let Some((file, is_lost)) = waiting.pop() {
            if !found.insert((file, is_lost)) {
                continue;
            }
            let importers = self.importers.get(file).into_iter().flatten();
            waiting.extend(importers.map(|file| (file.as_str(), is_lost)));
            let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
            let is_shared = match name {
                "conftest.py" => true,
                "__init__.py" => is_lost || seeds.contains(file),
                _ => false,
            };
            if is_shared {
                waiting.extend(self.below(directory).map(|file| (file, is_lost)));
            }
        }
        found.into_iter().map(|(file, _)| file).collect()
    }

    fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = &'a str> {
        let start = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let from = self.paths.range(start.clone()..).map(String::as_str);
        from.take_while(move |path| path.starts_with(start.as_str()))
    }

    /// How many files import by names that are computed.
    #[must_use]
    pub fn dynamic(&self) -> usize {
        self.dynamic
    }

    /// Whether code names a file that is prose.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        self.named.contains(path.rsplit('/').next().unwrap_or(path))
    }
}

fn is_match(regex: &LazyLock<Option<Regex>>, text: &str) -> bool {
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// The files of a tree by the names that they are imported by.
struct Modules<'a> {
    paths: FxHashSet<&'a str>,
    /// Python files by the last part of their module's name.
    python: FxHashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Modules<'a> {
    fn new(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut modules = Self { paths: FxHashSet::default(), python: FxHashMap::default() };
        for path in paths {
            if !modules.paths.insert(path) {
                continue;
            }
            if let Some(module) = python_module(path) {
                modules.python.entry(module.rsplit('/').next().unwrap_or(module)).or_default().push(path);
            }
        }
        modules
    }

    /// The files that a dotted name may mean: those whose path ends with it. Several are all taken, so that none is
    /// missed.
    fn absolute(&self, dotted: &str) -> Vec<&'a str> {
        let wanted = dotted.replace('.', "/");
        let Some(last) = wanted.rsplit('/').next() else { return Vec::new() };
        let fits = |path: &&&str| {
            python_module(path).is_some_and(|module| {
                module == wanted
                    || module.strip_suffix(wanted.as_str()).is_some_and(|rest| rest.ends_with('/'))
            })
        };
        self.python.get(last).into_iter().flatten().filter(fits).copied().collect()
    }

    fn file(&self, path: &str) -> Option<&'a str> {
        self.paths.get(path).copied()
    }
}

/// The path of a module: without its ending, and without that of the file of a package.
fn python_module(path: &str) -> Option<&str> {
    let module = path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyi"))?;
    Some(module.strip_suffix("/__init__").unwrap_or(module))
}

fn python(source: &Source<'_>, modules: &Modules<'_>) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    let Some(regex) = PYTHON_IMPORT.as_ref() else { return targets };
    let directory: Vec<&str> = {
        let mut parts: Vec<&str> = source.path.split('/').collect();
        parts.pop();
        parts
    };
    for found in regex.captures_iter(source.text) {
        if let Some(names) = found.get(3) {
            for name in names.as_str().split(',').filter_map(|name| name.split_whitespace().next()) {
                // Importing a.b runs a too.
                for (end, _) in name.match_indices('.').chain(std::iter::once((name.len(), ""))) {
                    targets.extend(modules.absolute(&name[..end]).into_iter().map(str::to_owned));
                }
            }
            continue;
        }
        let (Some(from), Some(names)) = (found.get(1), found.get(2)) else { continue };
        let from = from.as_str();
        let dots = from.bytes().take_while(|byte| *byte == b'.').count();
        let names = names.as_str().trim_matches(['(', ')']).split(',');
        let names = names.filter_map(|name| name.split_whitespace().next());
        if dots == 0 {
            targets.extend(modules.absolute(from).into_iter().map(str::to_owned));
            for name in names {
                targets.extend(modules.absolute(&format!("{from}.{name}")).into_iter().map(str::to_owned));
            }
            continue;
        }
        let Some(depth) = (directory.len() + 1).checked_sub(dots) else { continue };
        let mut base: Vec<&str> = directory[..depth].to_vec();
        base.extend(from[dots..].split('.').filter(|part| !part.is_empty()));
        let base = base.join("/");
        let mut candidates = vec![base.clone()];
        candidates.extend(
            names.map(|name| if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") }),
        );
        for candidate in candidates {
            for path in [format!("{candidate}.py"), format!("{candidate}/__init__.py")] {
                targets.extend(modules.file(&path).map(str::to_owned));
            }
        }
    }
    targets
}

fn script(source: &Source<'_>, modules: &Modules<'_>) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    let Some(regex) = SCRIPT_IMPORT.as_ref() else { return targets };
    for found in regex.captures_iter(source.text) {
        let Some(target) = found.get(1) else { continue };
        let mut parts: Vec<&str> = source.path.split('/').collect();
        parts.pop();
        for part in target.as_str().split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let base = parts.join("/");
        // A file that is compiled is imported by the name that it will have.
        let stem = base.strip_suffix(".js").or_else(|| base.strip_suffix(".mjs")).unwrap_or(&base);
        let endings =
            ["", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js"];
        let candidates = endings.iter().flat_map(|end| [format!("{base}{end}"), format!("{stem}{end}")]);
        targets.extend(candidates.filter_map(|path| modules.file(&path)).map(str::to_owned));
    }
    targets
}
