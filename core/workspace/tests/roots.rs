//! Roots: which paths lie below them by name, and what the kernel opens beneath them.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mcp_workspace::{Root, Roots, open_directory, place};
use proptest::prelude::*;

fn roots(base: &Path) -> Roots {
    Roots::new(&[base.to_owned()]).unwrap()
}

#[test]
fn paths_stay_below_the_roots() {
    let base = tempfile::tempdir().unwrap();
    let roots = roots(base.path());
    let root = &roots.paths()[0];
    let absolute = root.join("x");
    for (asked, expected) in
        [(None, root.clone()), (Some("a/./b/../c"), root.join("a/c")), (absolute.to_str(), absolute.clone())]
    {
        assert_eq!(roots.resolve("cwd", asked).unwrap(), expected);
    }
    for asked in ["..", "a/../..", "/etc", "/", "a\0b", &format!("{}x", root.display())] {
        let error = roots.resolve("cwd", Some(asked)).unwrap_err();
        assert!(error.starts_with("cwd "), "{asked:?}: {error}");
    }
    assert_eq!(roots.holding(&absolute), Some(root.as_path()));
    assert_eq!(roots.holding(Path::new("/etc")), None);
}

#[test]
fn a_root_that_cannot_be_used_is_named() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (given, part) in
        [(PathBuf::from("/none"), "/none: No such file"), (file.clone(), ": not a directory")]
    {
        let error = Roots::new(&[given]).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(Roots::new(&[]).unwrap_err().to_string().contains("at least one root"));
}

#[test]
fn files_are_opened_beneath_their_root_only() {
    let base = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let (inner, secret) = (base.path().join("in"), outside.path().join("secret"));
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("a.txt"), "text").unwrap();
    std::fs::write(inner.join("bytes"), [0xff]).unwrap();
    std::fs::write(&secret, "secret").unwrap();
    symlink("a.txt", inner.join("link")).unwrap();
    symlink(&secret, inner.join("out")).unwrap();
    symlink(outside.path(), inner.join("away")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, inner.join("pipe"), rustix::fs::Mode::RWXU).unwrap();
    let roots = roots(base.path());
    let absolute = roots.paths()[0].join("in/a.txt");
    for asked in ["in/a.txt", "in/link", "in/../in/a.txt", absolute.to_str().unwrap()] {
        assert_eq!(roots.read_text(asked, 4).unwrap(), "text", "{asked}");
    }
    for (asked, part) in [
        ("in/out", "leads out of its root"),
        ("in/away/secret", "leads out of its root"),
        ("../x", "leads out of its root"),
        (secret.to_str().unwrap(), "lies below none of the roots"),
        ("in/nothing", "cannot be read"),
        ("in/pipe", "not a regular file"),
        ("in", "not a regular file"),
        ("in/bytes", "is not UTF-8"),
    ] {
        let error = roots.read_text(asked, 9).unwrap_err().to_string();
        assert!(error.starts_with(asked) && error.contains(part), "{error}");
    }
    assert!(roots.read_text("in/a.txt", 3).unwrap_err().to_string().contains("more than 3 bytes"));
}

#[test]
fn a_path_lies_in_the_innermost_root_that_holds_it() {
    let base = tempfile::tempdir().unwrap();
    let inner = base.path().join("in");
    std::fs::create_dir_all(inner.join("deep")).unwrap();
    let roots = [Root::open(base.path()).unwrap(), Root::open(&inner).unwrap()];
    let deep = roots[1].path().join("deep");
    assert_eq!(place(&roots, &deep), Some((1, "deep".into())));
    assert_eq!(place(&roots, Path::new("a/b")), Some((0, "a/b".into())));
    assert_eq!(place(&roots, Path::new("/etc")), None);
    assert_eq!(place(&[], Path::new("a")), None);
    assert!(open_directory(roots[1].as_fd(), Path::new("deep")).is_ok());
    assert_eq!(open_directory(roots[1].as_fd(), Path::new("..")).unwrap_err(), rustix::io::Errno::XDEV);
}

proptest! {
    #[test]
    fn whatever_is_asked_for_is_below_a_root_or_refused(asked in "[a./~]{0,12}") {
        let base = tempfile::tempdir().unwrap();
        let roots = roots(base.path());
        if let Ok(path) = roots.resolve("path", Some(&asked)) {
            prop_assert!(path.starts_with(&roots.paths()[0]), "{asked} is {path:?}");
            prop_assert!(!path.components().any(|part| part.as_os_str() == ".."));
        }
    }
}
