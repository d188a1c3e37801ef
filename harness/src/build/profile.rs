//! What the manifest asks of a Cargo profile, held against what rustc was given. A Cargo config file may say otherwise,
//! also one that another includes, and Cargo does not tell.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::build::command_line::Options;
use crate::build::messages::{Product, UnitProfile};

/// What rustc or Cargo chooses by itself.
const DEFAULT: &str = "its default";

/// The settings of a profile that change code or the size of a file, in the spelling of rustc.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    /// Of the workspace's members.
    settings: Table,
    /// Those of its own that a package has, by name; `*` are all but the members.
    packages: Table,
}

impl Profile {
    /// The profile of a workspace's manifest; `None` where the manifest has none of that name, so that nothing is known.
    pub(crate) fn read(root: &Path, name: &str) -> Option<Self> {
        let manifest: Table = std::fs::read_to_string(root.join("Cargo.toml")).ok()?.parse().ok()?;
        let none = Table::new();
        let profiles = manifest.get("profile").and_then(Value::as_table).unwrap_or(&none);
        let mut chain = vec![name];
        while let Some(parent) = inherited(chain[chain.len() - 1], profiles) {
            if chain.contains(&parent) {
                return None;
            }
            chain.push(parent);
        }
        let mut settings = match chain.pop()? {
            "dev" => built_in("0", true),
            "release" => built_in("3", false),
            _ => return None,
        };
        let root = if settings["opt-level"].as_str() == Some("0") { "dev" } else { "release" };
        let mut packages = Table::new();
        for name in std::iter::once(root).chain(chain.into_iter().rev()) {
            let Some(table) = profiles.get(name).and_then(Value::as_table) else { continue };
            settings.extend(
                table
                    .iter()
                    .filter(|(key, _)| *key != "package")
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
            let own = table.get("package").and_then(Value::as_table);
            packages.extend(own.into_iter().flatten().map(|(name, table)| (name.clone(), table.clone())));
        }
        Some(Self { settings, packages })
    }

    /// Whether members are compiled incrementally.
    pub(crate) fn incremental(&self) -> bool {
        self.settings.get("incremental").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Flags of its own, which Cargo's nightly channel knows.
    pub(crate) fn rustflags(&self) -> Vec<String> {
        let flags = self.settings.get("rustflags").and_then(Value::as_array);
        flags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// What rustc was given otherwise for the product of `package`, a clause each. What the flag set says for itself
    /// is asked for as well.
    pub(crate) fn overridden(
        &self,
        package: &str,
        product: Product,
        found: &Options,
        flags: &[String],
    ) -> Vec<String> {
        let of_flags = Options::of(flags);
        let (found, of_flags) = (effective(&found.last()), of_flags.last());
        let mut asked = self.asked(package);
        asked.extend(effective(&of_flags).into_iter().filter(|(name, _)| of_flags.contains_key(name)));
        let differs = |(name, asked): (&str, String)| {
            // A library that is made in several forms cannot have LTO, whatever is asked for.
            let found = found.get(name).filter(|_| name != "lto" || product != Product::Cdylib)?;
            // Whether Cargo strips by itself depends on the debug information of all crates.
            let either = name == "strip" && asked == DEFAULT && (found == "none" || found == "debuginfo");
            (*found != asked && !either).then(|| clause(name, found, &asked))
        };
        asked.into_iter().filter_map(differs).collect()
    }

    /// The same for a dependency, of which Cargo tells less.
    pub(crate) fn overridden_in(&self, package: &str, found: &UnitProfile, flags: &[String]) -> Vec<String> {
        let flagged = Options::of(flags);
        let flagged = flagged.last();
        let text = |on: bool| if on { "on" } else { "off" }.to_owned();
        let found = [
            ("opt-level", found.opt_level.clone()),
            ("debug-assertions", text(found.debug_assertions)),
            ("overflow-checks", text(found.overflow_checks)),
        ];
        // Whether a package of a path is a member is not known here: either may be right.
        let asked = [self.asked(package), self.with("*").asked(package)];
        let right = |name: &str, value: &String| {
            asked.iter().any(|asked| asked.get(name).is_none_or(|asked| asked == value))
        };
        let differs = |(name, value): (&'static str, String)| {
            let asked = asked[1].get(name).filter(|_| !flagged.contains_key(name) && !right(name, &value))?;
            Some(format!("{} in {package}", clause(name, &value, asked)))
        };
        found.into_iter().filter_map(differs).collect()
    }

    fn with(&self, package: &str) -> Self {
        let mut settings = self.settings.clone();
        let own = self.packages.get(package).and_then(Value::as_table);
        settings.extend(own.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        Self { settings, packages: self.packages.clone() }
    }

    /// What is asked for a package, in rustc's words. What nothing can be said of is left out.
    fn asked(&self, package: &str) -> BTreeMap<&'static str, String> {
        let versioned = |name: &&String| name.split(['@', ':']).next() == Some(package);
        let name = self.packages.keys().find(versioned).map_or(package, String::as_str);
        let Self { settings, .. } = self.with(name);
        let mut asked = BTreeMap::new();
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let bools = ["debug-assertions", "overflow-checks", "incremental"];
        for name in bools {
            asked.extend(settings.get(name).and_then(Value::as_bool).map(|on| (name, switch(on))));
        }
        let text = |name: &str| match settings.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        asked.extend(text("opt-level").map(|level| ("opt-level", level)));
        asked.extend(text("panic").map(|panic| ("panic", panic)));
        asked.extend(text("codegen-units").map(|units| ("codegen-units", units)));
        asked.extend(text("codegen-backend").map(|backend| ("Z codegen-backend", backend)));
        let lto = text("lto").map(|lto| match lto.as_str() {
            "true" => "fat".to_owned(),
            "n" | "no" => "off".to_owned(),
            _ => lto,
        });
        asked.extend(lto.map(|lto| ("lto", lto)));
        let debug = text("debug").map(|debug| match debug.as_str() {
            "true" | "full" => "2".to_owned(),
            "false" | "none" => "0".to_owned(),
            "limited" => "1".to_owned(),
            _ => debug,
        });
        let strip = text("strip").map(|strip| match strip.as_str() {
            "true" => "symbols".to_owned(),
            "false" => "none".to_owned(),
            _ => strip,
        });
        asked.extend(strip.map(|strip| ("strip", strip)));
        asked.extend(debug.map(|debug| ("debuginfo", debug)));
        asked
    }
}

/// The profile that a profile builds on.
fn inherited<'a>(name: &'a str, profiles: &'a Table) -> Option<&'a str> {
    match name {
        "dev" | "release" => None,
        "test" => Some("dev"),
        "bench" => Some("release"),
        _ => profiles.get(name)?.get("inherits")?.as_str(),
    }
}

fn built_in(opt_level: &str, debugging: bool) -> Table {
    let mut table = Table::new();
    for (name, value) in [
        ("opt-level", Value::from(opt_level)),
        ("debug", Value::from(debugging)),
        ("debug-assertions", Value::from(debugging)),
        ("overflow-checks", Value::from(debugging)),
        ("incremental", Value::from(debugging)),
        ("lto", Value::from(false)),
        ("panic", Value::from("unwind")),
        ("strip", Value::from(DEFAULT)),
        ("codegen-units", Value::from(DEFAULT)),
        ("codegen-backend", Value::from(DEFAULT)),
    ] {
        table.insert(name.to_owned(), value);
    }
    table
}

/// What rustc makes of options: of those that are left out too.
fn effective(options: &BTreeMap<&str, &str>) -> BTreeMap<&'static str, String> {
    let given = |name: &str| options.get(name).map(|value| (*value).to_owned());
    let opt_level = given("opt-level").unwrap_or_else(|| "0".to_owned());
    let switch = |name: &str, without: bool| {
        let on = match options.get(name) {
            Some(value) => ["", "y", "yes", "on", "true"].contains(value),
            None => without,
        };
        if on { "on" } else { "off" }.to_owned()
    };
    let assertions = switch("debug-assertions", opt_level == "0");
    let lto = match options.get("lto") {
        None => "false".to_owned(),
        Some(&("" | "true" | "y" | "yes" | "on")) => "fat".to_owned(),
        Some(&("n" | "no")) => "off".to_owned(),
        Some(other) => (*other).to_owned(),
    };
    BTreeMap::from([
        ("overflow-checks", switch("overflow-checks", assertions == "on")),
        ("debug-assertions", assertions),
        ("incremental", if options.contains_key("incremental") { "on" } else { "off" }.to_owned()),
        ("panic", given("panic").unwrap_or_else(|| "unwind".to_owned())),
        ("codegen-units", given("codegen-units").unwrap_or_else(|| DEFAULT.to_owned())),
        ("Z codegen-backend", given("Z codegen-backend").unwrap_or_else(|| DEFAULT.to_owned())),
        ("strip", given("strip").unwrap_or_else(|| "none".to_owned())),
        ("debuginfo", given("debuginfo").unwrap_or_else(|| "0".to_owned())),
        ("opt-level", opt_level),
        ("lto", lto),
    ])
}

fn clause(name: &str, found: &str, asked: &str) -> String {
    let name = name.trim_start_matches("Z ");
    format!("{name} is {found} where the profile in Cargo.toml says {asked}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(manifest: &str, name: &str) -> Option<Profile> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        Profile::read(folder.path(), name)
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// What is reported of a command line under a profile.
    fn told(profile: &Profile, command: &str, flags: &str) -> Vec<String> {
        profile.overridden("a", Product::Executable, &Options::of(&words(command)), &words(flags))
    }

    #[test]
    fn what_the_manifest_asks_for_is_no_difference() {
        let release = profile("", "release").unwrap();
        let command = "-C opt-level=3 -C embed-bitcode=no -C strip=debuginfo -C target-cpu=znver4";
        assert_eq!(told(&release, command, "-C target-cpu=znver4"), [""; 0]);
        assert!(!release.incremental());
        let dev = profile("", "dev").unwrap();
        assert_eq!(told(&dev, "-C embed-bitcode=no -C debuginfo=2 -C incremental=/t", ""), [""; 0]);
        assert!(dev.incremental());
        let ship = "[profile.release]\ndebug = 1\n[profile.ship]\ninherits = \"release\"\nlto = \"fat\"\n\
                    codegen-units = 1\npanic = \"abort\"\nstrip = true\n[profile.ship.package.a]\nopt-level = \"s\"\n";
        let ship = profile(ship, "ship").unwrap();
        let command =
            "-C opt-level=s -C panic=abort -C lto=fat -C codegen-units=1 -C debuginfo=1 -C strip=symbols";
        assert_eq!(told(&ship, command, ""), [""; 0]);
        assert_eq!(
            told(&ship, &format!("{command} -C lto=thin -Copt-level=2"), "-C lto=thin -Copt-level=2"),
            [""; 0]
        );
    }

    #[test]
    fn what_a_config_file_says_otherwise_is_named() {
        let release = profile("", "release").unwrap();
        for (command, name) in [
            ("-C opt-level=1", "opt-level is 1 where the profile in Cargo.toml says 3"),
            ("-C opt-level=3 -C lto", "lto is fat where the profile in Cargo.toml says false"),
            (
                "-C opt-level=3 -C codegen-units=1",
                "codegen-units is 1 where the profile in Cargo.toml says its default",
            ),
            ("-C opt-level=3 -C panic=abort", "panic is abort where the profile in Cargo.toml says unwind"),
            ("-C opt-level=3 -C debug-assertions=on -C overflow-checks=off", "debug-assertions is on"),
            ("-C opt-level=3 -C overflow-checks=on", "overflow-checks is on"),
            ("-C opt-level=3 -C incremental=/t", "incremental is on"),
            ("-C opt-level=3 -C strip=symbols", "strip is symbols"),
            ("-C opt-level=3 -C debuginfo=2", "debuginfo is 2"),
        ] {
            let told = told(&release, command, "");
            assert!(told.len() == 1 && told[0].starts_with(name), "{command}: {told:?}");
        }
    }

    #[test]
    fn dependencies_are_held_against_their_own_settings() {
        let text = "[profile.release.package.\"*\"]\nopt-level = 2\n[profile.release.package.\"b@1.0.0\"]\nopt-level = 1\n";
        let release = profile(text, "release").unwrap();
        let unit = |level: &str| UnitProfile {
            opt_level: level.to_owned(),
            debug_assertions: false,
            overflow_checks: false,
        };
        assert_eq!(release.overridden_in("b", &unit("1"), &[]), [""; 0]);
        assert_eq!(release.overridden_in("c", &unit("2"), &[]), [""; 0]);
        assert_eq!(release.overridden_in("c", &unit("3"), &[]), [""; 0], "a member");
        let told = release.overridden_in("c", &unit("0"), &[]);
        assert_eq!(told, ["opt-level is 0 where the profile in Cargo.toml says 2 in c"]);
    }

    #[test]
    fn of_a_profile_of_no_manifest_nothing_is_known() {
        assert_eq!(profile("", "fast"), None);
        assert_eq!(profile("[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"a\"\n", "a"), None);
    }
}
