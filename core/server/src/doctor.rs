//! What this machine offers to a server, in a table for people.

use std::fmt::Write as _;
use std::path::Path;

use crate::options::Options;
use crate::server::About;

/// One thing that a server needs or can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What was found.
    pub found: String,
    /// How to get it, where it is missing.
    pub remedy: Option<String>,
}

impl Fact {
    /// Something that is there.
    #[must_use]
    pub fn good(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), found: found.into(), remedy: None }
    }

    /// Something that is missing, and how to get it.
    #[must_use]
    pub fn missing(name: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// What concerns all servers.
#[must_use]
pub fn facts(about: &About, options: &Options) -> Vec<Fact> {
    let mut facts = vec![
        Fact::good(about.name, about.version),
        Fact::good("protocol", "2024-11-05 to 2026-07-28, on stdio and Streamable HTTP"),
        first_line("/proc/sys/kernel/osrelease").map_or_else(
            || Fact::missing("kernel", "unknown", "mount /proc"),
            |release| Fact::good("kernel", release),
        ),
        state(about, options),
    ];
    facts.extend(options.roots.iter().map(|root| {
        let name = format!("root {}", root.display());
        if root.is_dir() {
            Fact::good(name, "a directory")
        } else {
            Fact::missing(name, "not a directory", "give a directory that is there")
        }
    }));
    facts
}

fn first_line(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()?.lines().next().map(str::to_owned)
}

fn state(about: &About, options: &Options) -> Fact {
    let Some(folder) = options.state_dir(about.name) else {
        return Fact::good("state", "none is kept");
    };
    let shown = folder.display().to_string();
    // The directory itself may not be there yet: what counts is the nearest one that is.
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(&folder);
    match there.metadata() {
        Ok(metadata) if metadata.is_dir() && !metadata.permissions().readonly() => Fact::good("state", shown),
        _ => Fact::missing(
            "state",
            format!("{shown} cannot be made"),
            "choose another directory with --state, or `none`",
        ),
    }
}

/// Where a program is, by the directories of `PATH`.
#[must_use]
pub fn program(name: &str, remedy: &str) -> Fact {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    match found {
        Some(path) => Fact::good(name, path.display().to_string()),
        None => Fact::missing(name, "not found", remedy),
    }
}

/// The facts as lines: a mark, the name, what was found, the remedy.
#[must_use]
pub fn table(facts: &[Fact]) -> String {
    let width = facts.iter().map(|fact| fact.name.chars().count()).max().unwrap_or_default();
    let mut table = String::new();
    for Fact { name, found, remedy } in facts {
        let mark = if remedy.is_some() { '!' } else { ' ' };
        write!(table, "{mark} {name:width$}  {found}").expect("writing to a string cannot fail");
        if let Some(remedy) = remedy {
            write!(table, ": {remedy}").expect("writing to a string cannot fail");
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_marked_and_has_a_remedy() {
        let facts = [
            Fact::good("git", "/usr/bin/git"),
            Fact::missing("valgrind", "not found", "apt install valgrind"),
        ];
        assert_eq!(table(&facts), "  git       /usr/bin/git\n! valgrind  not found: apt install valgrind\n");
    }

    #[test]
    fn programs_are_found_by_name() {
        assert_eq!(program("sh", "").remedy, None);
        assert_eq!(program("no-such-program", "make it").remedy.as_deref(), Some("make it"));
    }
}
