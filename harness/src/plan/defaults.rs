//! What a workspace says of itself: the suite and the bench that are meant where an option is left out.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::plan::PlanError;

/// What `[workspace.metadata.perflab]` of a workspace's manifest says; `[package.metadata.perflab]` where the
/// manifest has no such table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The suite, relative to the workspace. The other suites lie beside it, in files with their names.
    pub suite: Option<PathBuf>,
    /// The package of the gungraun bench.
    pub counts_package: Option<String>,
}

/// The parts of a manifest that are looked at; `T` is what the table is read as.
#[derive(Deserialize)]
struct Manifest<T> {
    workspace: Option<Section<T>>,
    package: Option<Section<T>>,
}

#[derive(Deserialize)]
struct Section<T> {
    metadata: Option<Metadata<T>>,
}

#[derive(Deserialize)]
struct Metadata<T> {
    perflab: Option<T>,
}

impl<T> Manifest<T> {
    fn table(self) -> Option<T> {
        let sections = [self.workspace, self.package];
        sections.into_iter().flatten().find_map(|section| section.metadata?.perflab)
    }
}

impl Defaults {
    /// Reads them from the text of the manifest `file`.
    ///
    /// # Errors
    /// A [`PlanError`] with line and column: the text is not TOML, or the table is not one, has an unknown key or an
    /// empty value.
    pub fn parse(file: &str, text: &str) -> Result<Self, PlanError> {
        let fault = |error: toml::de::Error| PlanError::toml(file, text, &error);
        let found: Manifest<Spanned<toml::Value>> = toml::from_str(text).map_err(fault)?;
        let Some(found) = found.table() else { return Ok(Self::default()) };
        let right = "a table with suite = \"FILE\" or counts_package = \"PACKAGE\"";
        // serde takes an array for a table with its values in order.
        if !found.as_ref().is_table() {
            let wrong = format!("metadata.perflab is not a table but of type {}", found.as_ref().type_str());
            return Err(PlanError::at(file, text, Some(found.span()), wrong).right(right));
        }
        let defaults: Manifest<Self> = toml::from_str(text).map_err(fault)?;
        let defaults = defaults.table().unwrap_or_default();
        let empty = defaults.suite.as_ref().is_some_and(|suite| suite.as_os_str().is_empty())
            || defaults.counts_package.as_deref() == Some("");
        if empty {
            let wrong = "metadata.perflab has an empty value";
            return Err(PlanError::at(file, text, Some(found.span()), wrong).right(right));
        }
        Ok(defaults)
    }

    /// The file of the suite of this name, relative to the workspace; `None` where no suite is named, beside
    /// which it would lie.
    #[must_use]
    pub fn suite_named(&self, name: &str) -> Option<PathBuf> {
        Some(self.suite.as_ref()?.with_file_name(format!("{name}.toml")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Defaults {
        Defaults::parse("Cargo.toml", text).unwrap()
    }

    #[test]
    fn the_workspace_says_it_or_the_package() {
        let of_workspace =
            "[workspace]\nmembers = []\n[workspace.metadata.perflab]\nsuite = \"bench/a.toml\"\n";
        let of_package = "[package]\nname = \"p\"\n[package.metadata.perflab]\ncounts_package = \"p\"\n";
        assert_eq!(of(of_workspace).suite, Some("bench/a.toml".into()));
        assert_eq!(of(of_package).counts_package.as_deref(), Some("p"));
        assert_eq!(of(&format!("{of_package}{of_workspace}")), of(of_workspace));
    }

    #[test]
    fn other_tables_are_none_of_its_business() {
        let text =
            "[workspace]\nresolver = \"3\"\n[workspace.metadata.docs]\na = 1\n[profile.dev]\ndebug = false\n";
        assert_eq!(of(text), Defaults::default());
    }

    #[test]
    fn a_misspelt_key_has_its_line() {
        let text = "[workspace.metadata.perflab]\nsuit = \"a.toml\"\n";
        let error = Defaults::parse("Cargo.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("Cargo.toml:2:1: unknown field `suit`"), "{error}");
    }

    #[test]
    fn what_is_not_a_table_or_is_empty_has_its_line() {
        for (value, said) in [
            ("perflab = []", "Cargo.toml:2:11: metadata.perflab is not a table but of type array"),
            ("perflab = \"a.toml\"", "Cargo.toml:2:11: metadata.perflab is not a table but of type string"),
            ("perflab = { suite = \"\" }", "Cargo.toml:2:11: metadata.perflab has an empty value"),
        ] {
            let text = format!("[workspace.metadata]\n{value}\n");
            let error = Defaults::parse("Cargo.toml", &text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn suites_lie_side_by_side() {
        let defaults = of("[workspace.metadata.perflab]\nsuite = \"bench/a.toml\"\n");
        assert_eq!(defaults.suite_named("b"), Some("bench/b.toml".into()));
        assert_eq!(Defaults::default().suite_named("b"), None);
    }
}
