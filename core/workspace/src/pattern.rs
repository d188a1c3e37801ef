//! Patterns of paths: made absolute, and compared with directories and globs. Names only; no file is looked at.

use serde::{Deserialize, Serialize};

/// Files by name: a literal path, or a glob in which `*`, `?` and `[` keep their meaning and literal ones
/// carry a backslash. `**` alone stands for any path at all. Paths are absolute where the working directory
/// is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PathPattern(pub String);

impl PathPattern {
    /// Any path at all.
    #[must_use]
    pub fn anything() -> Self {
        Self("**".to_owned())
    }

    /// Whether this stands for any path at all.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.0 == "**"
    }
}

/// A pattern that is written relative to a directory, made absolute.
#[must_use]
pub fn absolute(pattern: &str, directory: Option<&str>) -> PathPattern {
    if pattern.starts_with('/') {
        return normal(pattern);
    }
    match directory {
        Some(directory) => normal(&format!("{}/{pattern}", escape(directory))),
        None => PathPattern::anything(),
    }
}

/// A literal path for an argument, absolute and without `.` and `..`.
#[must_use]
pub fn literal(text: &str, directory: Option<&str>) -> Option<String> {
    let path = absolute(&escape(text), directory);
    (!path.is_anything()).then(|| unescape(&path.0))
}

fn normal(path: &str) -> PathPattern {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // `*/..` is wherever a link that the star matches leads.
            ".." if parts.last().is_some_and(|last| has_wildcard(last)) => return PathPattern::anything(),
            ".." => {
                parts.pop();
            }
            // Before bash 5.2 these match the parent as well.
            _ if matches_parent(part) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    PathPattern(format!("/{}", parts.join("/")))
}

fn matches_parent(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() >= 2
        && has_wildcard(part)
        && bytes[0] == b'.'
        && match bytes[1] {
            b'*' => bytes.len() == 2,
            b'?' => bytes.len() == 2 || &bytes[2..] == b"*",
            b'.' => bytes[2..].iter().all(|b| *b == b'*'),
            _ => false,
        }
}

/// Whether a pattern has a wildcard that is not escaped.
#[must_use]
pub fn has_wildcard(pattern: &str) -> bool {
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// A text in which no character is a wildcard.
#[must_use]
pub fn escape(text: &str) -> String {
    if !text.contains(['*', '?', '[', '\\']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        out.push(if c == '\\' { characters.next().unwrap_or('\\') } else { c });
    }
    out
}

/// Whether everything that a pattern matches lies in a directory or is the directory itself.
#[must_use]
pub fn within(pattern: &PathPattern, directory: &str) -> bool {
    if pattern.is_anything() {
        return false;
    }
    let directory = escape(directory.trim_end_matches('/'));
    pattern.0.strip_prefix(&directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a pattern can match a path that `glob` matches. `*` in `glob` does not cross a slash, `**` does.
/// Errs towards yes where both have wildcards.
#[must_use]
pub fn may_match(pattern: &PathPattern, glob: &str) -> bool {
    if pattern.is_anything() {
        return true;
    }
    if !pattern.0.contains(['*', '?', '[', '\\']) && !has_fixed_parts(&pattern.0, glob) {
        return false;
    }
    let left: Vec<&str> = pattern.0.split('/').collect();
    let right: Vec<&str> = glob.split('/').collect();
    parts_match(&left, &right)
}

/// Whether a path holds the parts of a glob that have no wildcard, which most paths do not; costs no memory.
fn has_fixed_parts(path: &str, glob: &str) -> bool {
    glob.split('/').all(|part| match part.rsplit_once('*') {
        Some((_, rest)) => path.contains(rest),
        None => part.contains(['?', '[', '\\']) || path.contains(part),
    })
}

fn parts_match(left: &[&str], right: &[&str]) -> bool {
    match (left.first(), right.first()) {
        (None, None) => true,
        (_, Some(&"**")) => {
            parts_match(left, &right[1..]) || (!left.is_empty() && parts_match(&left[1..], right))
        }
        // Whatever follows, some path below matches both.
        (Some(&"**"), Some(_)) => true,
        (Some(a), Some(b)) => part_matches(a, b) && parts_match(&left[1..], &right[1..]),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn part_matches(pattern: &str, glob: &str) -> bool {
    if has_wildcard(pattern) {
        // Two patterns overlap unless their fixed starts differ.
        let fixed = |text| str::split(text, ['*', '?', '[', '\\']).next().unwrap_or("");
        let (a, b): (&str, &str) = (fixed(pattern), fixed(glob));
        return a.starts_with(b) || b.starts_with(a);
    }
    matches(&unescape(pattern), glob)
}

/// Whether a name matches a glob of `*` and `?`, in time linear in both but for the last star.
#[must_use]
pub fn matches(name: &str, glob: &str) -> bool {
    let (name, glob): (Vec<char>, Vec<char>) = (name.chars().collect(), glob.chars().collect());
    let (mut n, mut g, mut star) = (0, 0, None);
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                n += 1;
                g += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    g = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        absolute(text, Some("/w/p")).0
    }

    #[test]
    fn paths_become_absolute_and_plain() {
        for (text, plain) in [
            ("a/./b/../c", "/w/p/a/c"),
            ("../../..", "/"),
            ("/etc//passwd", "/etc/passwd"),
            ("*.rs", "/w/p/*.rs"),
            ("a*/../x", "**"),
            (".*", "/w"),
            (".[!.]*", "/w/p/.[!.]*"),
        ] {
            assert_eq!(path(text), plain, "{text}");
        }
        assert!(absolute("a", None).is_anything());
    }

    #[test]
    fn a_directory_holds_what_lies_below_it() {
        for (text, inside) in
            [("a", true), ("../p/b", true), ("../pp", false), ("/w", false), (".", true), ("/w/p*", false)]
        {
            assert_eq!(within(&PathPattern(path(text)), "/w/p"), inside, "{text}");
        }
        assert!(!within(&PathPattern::anything(), "/"));
    }

    #[test]
    fn patterns_meet_globs() {
        for (text, glob, met) in [
            ("/etc/passwd", "/etc/**", true),
            ("/etc", "/etc/**", true),
            ("/home/u/.ssh/id", "/**/.ssh/**", true),
            ("/w/*.pem", "/**/*.pem", true),
            ("/w/a.rs", "/**/*.pem", false),
            ("/w/a\\*", "/w/a\\*", false),
            ("**", "/x", true),
        ] {
            assert_eq!(may_match(&PathPattern(text.to_owned()), glob), met, "{text} {glob}");
        }
    }
}
