//! The commands that are known: curated, parameterised, typed, and each tried on a fixture.
//!
//! The text lies in `catalogue/*.toml` and is compiled in. Reading it checks it: a template whose
//! parameters are not all declared, used and safely placed is refused with a sentence, so that nothing
//! that a person says can change what a command does beyond the values of its parameters.

mod entry;
mod facts;
mod fill;
mod forms;
mod kind;
mod quote;
mod template;

pub use entry::{Entry, Exit, Needs, Parameter, Risk};
pub use fill::Filled;
pub use kind::Kind;
pub use quote::quoted;
pub use template::Template;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use thiserror::Error;

use crate::catalogue::entry::RawEntry;

/// The name and text of each file that is compiled in; a file is an area.
const FILES: &[(&str, &str)] = &[
    ("archives", include_str!("../catalogue/archives.toml")),
    ("build", include_str!("../catalogue/build.toml")),
    ("data", include_str!("../catalogue/data.toml")),
    ("disk", include_str!("../catalogue/disk.toml")),
    ("docker", include_str!("../catalogue/docker.toml")),
    ("files", include_str!("../catalogue/files.toml")),
    ("find", include_str!("../catalogue/find.toml")),
    ("git", include_str!("../catalogue/git.toml")),
    ("logs", include_str!("../catalogue/logs.toml")),
    ("network", include_str!("../catalogue/network.toml")),
    ("packages", include_str!("../catalogue/packages.toml")),
    ("permissions", include_str!("../catalogue/permissions.toml")),
    ("processes", include_str!("../catalogue/processes.toml")),
    ("security", include_str!("../catalogue/security.toml")),
    ("shell", include_str!("../catalogue/shell.toml")),
    ("system", include_str!("../catalogue/system.toml")),
    ("text", include_str!("../catalogue/text.toml")),
    ("time", include_str!("../catalogue/time.toml")),
    ("transfer", include_str!("../catalogue/transfer.toml")),
    ("users", include_str!("../catalogue/users.toml")),
];

/// What is wrong with the text of a catalogue.
#[derive(Debug, Error)]
#[error("{file}.toml: {what}")]
pub struct CatalogueError {
    /// The file without its ending.
    pub file: String,
    /// One sentence: what is wrong, and where.
    pub what: String,
}

/// A value that a parameter cannot take.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{parameter}: {what}")]
pub struct ParameterError {
    /// The name of the parameter.
    pub parameter: String,
    /// What is wrong with the value, and what would be right.
    pub what: String,
}

/// Entries in the order of their files.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
    by_id: BTreeMap<String, usize>,
}

/// What no two entries may have in common.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Mark {
    Says,
    Template,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    command: Vec<RawEntry>,
}

impl Catalogue {
    /// The catalogue that is compiled in, read once.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue::parse(FILES).expect("the compiled-in catalogue is valid, as a test shows")
        });
        &SHIPPED
    }

    /// Reads and checks files, each a name (the area) with its text.
    ///
    /// # Errors
    /// If a text is not TOML of the expected form, an entry is not sound, or two entries have one id, one
    /// description or the same template but for the names of its parameters.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let mut catalogue = Self { entries: Vec::new(), by_id: BTreeMap::new() };
        let mut seen = BTreeMap::new();
        for (area, text) in files {
            let error = |what: String| CatalogueError { file: (*area).to_owned(), what };
            let file: File = toml::from_str(text).map_err(|e| error(e.to_string()))?;
            for raw in file.command {
                let entry = Entry::new(area, raw).map_err(error)?;
                catalogue.add(entry, &mut seen).map_err(error)?;
            }
        }
        Ok(catalogue)
    }

    fn add(&mut self, entry: Entry, seen: &mut BTreeMap<(Mark, String), String>) -> Result<(), String> {
        let says = entry.says.iter().map(|says| (Mark::Says, says.to_lowercase()));
        for (mark, text) in says.chain([(Mark::Template, entry.template.normalised())]) {
            if let Some(other) = seen.insert((mark, text.clone()), entry.id.clone()) {
                return Err(format!("`{}` says the same as `{other}`: {text}", entry.id));
            }
        }
        if self.by_id.insert(entry.id.clone(), self.entries.len()).is_some() {
            return Err(format!("`{}` is the id of two entries", entry.id));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with an id.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id).map(|at| &self.entries[*at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Catalogue::parse(&[("area", text)]).unwrap_err().to_string()
    }

    const GOOD: &str = r#"
        [[command]]
        id = "show"
        template = "cat -- {file}"
        says = ["show a file"]
        risk = "none"
        parameters.file = { type = "file", example = "a.txt" }
    "#;

    #[test]
    fn a_sound_entry_is_read() {
        let catalogue = Catalogue::parse(&[("area", GOOD)]).unwrap();
        let entry = catalogue.get("show").unwrap();
        assert_eq!((entry.area.as_str(), entry.program()), ("area", "cat"));
        assert_eq!(entry.example(), "cat -- a.txt");
        assert!(catalogue.get("other").is_none());
    }

    #[test]
    fn unsound_entries_are_refused_with_a_sentence() {
        for (from, to, expected) in [
            ("{file}", "{other}", "`show` uses {other}, which is not declared"),
            ("-- {file}", "x", "`show` declares {file}, which its template does not use"),
            (
                "-- {file}",
                "'{file}'",
                "`show` has {file} inside quotes, where a file would have to be escaped",
            ),
            ("-- {file}", "\\\"{file}\\\"", "`show` has {file} inside double quotes; leave it unquoted"),
            ("-- {file}", "'{file}", "`show` has an open quote in its template"),
            ("example = \"a.txt\"", "example = \"\"", "`show` has an example for {file} that it refuses"),
            ("\"show a file\"", "", "`show` is not described"),
            ("type = \"file\"", "type = \"thing\"", "unknown variant `thing`"),
            ("risk = \"none\"", "danger = 1", "unknown field `danger`"),
            ("\"show\"", "\"Show it\"", "an id is lower-case words with hyphens"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            assert!(problem(&text).contains(expected), "{}", problem(&text));
        }
    }

    #[test]
    fn entries_must_differ_in_more_than_names() {
        let twice = |from: &str, to: &str| problem(&format!("{GOOD}{}", GOOD.replace(from, to)));
        assert!(twice("nothing", "").contains("says the same as `show`: show a file"));
        let other =
            GOOD.replace("\"show\"", "\"print\"").replace("show a file", "print it").replace("file", "path");
        let text = problem(&format!("{GOOD}{other}"));
        assert!(text.contains("`print` says the same as `show`: cat -- {}"), "{text}");
    }
}
