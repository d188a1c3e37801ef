//! What a commit lacks of that which a suite of today names: there is nothing to compare with then.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use crate::experiment::context::Context;
use crate::experiment::revision::{Revision, short_hash};
use crate::plan::{Variant, Workload};
use crate::process::{Invocation, Limits, run};

/// Profiles that every workspace has.
const PROFILES: [&str; 4] = ["dev", "release", "test", "bench"];

/// What `cargo metadata` says of a workspace, as far as it is asked.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
    features: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Revision {
    /// What of an arm this commit does not have, in a clause; `None` where it has all that building the arm takes.
    ///
    /// # Errors
    /// Cargo cannot be run.
    pub(crate) fn lacks(&self, context: &Context, workload: &Workload) -> anyhow::Result<Option<String>> {
        let manifest = self.root.join("Cargo.toml");
        let shown = short_hash(&self.commit);
        let Ok(text) = std::fs::read_to_string(&manifest) else {
            return Ok(Some(format!("{shown} has no Cargo.toml here: there was no workspace then")));
        };
        let Some(variant) = workload.variant().filter(|_| workload.by_cargo()) else { return Ok(None) };
        let args = ["metadata", "--no-deps", "--format-version", "1"];
        let invocation = Invocation::new("cargo", args).in_folder(&self.root);
        let limits = Limits { timeout: Duration::from_secs(60), output: 64 << 20 };
        let output = run(&invocation, limits, &|| context.stopped())?;
        // Whatever is wrong with its manifests, the build says it.
        if output.success() {
            let metadata: Metadata = serde_json::from_str(&output.stdout).context("cargo metadata")?;
            if let Some(lacks) = absent(&metadata.packages, variant, workload.ffi().is_some()) {
                return Ok(Some(format!("{shown} {lacks}")));
            }
        }
        if self.flagsets.get(&variant.flagset).is_err() {
            return Ok(Some(format!("{shown} has no flag set \"{}\"", variant.flagset)));
        }
        if let Some(lacks) = self.lacks_profile(&text, &variant.profile) {
            return Ok(Some(format!("{shown} {lacks}")));
        }
        Ok(None)
    }

    fn lacks_profile(&self, manifest: &str, profile: &str) -> Option<String> {
        let config = ["config.toml", "config"].map(|name| self.root.join(".cargo").join(name));
        let config = config.iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let has = |text: &str| {
            text.parse::<toml::Table>()
                .is_ok_and(|table| table.get("profile").and_then(|profiles| profiles.get(profile)).is_some())
        };
        // The lab's own are named in its calls of Cargo.
        let own = format!("profile.{profile}.");
        let of_lab = self.options.iter().any(|option| option.to_string_lossy().starts_with(&own));
        let known = of_lab
            || PROFILES.contains(&profile)
            || has(manifest)
            || config.into_iter().any(|text| has(&text));
        (!known).then(|| format!("has no profile \"{profile}\""))
    }
}

/// What of a variant the packages of a workspace do not have.
fn absent(packages: &[Package], variant: &Variant, is_library: bool) -> Option<String> {
    let Variant { package, bin, features, .. } = variant;
    let Some(found) = packages.iter().find(|known| &known.name == package) else {
        let names: Vec<&str> = packages.iter().map(|known| known.name.as_str()).collect();
        return Some(format!("has no package \"{package}\"; it has {}", names.join(", ")));
    };
    let (kind, named) = if variant.bench.is_some() { ("bench", "bench target") } else { ("bin", "program") };
    let is_there = |target: &Target| &target.name == bin && target.kind.iter().any(|found| found == kind);
    if !is_library && !found.targets.iter().any(is_there) {
        return Some(format!("has no {named} \"{bin}\" in package \"{package}\""));
    }
    // A feature of another package, `NAME/FEATURE`, is known to that one.
    let own = |feature: &&String| !feature.contains('/') && !found.features.contains_key(*feature);
    let lacking = features.iter().find(own)?;
    Some(format!("has no feature \"{lacking}\" in package \"{package}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Source;

    #[test]
    fn a_package_a_program_and_a_feature_that_are_not_there_are_named() {
        let said = r#"{"packages":[{"name":"a","targets":[{"name":"a","kind":["lib"]},{"name":"b","kind":["bin"]}],"features":{"f":[]}}]}"#;
        let Metadata { packages } = serde_json::from_str(said).unwrap();
        let lacks = |package: &str, bin: &str, feature: &str| {
            let variant = Variant {
                package: package.to_owned(),
                bin: bin.to_owned(),
                bench: None,
                features: vec![feature.to_owned()],
                default_features: true,
                flagset: "plain".to_owned(),
                profile: "release".to_owned(),
                source: Source::Worktree,
            };
            absent(&packages, &variant, false)
        };
        assert_eq!(lacks("a", "b", "f"), None);
        assert_eq!(lacks("a", "b", "other/x"), None);
        assert_eq!(lacks("x", "b", "f").as_deref(), Some("has no package \"x\"; it has a"));
        assert_eq!(lacks("a", "a", "f").as_deref(), Some("has no program \"a\" in package \"a\""));
        assert_eq!(lacks("a", "b", "g").as_deref(), Some("has no feature \"g\" in package \"a\""));
    }
}
