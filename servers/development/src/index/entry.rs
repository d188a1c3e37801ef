//! A file of the index and its definitions, wherever they are kept.

use std::ops::Range;

use mcp_source::symbols::{Kind, Symbol};
use mcp_source::walk::Stamp;
use mcp_source::{Language, Reason};

use super::snapshot::Snapshot;
use crate::facts::{Facts, Import};

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as of `mcp_source::symbols::Symbol`")]
pub struct Def<'i> {
    pub name: &'i str,
    /// Empty where it lies in nothing.
    pub container: &'i str,
    pub kind: Kind,
    pub is_declaration: bool,
    pub range: Range<usize>,
    pub name_start: usize,
    pub body: Option<usize>,
    pub doc: Option<Range<usize>>,
    pub lines: (usize, usize),
}

impl<'i> Def<'i> {
    fn of(symbol: &'i Symbol) -> Self {
        Self {
            name: &symbol.name,
            container: symbol.container.as_deref().unwrap_or_default(),
            kind: symbol.kind,
            is_declaration: symbol.is_declaration,
            range: symbol.range.clone(),
            name_start: symbol.name_range.start,
            body: symbol.body,
            doc: symbol.doc.clone(),
            lines: symbol.lines,
        }
    }

    /// The innermost name of what it lies in.
    #[must_use]
    pub fn owner(&self) -> &'i str {
        last_part(self.container)
    }

    /// Its name with that of what it lies in.
    #[must_use]
    pub fn qualified(&self, language: Language) -> String {
        if self.container.is_empty() {
            return self.name.to_owned();
        }
        format!("{}{}{}", self.container, language.separator(), self.name)
    }

    /// The symbol that this is, for what needs the text.
    #[must_use]
    pub fn symbol(&self) -> Symbol {
        Symbol {
            kind: self.kind,
            name: self.name.to_owned(),
            container: (!self.container.is_empty()).then(|| self.container.to_owned()),
            range: self.range.clone(),
            name_range: self.name_start..self.name_start + self.name.len(),
            lines: self.lines,
            body: self.body,
            doc: self.doc.clone(),
            is_declaration: self.is_declaration,
        }
    }
}

/// The part of a qualified name behind the last separator.
#[must_use]
pub fn last_part(qualified: &str) -> &str {
    qualified.rsplit(['.', ':']).next().unwrap_or(qualified)
}

/// A file of the index.
#[derive(Clone, Copy)]
pub enum Entry<'i> {
    /// As it was when the index was written.
    Kept(&'i Snapshot, usize),
    /// As it is since.
    Fresh(&'i Facts),
}

impl<'i> Entry<'i> {
    /// Its path below the root.
    #[must_use]
    pub fn path(self) -> &'i str {
        match self {
            Self::Kept(snapshot, file) => snapshot.path(file),
            Self::Fresh(facts) => &facts.path,
        }
    }

    /// Its language.
    #[must_use]
    pub fn language(self) -> Language {
        match self {
            Self::Kept(snapshot, file) => snapshot.language(file),
            Self::Fresh(facts) => facts.language,
        }
    }

    /// What tells whether it changed.
    #[must_use]
    pub fn stamp(self) -> Stamp {
        match self {
            Self::Kept(snapshot, file) => snapshot.stamp(file),
            Self::Fresh(facts) => facts.stamp,
        }
    }

    /// Why it is left out, if it is.
    #[must_use]
    pub fn refused(self) -> Option<Reason> {
        match self {
            Self::Kept(snapshot, file) => snapshot.refused(file),
            Self::Fresh(facts) => facts.refused,
        }
    }

    /// Whether its text broke the grammar.
    #[must_use]
    pub fn has_errors(self) -> bool {
        match self {
            Self::Kept(snapshot, file) => snapshot.has_errors(file),
            Self::Fresh(facts) => facts.has_errors,
        }
    }

    /// How many lines it has.
    #[must_use]
    pub fn lines(self) -> u32 {
        match self {
            Self::Kept(snapshot, file) => snapshot.lines(file),
            Self::Fresh(facts) => facts.lines,
        }
    }

    /// How many places of it may branch.
    #[must_use]
    pub fn decisions(self) -> u32 {
        match self {
            Self::Kept(snapshot, file) => snapshot.decisions(file),
            Self::Fresh(facts) => facts.decisions,
        }
    }

    /// Its definitions, in the order in which they begin.
    #[must_use]
    pub fn defs(self) -> Vec<Def<'i>> {
        match self {
            Self::Kept(snapshot, file) => snapshot.defs(file).collect(),
            Self::Fresh(facts) => facts.symbols.iter().map(Def::of).collect(),
        }
    }

    /// Its definitions of a name.
    #[must_use]
    pub fn named(self, name: &str) -> Vec<Def<'i>> {
        self.defs().into_iter().filter(|def| def.name == name).collect()
    }

    /// Whether it has a definition of a name that lies in no other.
    #[must_use]
    pub fn defines(self, name: &str) -> bool {
        self.named(name).iter().any(|def| def.container.is_empty())
    }

    /// What it imports.
    #[must_use]
    pub fn imports(self) -> Vec<Import> {
        match self {
            Self::Kept(snapshot, file) => snapshot.imports(file).collect(),
            Self::Fresh(facts) => facts.imports.clone(),
        }
    }

    /// Whether it may hold a name, by [`crate::facts::name_hash`].
    #[must_use]
    pub fn holds(self, hash: u32) -> bool {
        match self {
            Self::Kept(snapshot, file) => snapshot.holds(file, hash),
            Self::Fresh(facts) => facts.names.binary_search(&hash).is_ok(),
        }
    }
}
