//! How this program is called: the words before the verb in every sentence that tells a person what to type, and in the
//! command that a record keeps.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

/// An installed program.
pub const INSTALLED: &str = "perflab";
/// The program that Cargo finds as a command of its own.
pub const OF_CARGO: &str = "cargo perflab";
/// The alias in `.cargo/config.toml` of the repository that this program comes from.
pub const IN_REPOSITORY: &str = "cargo lab";

/// What was found when the program began.
static PROGRAM: OnceLock<&'static str> = OnceLock::new();

/// How a process was called that has this value of `CARGO_PKG_NAME`. `cargo run` sets the variable to the package whose
/// program it starts, and so does the alias; in any other program that Cargo starts, it names another package.
#[must_use]
pub fn by(package: Option<&OsStr>) -> &'static str {
    if package.is_some_and(|package| package == INSTALLED) { IN_REPOSITORY } else { INSTALLED }
}

/// Whether a program of this file name is a command of Cargo's: `cargo perflab` starts `cargo-perflab`, whose first
/// argument is then the command's own name.
#[must_use]
pub fn is_of_cargo(file: &OsStr) -> bool {
    Path::new(file).file_stem().is_some_and(|stem| stem == "cargo-perflab")
}

/// Keeps how the program was called; what was kept first stays. Only the command line knows.
pub fn keep(program: &'static str) {
    PROGRAM.get_or_init(|| program);
}

/// What a person types before a verb: [`INSTALLED`] where nobody kept anything else.
#[must_use]
pub fn program() -> &'static str {
    PROGRAM.get().copied().unwrap_or(INSTALLED)
}

/// A whole command, from a verb on.
#[must_use]
pub fn typed(words: &str) -> String {
    format!("{} {words}", program())
}

/// A text in which commands stand as an installed program is called, so that it says the same whoever made it.
#[must_use]
pub fn neutral(text: &str) -> String {
    let named = |name: &str| format!("{name} ");
    text.replace(&named(IN_REPOSITORY), &named(INSTALLED)).replace(&named(OF_CARGO), &named(INSTALLED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_names_the_package_whose_program_it_starts() {
        let by = |package: Option<&str>| by(package.map(OsStr::new));
        assert_eq!(by(None), "perflab");
        assert_eq!(by(Some("perflab")), "cargo lab");
        for other in ["xtask", "perflab-fixtures", ""] {
            assert_eq!(by(Some(other)), "perflab", "{other}: a program that calls the installed one");
        }
    }

    #[test]
    fn a_command_of_cargos_is_known_by_its_file() {
        let of = |file: &str| is_of_cargo(OsStr::new(file));
        assert!(of("cargo-perflab") && of("/home/u/.cargo/bin/cargo-perflab"));
        assert!(!of("perflab") && !of("/cargo-perflab/perflab"));
    }

    #[test]
    fn a_text_says_the_same_by_either_name() {
        let text = "made by `cargo lab run` (cargo lab-like)";
        assert_eq!(neutral(text), "made by `perflab run` (cargo lab-like)");
        assert_eq!(neutral(&neutral(text)), neutral(text));
        assert_eq!(neutral("cargo perflab run"), "perflab run");
    }
}
