//! Where a server works.
//!
//! [`Roots`] are the directories that a server's tools may work in. They say which directory or file a caller means
//! by a path, and whether it lies below a root by its name; what is opened is opened beneath its root by the kernel
//! (`openat2`, `RESOLVE_BENEATH`), so that neither `..` nor a link leads out.
//!
//! [`pattern`] compares paths and globs by name, [`known`] says what well-known paths are (secrets, the system, files
//! that programs trust later), and [`state`] finds the directory for what a server remembers.
//!
//! ```
//! use mcp_workspace::Roots;
//!
//! # let root = tempfile::tempdir().unwrap();
//! # std::fs::write(root.path().join("notes.txt"), "one\n").unwrap();
//! let roots = Roots::new(&[root.path().to_owned()])?;
//! assert_eq!(roots.read_text("notes.txt", 1 << 20).unwrap(), "one\n");
//! assert!(roots.read_text("../outside", 1 << 20).is_err());
//! # Ok::<(), mcp_workspace::PathError>(())
//! ```

mod beneath;
pub mod known;
pub mod pattern;
mod roots;
pub mod state;

pub use beneath::{PathError, Root, open_directory, place};
pub use roots::Roots;
