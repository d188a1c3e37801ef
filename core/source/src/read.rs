//! Reading one file beneath its root.

use std::io::{self, Read};
use std::path::Path;

use mcp_workspace::Root;

use crate::lines::longest_line;
use crate::skip::Reason;

/// What a file may be for it to be read as source.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a file.
    pub bytes: u64,
    /// The most bytes of a line.
    pub line: usize,
}

impl Default for Limits {
    /// Files that people write: generated tables reach some megabytes, minified bundles have lines of some hundred
    /// thousand bytes.
    fn default() -> Self {
        Self { bytes: 4 << 20, line: 100_000 }
    }
}

/// How far a NUL is looked for: as git and grep do, near the start.
const BINARY_WITHIN: usize = 8_000;

/// Whether a text is none, by git's rule: a NUL within its first bytes.
#[must_use]
pub fn is_binary(text: &[u8]) -> bool {
    memchr::memchr(0, &text[..text.len().min(BINARY_WITHIN)]).is_some()
}

/// The bytes of a regular file beneath a root: neither `..` nor a link leads out of it.
///
/// # Errors
/// The reason why it is left out.
pub fn read(root: &Root, below: &Path, limits: &Limits) -> Result<Vec<u8>, Reason> {
    let file = root.file(below).map_err(|error| reason(&error))?;
    let length = file.metadata().map_err(|error| reason(&error))?.len();
    if length > limits.bytes {
        return Err(Reason::TooLarge);
    }
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    // One byte more tells a file that grew meanwhile.
    file.take(limits.bytes + 1).read_to_end(&mut text).map_err(|error| reason(&error))?;
    if text.len() as u64 > limits.bytes {
        return Err(Reason::TooLarge);
    }
    if is_binary(&text) {
        return Err(Reason::Binary);
    }
    if longest_line(&text) > limits.line {
        return Err(Reason::LongLine);
    }
    Ok(text)
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::CrossesDevices => Reason::OutsideRoot,
        io::ErrorKind::InvalidInput => Reason::NotRegular,
        _ => Reason::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_as_source_says_why() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("root");
        std::fs::create_dir(&directory).unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(directory.join(name), text).unwrap();
        write("a.rs", b"fn a() {}\n");
        write("binary.rs", b"a\0b");
        write("large.rs", &[b'\n'; 200]);
        write("line.rs", &[b'x'; 60]);
        std::fs::write(base.path().join("outside.rs"), "secret").unwrap();
        std::os::unix::fs::symlink("../outside.rs", directory.join("link.rs")).unwrap();
        std::os::unix::fs::symlink("a.rs", directory.join("inner.rs")).unwrap();
        let root = Root::open(&directory).unwrap();
        let limits = Limits { bytes: 100, line: 50 };
        let reason = |name: &str| read(&root, Path::new(name), &limits).map(|text| text.len());
        assert_eq!(reason("a.rs"), Ok(10));
        assert_eq!(reason("inner.rs"), Ok(10));
        assert_eq!(reason("binary.rs"), Err(Reason::Binary));
        assert_eq!(reason("large.rs"), Err(Reason::TooLarge));
        assert_eq!(reason("line.rs"), Err(Reason::LongLine));
        assert_eq!(reason("link.rs"), Err(Reason::OutsideRoot));
        assert_eq!(reason("../outside.rs"), Err(Reason::OutsideRoot));
        assert_eq!(reason("none.rs"), Err(Reason::Unreadable));
        assert_eq!(reason("."), Err(Reason::NotRegular));
    }
}
