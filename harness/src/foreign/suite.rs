//! The suite of a bench target that nobody wrote one for.

use std::ffi::OsString;
use std::fmt::Write as _;

use crate::foreign::Target;
use crate::plan::{Bench, FlagSets};

/// The profile of the arm that shows what link-time optimisation does.
pub const LTO: &str = "perflab-lto";

/// What `cargo bench` compiles with.
const PROFILE: &str = "bench";

/// The flag sets that are tried where the workspace has none of its own, the baseline first, each with a feature of the
/// widest code that it makes: what a CPU lacks is not built for it.
const TRIED: [(&str, Option<&str>); 4] =
    [("x86-64", None), ("x86-64-v3", Some("avx2")), ("x86-64-v4", Some("avx512vl")), ("native", None)];

/// The options of Cargo's that make the profile [`LTO`], where a manifest need not have it.
#[must_use]
pub fn options() -> Vec<OsString> {
    let settings = [format!("inherits={PROFILE:?}"), "lto=\"fat\"".to_owned(), "codegen-units=1".to_owned()];
    let settings = settings.map(|setting| format!("profile.{LTO}.{setting}"));
    settings.into_iter().flat_map(|setting| ["--config".into(), setting.into()]).collect()
}

/// The text of a suite of a bench target: a few flag sets that this CPU can run under the profile of `cargo bench`, and
/// one arm with link-time optimisation.
#[must_use]
pub fn suite_text(target: &Target, way: Bench, known: &FlagSets, has: &dyn Fn(&str) -> bool) -> String {
    let names = known.names();
    let tried = TRIED.into_iter().filter(|(name, feature)| names.contains(name) && feature.is_none_or(has));
    let mut flagsets: Vec<&str> = tried.map(|(name, _)| name).collect();
    if flagsets.is_empty() {
        flagsets.extend(names);
    }
    let Target { package, name, features, .. } = target;
    let mut text = format!(
        "name = {}\npackage = {}\nbench = {}\nharness = \"{}\"\nprofile = \"{PROFILE}\"\nbaseline = {}\n",
        quoted(&suite_name(target)),
        quoted(package),
        quoted(name),
        way.name(),
        quoted(flagsets.first().copied().unwrap_or_default()),
    );
    let mut arm = |name: &str, flagset: &str, profile: &str| {
        let features: Vec<String> = features.iter().map(|feature| quoted(feature)).collect();
        let _ = write!(
            text,
            "\n[[arm]]\nname = {}\nflagset = {}\nprofile = {}\nfeatures = [{}]\n",
            quoted(name),
            quoted(flagset),
            quoted(profile),
            features.join(", ")
        );
    };
    for flagset in &flagsets {
        arm(flagset, flagset, PROFILE);
    }
    if let Some(first) = flagsets.first() {
        arm(&format!("{first} LTO"), first, LTO);
    }
    // A driven bench makes all slices of a turn in one process, which takes long: the launches are its repetitions.
    let turns = match way {
        Bench::Subject => "",
        Bench::Criterion => ", blocks = 1, slices = 5, settle_ns = 0",
        Bench::Divan => ", blocks = 1, slices = 1, settle_ns = 0",
    };
    let budget = |name: &str, launches: u32| format!("{name} = {{ launches = {launches}{turns} }}\n");
    let _ = write!(text, "\n[budget]\n{}{}", budget("quick", 16), budget("full", 64));
    text
}

/// The name of a target's suite: that of the package, and the bench's where it is another.
fn suite_name(target: &Target) -> String {
    let Target { package, name, .. } = target;
    if package == name { package.clone() } else { format!("{package}-{name}") }
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::Harness;
    use crate::plan::{Suite, parse_suite};

    fn suite(has: &[&str], known: &FlagSets) -> Suite {
        let target = Target {
            package: "p".to_owned(),
            name: "it's".to_owned(),
            features: vec!["a/b".to_owned()],
            harness: Harness::Criterion,
            refused: None,
        };
        let text = suite_text(&target, Bench::Subject, known, &|feature| has.contains(&feature));
        parse_suite("s.toml", &text, known).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn the_flag_sets_are_those_that_the_cpu_can_run_with_the_plainest_first() {
        let known = FlagSets::built_in().unwrap();
        let names = |has: &[&str]| -> Vec<String> {
            suite(has, &known).arms.into_iter().map(|arm| arm.name).collect()
        };
        assert_eq!(names(&[]), ["x86-64", "native", "x86-64 LTO"]);
        assert_eq!(
            names(&["avx2", "avx512vl"]),
            ["x86-64", "x86-64-v3", "x86-64-v4", "native", "x86-64 LTO"]
        );
        let suite = suite(&[], &known);
        assert_eq!(suite.name, "p-it's");
        let variant = suite.arms[0].workload.variant().unwrap();
        assert_eq!(
            (variant.bench, variant.bin.as_str(), variant.profile.as_str()),
            (Some(Bench::Subject), "it's", "bench")
        );
        assert_eq!(variant.features, ["a/b"]);
        assert_eq!(suite.arms[2].profile(), LTO);
    }

    #[test]
    fn flag_sets_of_the_workspaces_own_are_taken_where_it_has_some() {
        let mut own = FlagSets::built_in().unwrap();
        own.0.retain(|name, _| name.starts_with("znver4"));
        let names: Vec<String> = suite(&[], &own).arms.into_iter().map(|arm| arm.name).collect();
        assert_eq!(names, ["znver4", "znver4-no-sse4a", "znver4 LTO"]);
    }
}
