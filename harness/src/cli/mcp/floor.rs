//! The floors that were asked for: where the null server is, or how it is built.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use crate::cli::mcp::args::CommonArgs;
use crate::experiment::surroundings::target_directory;
use crate::load_test::Floors;
use crate::process::{Invocation, Limits, run};

/// The floors of a load test.
///
/// # Errors
/// The server that was named is not there, or this project's cannot be built.
pub(crate) fn floors(args: &CommonArgs, lab: &Path, root: Option<&Path>) -> anyhow::Result<Floors> {
    if args.no_floors {
        return Ok(Floors::None);
    }
    Ok(null_server(args.floor_server.as_deref(), lab, root)?.map_or(Floors::Pipe, Floors::Server))
}

/// The null server: as named, beside the lab, or built from this workspace.
///
/// # Errors
/// As of [`floors`].
pub(crate) fn null_server(
    named: Option<&Path>,
    lab: &Path,
    root: Option<&Path>,
) -> anyhow::Result<Option<PathBuf>> {
    if let Some(named) = named {
        return match std::path::absolute(named)? {
            path if path.is_file() => Ok(Some(path)),
            path => bail!("--floor-server: there is no file {}", path.display()),
        };
    }
    let beside = lab.with_file_name("null-server");
    if beside.is_file() {
        return Ok(Some(beside));
    }
    let Some(root) = root.filter(|root| root.join("harness/fixtures/src/null_server.rs").is_file()) else {
        errln!("note: there is no null-server beside {}: that floor is not measured", lab.display());
        return Ok(None);
    };
    let target = target_directory(root).join("perflab/floor");
    errln!(" floor    building null-server");
    let words = [
        "build",
        "--quiet",
        "--release",
        "--package",
        "perflab-fixtures",
        "--bin",
        "null-server",
        "--bin",
        "tool-server",
        "--target-dir",
    ];
    let words = words.iter().map(OsString::from).chain([target.clone().into_os_string()]);
    let invocation = Invocation::new("cargo", words).in_folder(root);
    let output = run(&invocation, Limits { timeout: Duration::from_secs(600), output: 1 << 16 }, &|| false)?;
    if !output.success() {
        bail!("the floor's server cannot be built (--no-floors goes without):\n{}", output.stderr.trim());
    }
    Ok(Some(target.join("release/null-server")))
}
