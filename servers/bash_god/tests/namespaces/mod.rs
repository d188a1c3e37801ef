//! Programs in a root of their own, where nothing of the machine can be changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Which `/etc` is seen.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "each test uses one of them")]
pub enum Etc {
    /// The machine's, read-only.
    Bound,
    /// A small one in memory.
    Own,
}

/// A command that starts `program` in new namespaces, with the files of the directory `given` to be seen in `/given`.
/// `base` is an empty directory that others may enter.
///
/// Root of the machine becomes nobody first: whoever is root in the namespaces then owns nothing outside them,
/// neither files nor the settings of the kernel in /proc.
pub fn command(base: &Path, given: &Path, etc: Etc, program: &[&str]) -> Command {
    let root = base.join("root");
    fs::create_dir_all(&root).unwrap();
    for folder in [base, given] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut line: Vec<String> = Vec::new();
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        line.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned));
    }
    line.extend(
        ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc"].map(str::to_owned),
    );
    line.extend(["--uts", "--fork", "--kill-child", "bash"].map(str::to_owned));
    let script = given.join("namespace.sh");
    fs::copy(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/namespace.sh"), &script).unwrap();
    let etc = match etc {
        Etc::Bound => "bound",
        Etc::Own => "own",
    };
    for path in [&script, &root, given] {
        line.push(path.to_str().unwrap().to_owned());
    }
    line.push(etc.to_owned());
    line.extend(program.iter().map(|&word| word.to_owned()));
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]);
    command
}

/// What the command wrote, or the reason for which the system does not let such namespaces be made.
///
/// # Panics
/// If the namespaces were made and something can be written there: no command may run in them then.
pub fn output(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("unshare cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    let starts = ["unshare: ", "setpriv: ", "mount: ", "umount: ", "namespace.sh: "];
    let refused = starts.iter().any(|start| why.starts_with(start)) && !why.contains("can be written");
    assert!(refused, "{}: {why}", output.status);
    Err(format!("namespaces are not permitted here: {}", why.trim()))
}
