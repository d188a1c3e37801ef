//! Flag sets: plain Cargo config files, one a set of compiler flags.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::plan::PlanError;
use crate::plan::error::suggest;

/// Compiler flags with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagSet {
    /// The file's stem.
    pub name: String,
    /// The target triple that the flags are for.
    pub target: String,
    /// The flags, as rustc gets them.
    pub flags: Vec<String>,
    /// The comment at the head of the file.
    pub summary: String,
}

#[derive(Deserialize)]
struct File {
    build: BuildTable,
    target: BTreeMap<String, TargetTable>,
}

#[derive(Deserialize)]
struct BuildTable {
    target: String,
    rustflags: Option<toml::Spanned<toml::Value>>,
}

#[derive(Deserialize)]
struct TargetTable {
    rustflags: Vec<String>,
}

impl FlagSet {
    /// Reads a flag set from the text of its file.
    ///
    /// # Errors
    /// A [`PlanError`] with the place, when the text is not TOML, names no target (Cargo would then give
    /// the flags to build scripts too), has no flags for that target, or has flags where Cargo would drop
    /// them in silence.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, PlanError> {
        let parsed: File = toml::from_str(text).map_err(|error| {
            PlanError::toml(file, text, &error).right(
                "a flag set has [build] target = \"TRIPLE\" and [target.TRIPLE] rustflags = [\"-C\", …]",
            )
        })?;
        if let Some(dropped) = &parsed.build.rustflags {
            return Err(PlanError::at(
                file,
                text,
                Some(dropped.span()),
                "Cargo ignores [build] rustflags here",
            )
            .right("move them to [target.TRIPLE] rustflags"));
        }
        let target = parsed.build.target;
        let Some(table) = parsed.target.get(&target) else {
            return Err(PlanError::at(file, text, None, format!("no [target.{target}] rustflags"))
                .right(format!("add [target.{target}] with rustflags = [\"-C\", \"target-cpu=…\"]")));
        };
        Ok(Self { name: name.to_owned(), target, flags: table.rustflags.clone(), summary: summary(text) })
    }

    /// The value of `-C target-cpu`, where the flags have one.
    #[must_use]
    pub fn target_cpu(&self) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find_map(|flag| flag.strip_prefix("target-cpu=").or(flag.strip_prefix("-Ctarget-cpu=")))
    }
}

fn summary(text: &str) -> String {
    let lines: Vec<_> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    lines.join(" ")
}

/// All flag sets of a workspace, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagSets(pub BTreeMap<String, FlagSet>);

impl FlagSets {
    /// The flag set of this name.
    ///
    /// # Errors
    /// One sentence with the known names and the nearest of them.
    pub fn get(&self, name: &str) -> Result<&FlagSet, PlanError> {
        self.0.get(name).ok_or_else(|| PlanError {
            file: "flag sets".to_owned(),
            place: None,
            wrong: format!("unknown flag set \"{name}\""),
            right: Some(suggest(name, &self.names())),
        })
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# One.\n# Two.\n[build]\ntarget = \"t\"\n[target.t]\nrustflags = [\"-C\", \"target-cpu=znver4\"]\n";

    #[test]
    fn reads_flags_and_the_comment() {
        let set = FlagSet::parse("x", "x.toml", GOOD).unwrap();
        assert_eq!(set.flags, ["-C", "target-cpu=znver4"]);
        assert_eq!(set.summary, "One. Two.");
        assert_eq!(set.target_cpu(), Some("znver4"));
    }

    #[test]
    fn flags_that_cargo_would_drop_are_an_error_with_a_place() {
        let text = GOOD.replace("target = \"t\"\n", "target = \"t\"\nrustflags = [\"-O\"]\n");
        let error = FlagSet::parse("x", "x.toml", &text).unwrap_err();
        assert_eq!(error.place.map(|place| place.line), Some(5));
        assert!(error.to_string().contains("Cargo ignores [build] rustflags"));
    }

    #[test]
    fn a_missing_target_is_an_error() {
        let error = FlagSet::parse("x", "x.toml", "[build]\n[target.t]\nrustflags=[]\n").unwrap_err();
        assert!(error.to_string().contains("missing field `target`"), "{error}");
        let error =
            FlagSet::parse("x", "x.toml", &GOOD.replace("target = \"t\"", "target = \"u\"")).unwrap_err();
        assert!(error.to_string().contains("no [target.u] rustflags"), "{error}");
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_known_one() {
        let sets = FlagSets([("znver4".to_owned(), FlagSet::parse("znver4", "f", GOOD).unwrap())].into());
        let error = sets.get("znver4x").unwrap_err().to_string();
        assert!(error.contains("unknown flag set \"znver4x\""), "{error}");
        assert!(error.contains("did you mean \"znver4\"?"), "{error}");
    }
}
