//! Settings outside the flag set that would change what is built: found, switched off, and named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

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

/// Whether a variable of this name changes what Cargo prints, which the lab reads.
pub(crate) fn is_output_variable(name: &str) -> bool {
    name.starts_with("CARGO_TERM_") || name.starts_with("CARGO_LOG")
}

/// Whether a variable of this name goes to the C compilers that build scripts start: nothing takes it from them.
fn is_c_variable(name: &str) -> bool {
    const NAMES: [&str; 5] = ["CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS"];
    let of = |name: &str| NAMES.contains(&name);
    let bare = name.strip_prefix("TARGET_").or(name.strip_prefix("HOST_")).unwrap_or(name);
    // CFLAGS_x86_64_unknown_linux_gnu, CC_x86_64-unknown-linux-gnu
    of(bare) || bare.split_once('_').is_some_and(|(start, rest)| of(start) && rest.contains("linux"))
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
            let named = is_build_variable(name) || is_c_variable(name);
            named && name != "CARGO_TARGET_DIR" && name != "CARGO_BUILD_TARGET_DIR"
        })
        .map(|(name, value)| {
            let setting = if value.is_empty() {
                "set, but empty: Cargo would drop every flag of its config".to_owned()
            } else {
                value
            };
            let in_force = is_c_variable(&name);
            Foreign { place: format!("environment variable {name}"), setting, in_force }
        })
        .collect();
    found.sort_by(|a, b| a.place.cmp(&b.place));
    let mut folders: Vec<PathBuf> = folder.ancestors().map(|above| above.join(".cargo")).collect();
    folders.extend(cargo_home.map(Path::to_owned));
    let mut seen = BTreeSet::new();
    for folder in folders {
        // Where both are there, Cargo reads the one without an ending.
        if let Some(file) =
            ["config", "config.toml"].map(|name| folder.join(name)).iter().find(|file| file.is_file())
        {
            in_file(file, &mut seen, &mut found);
        }
    }
    found
}

/// The settings of a file and of those that it includes; of each file once.
fn in_file(file: &Path, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<Foreign>) {
    if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.to_owned())) {
        return;
    }
    let Some(table) = std::fs::read_to_string(file).ok().and_then(|text| text.parse::<Table>().ok()) else {
        return;
    };
    found.extend(in_config(&file.display().to_string(), &table));
    for included in included(&table) {
        in_file(&file.with_file_name(included), seen, found);
    }
}

/// The files that a config includes: a path, or a list of paths and of tables with one.
fn included(table: &Table) -> Vec<&str> {
    match table.get("include") {
        Some(Value::Array(all)) => all.iter().filter_map(path_of).collect(),
        Some(one) => path_of(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn path_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("path")?.as_str())
}

fn in_config(file: &str, table: &Table) -> Vec<Foreign> {
    let mut found = Vec::new();
    let mut add = |key: String, value: &Value, in_force| {
        found.push(Foreign { place: file.to_owned(), setting: format!("{key} = {value}"), in_force });
    };
    let of = |name: &str| table.get(name).and_then(Value::as_table).into_iter().flatten();
    for (key, value) in of("build") {
        const KEYS: [&str; 5] =
            ["rustflags", "rustc", "rustc-wrapper", "rustc-workspace-wrapper", "incremental"];
        if KEYS.contains(&key.as_str()) {
            add(format!("build.{key}"), value, key == "rustc");
        }
    }
    for (target, settings) in of("target") {
        for key in ["rustflags", "linker"] {
            if let Some(value) = settings.get(key) {
                add(format!("target.{target}.{key}"), value, key == "linker");
            }
        }
    }
    for (name, value) in of("env").filter(|(name, _)| is_c_variable(name)) {
        add(format!("env.{name}"), value, true);
    }
    // Other sources of dependencies.
    for (source, packages) in of("patch") {
        add(format!("patch.{source}"), packages, true);
    }
    if let Some(paths) = table.get("paths") {
        add("paths".to_owned(), paths, true);
    }
    for (profile, settings) in of("profile") {
        add(format!("profile.{profile}"), settings, true);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_variables(variables: &[(&str, &str)]) -> Vec<Foreign> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        foreign_settings(variables, Path::new("/nonexistent"), None)
    }

    #[test]
    fn variables_that_change_code_are_found_and_others_are_not() {
        let found = of_variables(&[
            ("RUSTFLAGS", "-Ctarget-cpu=native"),
            ("CARGO_PROFILE_RELEASE_LTO", "fat"),
            ("CARGO_HOME", "/c"),
            ("CARGO_TARGET_DIR", "/t"),
            ("CARGO_ENCODED_RUSTFLAGS", ""),
            ("CARGO_TERM_COLOR", "always"),
        ]);
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
        assert!(found.iter().all(|foreign| !foreign.in_force));
    }

    #[test]
    fn what_goes_to_c_compilers_stays_in_force() {
        let found = of_variables(&[
            ("CFLAGS", "-O0"),
            ("TARGET_CC", "clang"),
            ("CXXFLAGS_x86_64_unknown_linux_gnu", "-O0"),
            ("CC_FOR_SOMEBODY", "cc"),
            ("CCACHE_DIR", "/c"),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|foreign| foreign.in_force));
    }

    #[test]
    fn config_files_above_and_those_that_they_include_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        std::fs::create_dir_all(&inner).unwrap();
        // With the line ends of another system.
        let text = "include = [\"more.toml\", { path = \"most.toml\", optional = true }, \"absent.toml\"]\r\n[build]\r\n\
                    rustflags = [\"-O\"]\r\n[target.x]\r\nlinker = \"mold\"\r\n[alias]\r\na = \"b\"\r\n";
        file("a/.cargo/config.toml", text);
        // A circle ends.
        file("a/.cargo/more.toml", "include = \"config.toml\"\n[profile.release]\nlto = true\n");
        file(
            "a/.cargo/most.toml",
            "[env]\nCFLAGS = \"-O0\"\nX = \"1\"\n[patch.crates-io]\nserde = { path = \"s\" }\n",
        );
        file("a/b/.cargo/config", "[build]\nincremental = true\n");
        file("a/b/.cargo/config.toml", "[build]\nrustc = \"unread\"\n");
        // Cargo's home is among the directories above.
        let home = folder.path().join("a/.cargo");
        let found = foreign_settings(std::iter::empty(), &inner, Some(&home));
        let settings: Vec<_> =
            found.iter().map(|foreign| (foreign.setting.as_str(), foreign.in_force)).collect();
        assert_eq!(
            settings,
            [
                ("build.incremental = true", false),
                ("build.rustflags = [\"-O\"]", false),
                ("target.x.linker = \"mold\"", true),
                ("profile.release = { lto = true }", true),
                ("env.CFLAGS = \"-O0\"", true),
                ("patch.crates-io = { serde = { path = \"s\" } }", true),
            ]
        );
        assert!(found[3].place.ends_with("more.toml"), "{found:?}");
    }
}
