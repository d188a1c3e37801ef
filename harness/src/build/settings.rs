//! Settings outside the flag set that would change what is built: found, switched off, and named.

use std::path::{Path, PathBuf};

/// A setting that does not come from the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Where it stands: a variable or a file.
    pub place: String,
    /// What it sets.
    pub setting: String,
    /// Whether it still has force: profiles in a config file cannot be switched off from outside.
    pub in_force: bool,
}

/// Whether a variable of this name changes what Cargo and rustc make. `CARGO_HOME` and the registry's
/// settings do not: they say where things lie.
pub(crate) fn is_build_variable(name: &str) -> bool {
    const EXACT: [&str; 8] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_BOOTSTRAP",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_"];
    EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Every such setting in these variables, and in the config files that Cargo would read from `folder`
/// upwards and in `cargo_home`.
///
/// `CARGO_TARGET_DIR` is left out: the lab names its own target directories, and the variable changes no code.
#[must_use]
pub fn foreign_settings(
    variables: impl Iterator<Item = (String, String)>,
    folder: &Path,
    cargo_home: Option<&Path>,
) -> Vec<Foreign> {
    let mut found: Vec<Foreign> = variables
        .filter(|(name, _)| {
            is_build_variable(name) && name != "CARGO_TARGET_DIR" && name != "CARGO_BUILD_TARGET_DIR"
        })
        .map(|(name, value)| {
            let setting = if value.is_empty() {
                "set, but empty: Cargo would drop every flag of its config".to_owned()
            } else {
                value
            };
            Foreign { place: format!("environment variable {name}"), setting, in_force: false }
        })
        .collect();
    found.sort_by(|a, b| a.place.cmp(&b.place));
    let mut folders: Vec<PathBuf> = folder.ancestors().map(|above| above.join(".cargo")).collect();
    // A workspace below the home directory has Cargo's own among those above it.
    folders.extend(cargo_home.map(Path::to_owned).filter(|home| !folders.contains(home)));
    for folder in folders {
        for name in ["config.toml", "config"] {
            let file = folder.join(name);
            if let Ok(text) = std::fs::read_to_string(&file) {
                found.extend(in_config(&file.display().to_string(), &text));
            }
        }
    }
    found
}

fn in_config(file: &str, text: &str) -> Vec<Foreign> {
    let Ok(table) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut add = |key: String, value: &toml::Value, in_force| {
        found.push(Foreign { place: file.to_owned(), setting: format!("{key} = {value}"), in_force });
    };
    if let Some(build) = table.get("build").and_then(toml::Value::as_table) {
        for key in ["rustflags", "rustc", "rustc-wrapper", "rustc-workspace-wrapper", "incremental"] {
            if let Some(value) = build.get(key) {
                add(format!("build.{key}"), value, key == "rustc");
            }
        }
    }
    if let Some(targets) = table.get("target").and_then(toml::Value::as_table) {
        for (target, settings) in targets {
            for key in ["rustflags", "linker"] {
                if let Some(value) = settings.get(key) {
                    add(format!("target.{target}.{key}"), value, key == "linker");
                }
            }
        }
    }
    if let Some(profiles) = table.get("profile").and_then(toml::Value::as_table) {
        for (profile, settings) in profiles {
            add(format!("profile.{profile}"), settings, true);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_change_code_are_found_and_others_are_not() {
        let variables = [
            ("RUSTFLAGS", "-Ctarget-cpu=native"),
            ("CARGO_PROFILE_RELEASE_LTO", "fat"),
            ("CARGO_HOME", "/c"),
            ("CARGO_TARGET_DIR", "/t"),
            ("CARGO_ENCODED_RUSTFLAGS", ""),
        ];
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let found = foreign_settings(variables, Path::new("/nonexistent"), None);
        let places: Vec<_> = found.iter().map(|foreign| foreign.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "environment variable CARGO_ENCODED_RUSTFLAGS",
                "environment variable CARGO_PROFILE_RELEASE_LTO",
                "environment variable RUSTFLAGS"
            ]
        );
        assert!(found[0].setting.contains("empty"));
    }

    #[test]
    fn config_files_above_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir_all(folder.path().join("a/.cargo")).unwrap();
        let text = "[build]\nrustflags = [\"-O\"]\n[target.x]\nlinker = \"mold\"\n[profile.release]\nlto = true\n[alias]\na = \"b\"\n";
        std::fs::write(folder.path().join("a/.cargo/config.toml"), text).unwrap();
        let home = folder.path().join("a/.cargo");
        let found = foreign_settings(std::iter::empty(), &inner, Some(&home));
        let settings: Vec<_> =
            found.iter().map(|foreign| (foreign.setting.as_str(), foreign.in_force)).collect();
        assert_eq!(
            settings,
            [
                ("build.rustflags = [\"-O\"]", false),
                ("target.x.linker = \"mold\"", true),
                ("profile.release = { lto = true }", true)
            ]
        );
    }
}
