//! The files below a root, as the tools read them.

use std::path::Path;

use mcp_source::walk::{Rules, walk};
use mcp_source::{Language, Limits, Skips, parse, read};
use mcp_workspace::Root;

/// The most files of a tree.
pub const MOST_FILES: usize = 200_000;

/// The paths of a root, relative and sorted, and what was left out.
#[must_use]
pub fn files(root: &Path) -> (Vec<String>, Skips) {
    let walked = walk(root, &Rules { most: MOST_FILES, ..Rules::default() });
    (walked.files.into_iter().map(|file| file.path).collect(), walked.skipped)
}

/// Those of a list that lie below any of some paths, or are one.
#[must_use]
pub fn below<'a>(files: &'a [String], paths: &[String]) -> Vec<&'a str> {
    let wanted: Vec<&str> = paths.iter().map(|path| path.trim_matches('/')).collect();
    let is_wanted = |file: &&str| {
        wanted.is_empty()
            || wanted.iter().any(|path| {
                path.is_empty()
                    || *path == "."
                    || file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    };
    files.iter().map(String::as_str).filter(is_wanted).collect()
}

/// A source file that was read and parsed.
pub struct Parsed {
    /// Its language.
    pub language: Language,
    /// Its bytes.
    pub text: Vec<u8>,
    /// Its syntax tree.
    pub tree: mcp_source::tree_sitter::Tree,
}

/// Reads a source file; `None` where it is none or cannot be read, which is counted.
pub fn source(root: &Root, path: &str, skips: &mut Skips) -> Option<(Language, Vec<u8>)> {
    Language::of_path(path.as_ref())?;
    let text = match read(root, path.as_ref(), &Limits::default()) {
        Ok(text) => text,
        Err(reason) => {
            skips.add(reason);
            return None;
        }
    };
    Some((Language::of_file(path.as_ref(), &text)?, text))
}

/// Reads and parses a source file; `None` as [`source`].
pub fn parsed(root: &Root, path: &str, skips: &mut Skips) -> Option<Parsed> {
    let (language, text) = source(root, path, skips)?;
    match parse::parse(language, &text, parse::USUAL_TIME) {
        Ok(tree) => Some(Parsed { language, text, tree }),
        Err(refused) => {
            skips.add(refused.reason());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_choose_files_and_directories() {
        let files = ["a.rs", "src/a.rs", "src/b/c.rs", "srcs/d.rs"].map(str::to_owned);
        let of =
            |paths: &[&str]| below(&files, &paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]).len(), 4);
        assert_eq!(of(&["."]).len(), 4);
        assert_eq!(of(&["src"]), ["src/a.rs", "src/b/c.rs"]);
        assert_eq!(of(&["src/b/", "a.rs"]), ["a.rs", "src/b/c.rs"]);
        assert_eq!(of(&["none"]), [""; 0]);
    }
}
