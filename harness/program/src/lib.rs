//! What a program says of itself: how it was built, its manual pages, its shell completions.

#[cfg(test)]
mod flags;
pub mod pages;

use std::sync::OnceLock;

/// The commit that the program was built from: what `BUILD_COMMIT` said to the compiler, or what Cargo recorded when the
/// package was published.
pub const COMMIT: Option<&str> = match option_env!("BUILD_COMMIT") {
    Some(commit) => Some(commit),
    None => option_env!("PROGRAM_PUBLISHED_FROM"),
};

/// The `target-cpu` that it was compiled for, and the features that were named beside it.
pub const TARGET: &str = env!("PROGRAM_TARGET");

/// Cargo's profile that it was compiled under.
pub const PROFILE: &str = env!("PROGRAM_PROFILE");

/// What was made for the first version that was asked for: clap wants a text that stays.
static SAID: OnceLock<String> = OnceLock::new();

/// The version for `--version`, with how the program was built behind it: `0.1.0 (commit, target-cpu, profile)`. A process
/// is one program and has one version: the first that it names here stays.
#[must_use]
pub fn long_version(version: &str) -> &'static str {
    SAID.get_or_init(|| described(version, COMMIT))
}

fn described(version: &str, commit: Option<&str>) -> String {
    let commit = commit.filter(|commit| !commit.is_empty()).unwrap_or("commit unknown");
    format!("{version} ({commit}, {TARGET}, {PROFILE})")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::flags::{profile, recorded_commit, target};
    use super::*;

    #[test]
    fn the_version_says_how_the_program_was_built() {
        let built = format!("{TARGET}, {PROFILE})");
        assert_eq!(described("1.2.3", Some("abc")), format!("1.2.3 (abc, {built}"));
        assert_eq!(described("1.2.3", None), format!("1.2.3 (commit unknown, {built}"));
        // A variable that is set to nothing says nothing.
        assert_eq!(described("1.2.3", Some("")), described("1.2.3", None));
        assert!(!TARGET.is_empty() && !PROFILE.is_empty());
    }

    #[test]
    fn the_last_cpu_counts_and_features_stand_beside_it() {
        assert_eq!(target("", "x86_64"), "x86-64");
        assert_eq!(target("", "aarch64"), "generic");
        assert_eq!(target("-Copt-level=3\x1f-Ctarget-cpu=znver4", "x86_64"), "znver4");
        let both =
            "-C\x1ftarget-cpu=x86-64-v2\x1f--codegen=target-cpu=x86-64-v3\x1f-C\x1ftarget-feature=+sha";
        assert_eq!(target(both, "x86_64"), "x86-64-v3 +sha");
        assert_eq!(target("--cfg\x1ftarget-cpu=none", "x86_64"), "x86-64");
    }

    #[test]
    fn the_profile_is_the_directory_that_is_built_in() {
        let of = |path: &str| profile(Path::new(path));
        assert_eq!(of("/a/target/ship/build/x-1/out").as_deref(), Some("ship"));
        assert_eq!(of("/a/target/debug/build/x-1/out").as_deref(), Some("dev"));
        assert_eq!(of("/a/target/x86_64-unknown-linux-gnu/seed/build/x/1/out").as_deref(), Some("seed"));
        assert_eq!(of("/a/out"), None);
    }

    #[test]
    fn a_recorded_commit_is_shortened_and_nothing_else_is_one() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("{{\n  \"git\": {{\n    \"sha1\": \"{commit}\"\n  }}\n}}");
        assert_eq!(recorded_commit(&text), Some("0123456789ab"));
        assert_eq!(recorded_commit("{\"git\": {\"sha1\": \"../../etc/passwd\"}}"), None);
        assert_eq!(recorded_commit("{}"), None);
    }
}
