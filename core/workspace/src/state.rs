//! The directory for what a server remembers.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The word with which a user says that nothing is to be remembered.
pub const NONE: &str = "none";

/// The state directory of a server: the one that was asked for, or one of the server's name in the user's data
/// directory; `None` where nothing is to be remembered.
#[must_use]
pub fn directory(asked: Option<&Path>, server: &str) -> Option<PathBuf> {
    match asked {
        Some(asked) if asked.as_os_str() == NONE => None,
        Some(asked) => Some(asked.to_owned()),
        None => data_directory().map(|data| data.join(server)),
    }
}

/// `$XDG_DATA_HOME`, or its default (XDG Base Directory Specification 0.8).
#[must_use]
pub fn data_directory() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let set = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).and_then(absolute);
    set.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
}

/// The user's home directory; that of root where the system names none.
#[must_use]
pub fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/root"))
}

/// Makes a state directory, for its owner only; one that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn make(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// The root that a state directory shares files with: what runs in that root could forge or remove what is remembered.
/// The directory need not be there yet; links in its path and in those of the roots are followed.
#[must_use]
pub fn exposed<'a>(directory: &Path, roots: &'a [PathBuf]) -> Option<&'a Path> {
    let place = resolved(directory);
    let shares = |root: &&PathBuf| {
        let root = resolved(root);
        place.starts_with(&root) || root.starts_with(&place)
    };
    roots.iter().find(shares).map(PathBuf::as_path)
}

/// A path with the links of the part that is there followed.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, found)) = there else { return path };
    // The rest is not there, so that there is no link in it, and `..` in it leads back to what is.
    let rest = path.strip_prefix(above).unwrap_or(Path::new(""));
    rest.components().fold(found, |mut found, part| {
        match part {
            std::path::Component::ParentDir => {
                found.pop();
            }
            part => found.push(part),
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_that_shares_files_with_a_root_is_found() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        std::fs::create_dir_all(at("root/inner")).unwrap();
        std::fs::create_dir_all(at("beside")).unwrap();
        std::os::unix::fs::symlink(at("root/inner"), at("link")).unwrap();
        let roots = [at("other"), at("root")];
        for name in ["root", "root/state", "root/not/yet", "link", "link/state", "beside/../root/x"] {
            assert_eq!(exposed(&at(name), &roots), Some(roots[1].as_path()), "{name}");
        }
        for name in ["beside", "beside/state", "rootling", "root/../beside", "not/there/../../beside"] {
            assert_eq!(exposed(&at(name), &roots[1..]), None, "{name}");
        }
        assert!(exposed(base.path(), &roots).is_some(), "it holds the roots");
        // A root that is reached by a link.
        assert!(exposed(&at("root/inner/state"), &[at("link")]).is_some());
    }

    #[test]
    fn a_state_directory_is_the_one_asked_for_or_one_of_the_servers_name() {
        assert_eq!(directory(Some(Path::new("none")), "x-mcp"), None);
        assert_eq!(directory(Some(Path::new("/a/b")), "x-mcp"), Some("/a/b".into()));
        assert!(directory(None, "x-mcp").is_none_or(|found| found.ends_with("x-mcp")));
    }

    #[test]
    fn a_new_directory_is_its_owners_and_one_that_is_there_stays() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("a/b");
        let mode = || directory.metadata().unwrap().permissions().mode() & 0o777;
        make(&directory).unwrap();
        assert_eq!(mode(), 0o700);
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o750)).unwrap();
        make(&directory).unwrap();
        assert_eq!(mode(), 0o750);
    }
}
