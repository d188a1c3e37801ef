//! A package `criterion` of any version that a lock file may name: `perflab-criterion` under that name.
//!
//! Its sources are part of the lab, so that an installed lab needs neither this repository nor a registry. A patch with a
//! version other than that of the lock file is ignored in silence, so the version is the one that is asked for. It has
//! every feature name that criterion has had, and pulls in nothing but the executors of asynchronous code that its user
//! asks for, which the user's lock file then has already, in the requirements that criterion of that version states.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use perflab_criterion::sources::SOURCES;
use perflab_subject::sources::SOURCES as SUBJECT_SOURCES;

/// Why there is no private package.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePackageError {
    /// The version is not one.
    #[error("{version:?} is not a version of criterion: expected one as in a lock file, such as 0.5.1")]
    Version {
        /// What was given.
        version: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
}

/// Features of criterion that mean nothing here; those of 0.3 to 0.5 include the names of its optional dependencies.
const ACCEPTED: [&str; 9] = [
    "async",
    "cargo_bench_support",
    "csv",
    "csv_output",
    "futures",
    "html_reports",
    "plotters",
    "rayon",
    "real_blackbox",
];

/// The name under which the subject library lies beside it: a project may have a `perflab-subject` of its own.
const SUBJECT: &str = "perflab-criterion-subject";

/// What both packages' manifests begin with. They are workspaces of their own, or Cargo would look for one above them.
/// The edition lets older compilers build them.
const COMMON: &str = "edition = \"2021\"\npublish = false\nautobins = false\nautobenches = false\n\n[workspace]\n\n\
                      [lints.rust]\nunexpected_cfgs = \"allow\"\n";

/// Writes the package into `directory`, beside those of other versions, and returns its own directory. Files that are
/// there already and right are left alone, so that Cargo does not build them again.
///
/// # Errors
/// `version` is not a version, or a file cannot be written.
pub fn write(directory: &Path, version: &str) -> Result<PathBuf, PrivatePackageError> {
    let minor = minor(version).ok_or_else(|| PrivatePackageError::Version { version: version.to_owned() })?;
    let subject = directory.join(SUBJECT);
    write_package(&subject, &subject_manifest(), SUBJECT_SOURCES)?;
    let package = directory.join(format!("criterion-{version}"));
    write_package(&package, &manifest(version, minor), SOURCES)?;
    Ok(package)
}

/// The minor version; for 1.0 and later the largest. `None` where the text is not a version.
fn minor(version: &str) -> Option<u64> {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let right = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    let numbers = numbers.split('.').map(|number| number.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    match (numbers.as_slice(), rest.chars().all(right)) {
        ([0, minor, _], true) => Some(*minor),
        ([_, _, _], true) => Some(u64::MAX),
        _ => None,
    }
}

fn manifest(version: &str, minor: u64) -> String {
    // As criterion of that version requires it.
    let smol = if minor <= 5 { "1.2" } else { "2" };
    let mut text = format!(
        "# perflab-criterion under criterion's name; written by perflab.\n[package]\nname = \"criterion\"\n\
         version = \"{version}\"\n{COMMON}\n[lib]\nname = \"criterion\"\n\n[features]\n\
         default = [\"cargo_bench_support\"]\nstable = [\"async_futures\", \"async_smol\", \"async_tokio\""
    );
    if minor <= 7 {
        text.push_str(", \"async_std\"");
    }
    text.push_str(
        "]\nasync_futures = [\"async\"]\nasync_std = [\"async\"]\n\"async-std\" = [\"async_std\"]\n",
    );
    // Writing to a `String` cannot fail.
    for executor in ["smol", "tokio"] {
        writeln!(
            text,
            "async_{executor} = [\"async\", \"dep:{executor}\"]\n{executor} = [\"async_{executor}\"]"
        )
        .ok();
    }
    for name in ACCEPTED {
        writeln!(text, "{name} = []").ok();
    }
    let optional = "default-features = false, optional = true";
    write!(
        text,
        "\n[dependencies]\n{SUBJECT} = {{ path = \"../{SUBJECT}\" }}\nsmol = {{ version = \"{smol}\", {optional} }}\n\
         tokio = {{ version = \"1\", features = [\"rt\"], {optional} }}\n"
    )
    .ok();
    text
}

fn subject_manifest() -> String {
    format!(
        "# perflab-subject under a name of its own; written by perflab.\n[package]\nname = \"{SUBJECT}\"\n\
         version = \"{}\"\n{COMMON}\n[lib]\nname = \"perflab_subject\"\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn write_package(
    directory: &Path,
    manifest: &str,
    sources: &[(&str, &str)],
) -> Result<(), PrivatePackageError> {
    let folder = directory.join("src");
    fs::create_dir_all(&folder)
        .map_err(|error| PrivatePackageError::Write { path: folder.clone(), error })?;
    write_where_other(&directory.join("Cargo.toml"), manifest)?;
    for (name, text) in sources {
        write_where_other(&folder.join(name), text)?;
    }
    Ok(())
}

fn write_where_other(path: &Path, text: &str) -> Result<(), PrivatePackageError> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(|error| PrivatePackageError::Write { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn toml_of(package: &Path) -> toml::Table {
        fs::read_to_string(package.join("Cargo.toml")).unwrap().parse().unwrap()
    }

    #[test]
    fn every_source_file_is_part_of_the_package() {
        // A file that is added to one of the packages has to be added to its list.
        for (package, sources) in [("criterion", SOURCES), ("subject", SUBJECT_SOURCES)] {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(package).join("src");
            let files =
                fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
            let mut files: Vec<_> = files.filter(|name| name != "sources.rs").collect();
            files.sort();
            assert_eq!(sources.iter().map(|(name, _)| *name).collect::<Vec<_>>(), files);
        }
    }

    #[test]
    fn the_manifest_has_the_version_and_every_feature() {
        let scratch = tempfile::tempdir().unwrap();
        for (version, smol) in [("0.3.6", "1.2"), ("0.5.1", "1.2"), ("0.8.2", "2"), ("1.0.0-rc.1+x", "2")] {
            let package = write(scratch.path(), version).unwrap();
            let manifest = toml_of(&package);
            assert_eq!(manifest["package"]["version"].as_str(), Some(version));
            assert_eq!(manifest["dependencies"]["smol"]["version"].as_str(), Some(smol));
            let features = manifest["features"].as_table().unwrap();
            // The union of the features of 0.3.6, 0.4.0, 0.5.1, 0.6.0, 0.7.0 and 0.8.2.
            for name in [
                "async",
                "async-std",
                "async_futures",
                "async_smol",
                "async_std",
                "async_tokio",
                "cargo_bench_support",
                "csv",
                "csv_output",
                "default",
                "futures",
                "html_reports",
                "plotters",
                "rayon",
                "real_blackbox",
                "smol",
                "stable",
                "tokio",
            ] {
                assert!(features.contains_key(name), "{version} lacks {name}");
            }
        }
    }

    #[test]
    fn what_is_right_already_is_not_written_again() {
        let scratch = tempfile::tempdir().unwrap();
        let package = write(scratch.path(), "0.5.1").unwrap();
        let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let (lib, id) = (package.join("src/lib.rs"), package.join("src/id.rs"));
        let before = (written(&lib), written(&id));
        fs::write(&id, "torn").unwrap();
        assert_eq!(write(scratch.path(), "0.5.1").unwrap(), package);
        assert_eq!(written(&lib), before.0);
        assert_ne!(fs::read_to_string(&id).unwrap(), "torn");
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for wrong in ["", "0.5", "0.5.1.2", "a.b.c", "0.5.1\"", "0.5.1-a\nb", "../0.5.1", "0.5.-1"] {
            let said = write(Path::new("/nonexistent"), wrong).unwrap_err().to_string();
            assert!(said.contains("is not a version of criterion"), "{wrong:?}: {said}");
        }
        let said = write(Path::new("/dev/null"), "0.5.1").unwrap_err().to_string();
        assert!(said.starts_with("cannot write /dev/null/"), "{said}");
    }

    #[test]
    fn two_versions_build_beside_each_other_without_a_registry() {
        let scratch = tempfile::tempdir().unwrap();
        let packages = scratch.path().join("packages");
        let old = write(&packages, "0.3.6").unwrap();
        let new = write(&packages, "0.8.2").unwrap();
        let user = scratch.path().join("user");
        fs::create_dir_all(user.join("src")).unwrap();
        let of = |package: &Path, version: &str| {
            format!("{{ package = \"criterion\", version = \"={version}\", path = {package:?} }}")
        };
        let manifest = format!(
            "[package]\nname = \"user\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
             old = {}\nnew = {}\n",
            of(&old, "0.3.6"),
            of(&new, "0.8.2")
        );
        fs::write(user.join("Cargo.toml"), manifest).unwrap();
        fs::write(user.join("src/lib.rs"), "pub use {new::Criterion, old::Fun};\n").unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet"]).current_dir(&user).env("RUSTFLAGS", "-D warnings");
        let output = cargo.env_remove("CARGO_TARGET_DIR").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing to warn of");
    }
}
