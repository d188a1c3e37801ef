//! The packages of a Cargo workspace and which are built from which, read from their manifests.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// The packages of a tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packages {
    /// Name by directory.
    names: BTreeMap<String, String>,
    /// Who is built from a package, by its directory.
    dependents: BTreeMap<String, BTreeSet<String>>,
    /// Whose tests alone are.
    test_dependents: BTreeMap<String, BTreeSet<String>>,
}

impl Packages {
    /// Reads the manifests of a tree: path and text of each. Malformed ones are left out.
    #[must_use]
    pub fn read<'a>(manifests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let tables: BTreeMap<String, Table> = manifests
            .into_iter()
            .filter_map(|(path, text)| {
                let directory = path.strip_suffix("Cargo.toml")?.trim_end_matches('/').to_owned();
                Some((directory, text.parse::<Table>().ok()?))
            })
            .collect();
        let mut packages = Self::default();
        // Paths that members inherit.
        let mut shared: BTreeMap<String, String> = BTreeMap::new();
        for (directory, table) in &tables {
            if let Some(name) = text(table, &["package", "name"]) {
                packages.names.insert(directory.clone(), name.to_owned());
            }
            let inherited = table.get("workspace").and_then(|workspace| workspace.get("dependencies"));
            for (name, dependency) in inherited.and_then(Value::as_table).into_iter().flatten() {
                if let Some(path) = dependency.get("path").and_then(Value::as_str) {
                    shared.insert(name.clone(), joined(directory, path));
                }
            }
        }
        for (directory, table) in &tables {
            let targets = table.get("target").and_then(Value::as_table);
            let of_targets =
                targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
            for table in std::iter::once(table).chain(of_targets) {
                for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
                    for (name, dependency) in table.get(kind).and_then(Value::as_table).into_iter().flatten()
                    {
                        let path = match dependency.get("path").and_then(Value::as_str) {
                            Some(path) => joined(directory, path),
                            None => match shared.get(name) {
                                Some(path) => path.clone(),
                                None => continue,
                            },
                        };
                        let list = match kind {
                            "dev-dependencies" => &mut packages.test_dependents,
                            _ => &mut packages.dependents,
                        };
                        list.entry(path).or_default().insert(directory.clone());
                    }
                }
            }
        }
        packages
    }

    /// The names of all packages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }

    /// The packages whose tests depend on files: those that hold them, and those that are built from these.
    #[must_use]
    pub fn affected<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut built: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: Vec<&str> = files.into_iter().filter_map(|file| self.holding(file)).collect();
        while let Some(directory) = waiting.pop() {
            if built.insert(directory) {
                waiting.extend(self.dependents.get(directory).into_iter().flatten().map(String::as_str));
            }
        }
        let tests = built.iter().filter_map(|directory| self.test_dependents.get(*directory)).flatten();
        let all: BTreeSet<&str> = tests.map(String::as_str).chain(built.iter().copied()).collect();
        all.into_iter().filter_map(|directory| self.names.get(directory).cloned()).collect()
    }

    /// The directory of the package that a file belongs to: the innermost one.
    fn holding(&self, file: &str) -> Option<&str> {
        let holds = |directory: &str| {
            directory.is_empty() || file.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
        };
        let holding = self.names.keys().map(String::as_str).filter(|directory| holds(directory));
        holding.max_by_key(|directory| directory.len())
    }
}

fn text<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a str> {
    let (first, rest) = keys.split_first()?;
    let mut value = table.get(*first)?;
    for key in rest {
        value = value.get(key)?;
    }
    value.as_str()
}

/// A path from a directory, without `..`.
fn joined(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
