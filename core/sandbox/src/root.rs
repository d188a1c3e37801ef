//! The directories that commands may see.

use std::path::Path;

use mcp_workspace::{PathError, Root};

use crate::error::SandboxError;

/// Directories that are made anew for each command, or that are the kernel's; none may be a root or hold one below the
/// last three.
const OWN_DIRECTORIES: [&str; 5] = ["/tmp", "/dev/shm", "/dev", "/proc", "/sys"];

pub(crate) fn folder_error(path: &Path, message: impl Into<String>) -> SandboxError {
    SandboxError::Directory { path: path.to_owned(), message: message.into() }
}

/// A root that is none of the sandbox's own directories.
pub(crate) fn open(given: &Path) -> Result<Root, SandboxError> {
    let root = Root::open(given).map_err(|PathError { path, message }| folder_error(&path, message))?;
    let path = root.path();
    let own = OWN_DIRECTORIES.iter().any(|own| Path::new(own).starts_with(path))
        || OWN_DIRECTORIES[2..].iter().any(|own| path.starts_with(own));
    if own {
        return Err(folder_error(given, "this directory cannot be a root; name a project's directory"));
    }
    Ok(root)
}
