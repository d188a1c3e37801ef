//! The directories that a server's tools may work in.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::beneath::{PathError, Root, place};

/// The directories that a server's tools may work in. A clone shares them.
#[derive(Clone, Debug)]
pub struct Roots {
    roots: Arc<[Root]>,
    paths: Vec<PathBuf>,
    names: Vec<String>,
}

impl Roots {
    /// Opens directories that exist.
    ///
    /// # Errors
    /// None is given, one is not a directory, or its name is not UTF-8.
    pub fn new(given: &[PathBuf]) -> Result<Self, PathError> {
        if given.is_empty() {
            return Err(PathError::new(Path::new(""), "a workspace needs at least one root"));
        }
        let roots: Arc<[Root]> = given.iter().map(|root| Root::open(root)).collect::<Result<_, _>>()?;
        let paths: Vec<PathBuf> = roots.iter().map(|root| root.path().to_owned()).collect();
        let name = |path: &PathBuf| {
            path.to_str().map(str::to_owned).ok_or_else(|| PathError::new(path, "its name is not UTF-8"))
        };
        let names = paths.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Self { roots, paths, names })
    }

    /// Where they are: absolute and without links.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The same as text.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The root that holds an absolute path by its name, if any does.
    #[must_use]
    pub fn holding(&self, path: &Path) -> Option<&Path> {
        self.paths.iter().map(PathBuf::as_path).find(|root| path.starts_with(root))
    }

    /// The path that a caller means by an argument called `argument`: relative to the first root, or absolute below
    /// one of them; the first root where nothing is given. Whether it is there, and whether links lead out of its
    /// root, is for the kernel to say when it is opened.
    ///
    /// # Errors
    /// One sentence: it lies outside of the roots, or is not a path.
    pub fn resolve(&self, argument: &str, asked: Option<&str>) -> Result<PathBuf, String> {
        let asked = asked.unwrap_or_default();
        if asked.contains('\0') {
            return Err(format!("{argument} holds a NUL: give a path"));
        }
        let mut path = PathBuf::new();
        for part in self.paths[0].join(asked).components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => path.push(part),
            }
        }
        if self.holding(&path).is_some() {
            return Ok(path);
        }
        let names = self.names.join(", ");
        Err(format!("{argument} {asked} lies below none of the roots ({names}): name a path below one"))
    }

    /// Opens a regular file for reading, beneath its root: neither `..` nor a link leads out of it.
    ///
    /// # Errors
    /// It lies below none of the roots, or leads out of its root, or what the system says.
    pub fn open(&self, asked: &str) -> Result<File, PathError> {
        let refused = |message: &str| PathError::new(Path::new(asked), message);
        let path = Path::new(asked);
        let (number, below) =
            place(&self.roots, path).ok_or_else(|| refused("lies below none of the roots"))?;
        self.roots[number].file(&below).map_err(|error| match error.kind() {
            io::ErrorKind::CrossesDevices => refused("leads out of its root"),
            _ => refused(&format!("cannot be read ({error})")),
        })
    }

    /// The text of a file of at most `most` bytes, opened as by [`Roots::open`].
    ///
    /// # Errors
    /// As [`Roots::open`], and for a file that is longer or not UTF-8.
    pub fn read_text(&self, asked: &str, most: u64) -> Result<String, PathError> {
        let refused = |message: String| PathError::new(Path::new(asked), message);
        let mut bytes = Vec::new();
        // One byte more tells a file that is longer, whatever its size was a moment ago.
        let read = self.open(asked)?.take(most.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| refused(format!("cannot be read ({error})")))?;
        if bytes.len() as u64 > most {
            return Err(refused(format!("has more than {most} bytes")));
        }
        String::from_utf8(bytes).map_err(|_| refused("is not UTF-8".to_owned()))
    }
}
