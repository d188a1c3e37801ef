//! Reads what Cargo tells a build script. The build script includes this file, and the library tests it.

use std::path::Path;

/// The `target-cpu` that is compiled for, with the features that are named beside it. `encoded` is what Cargo passes in
/// `CARGO_ENCODED_RUSTFLAGS`.
pub(crate) fn target(encoded: &str, architecture: &str) -> String {
    let flags: Vec<&str> = encoded.split('\x1f').filter(|flag| !flag.is_empty()).collect();
    let mut said = values(&flags, "target-cpu").last().copied().unwrap_or(baseline(architecture)).to_owned();
    for features in values(&flags, "target-feature") {
        said.push(' ');
        said.push_str(features);
    }
    said
}

/// What rustc takes where no CPU is named.
fn baseline(architecture: &str) -> &str {
    if architecture == "x86_64" { "x86-64" } else { "generic" }
}

/// The values of codegen option `name`, in both spellings that rustc knows.
fn values<'a>(flags: &[&'a str], name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut after = "";
    for flag in flags {
        let option = match flag.strip_prefix("-C").or_else(|| flag.strip_prefix("--codegen=")) {
            Some(joined) => joined,
            None if after == "-C" || after == "--codegen" => flag,
            None => "",
        };
        if let Some((key, value)) = option.split_once('=')
            && key == name
        {
            found.push(value);
        }
        after = flag;
    }
    found
}

/// Cargo's profile, by the directory that is built in: the variable `PROFILE` says only `debug` or `release`.
pub(crate) fn profile(out_dir: &Path) -> Option<String> {
    let build =
        out_dir.ancestors().filter(|part| part.file_name().is_some_and(|name| name == "build")).last()?;
    let directory = build.parent()?.file_name()?.to_str()?;
    Some(if directory == "debug" { "dev" } else { directory }.to_owned())
}

/// The commit in what Cargo puts into a package that it publishes.
pub(crate) fn recorded_commit(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?;
    (commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| &commit[..12])
}
