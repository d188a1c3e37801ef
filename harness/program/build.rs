//! Finds out how the program is built: what a library cannot know of its own compilation.

#[path = "src/flags.rs"]
mod flags;

use std::env;
use std::path::Path;

/// What Cargo puts into a package that it publishes.
const PUBLISHED_FROM: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/flags.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let variable = |name| env::var(name).unwrap_or_default();
    let target = flags::target(&variable("CARGO_ENCODED_RUSTFLAGS"), &variable("CARGO_CFG_TARGET_ARCH"));
    println!("cargo::rustc-env=PROGRAM_TARGET={target}");
    let profile = flags::profile(Path::new(&variable("OUT_DIR"))).unwrap_or_else(|| variable("PROFILE"));
    println!("cargo::rustc-env=PROGRAM_PROFILE={profile}");
    if let Ok(recorded) =
        std::fs::read_to_string(Path::new(&variable("CARGO_MANIFEST_DIR")).join(PUBLISHED_FROM))
    {
        println!("cargo::rerun-if-changed={PUBLISHED_FROM}");
        if let Some(commit) = flags::recorded_commit(&recorded) {
            println!("cargo::rustc-env=PROGRAM_PUBLISHED_FROM={commit}");
        }
    }
}
