//! What can be wrong with a suite or a flag set: one sentence, the place, and what would be right.

use std::fmt;
use std::ops::Range;

/// A fault in a text that the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The file's name, as the user knows it.
    pub file: String,
    /// Line and column, from 1, where there is a place.
    pub place: Option<Place>,
    /// What was wrong.
    pub wrong: String,
    /// What would be right.
    pub right: Option<String>,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl PlanError {
    pub(crate) fn at(file: &str, text: &str, span: Option<Range<usize>>, wrong: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: span.map(|span| place(text, span.start)),
            wrong: wrong.into(),
            right: None,
        }
    }

    pub(crate) fn right(mut self, right: impl Into<String>) -> Self {
        self.right = Some(right.into());
        self
    }

    /// A name that is not among the known ones, with the nearest of them.
    pub(crate) fn unknown(mut self, kind: &str, name: &str, known: &[&str]) -> Self {
        self.wrong = format!("unknown {kind} \"{name}\"");
        self.right = Some(suggest(name, known));
        self
    }

    pub(crate) fn toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self::at(file, text, error.span(), error.message().trim().replace('\n', "; "))
    }
}

/// The list of what is known, and the one that was probably meant.
pub(crate) fn suggest(name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|&candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.5);
    let list = format!("known: {}", known.join(", "));
    match nearest {
        Some((_, candidate)) => format!("{list}   (did you mean \"{candidate}\"?)"),
        None => list,
    }
}

fn place(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.wrong)?;
        if let Some(right) = &self.right {
            write!(f, "\n       {right}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}
