//! What was left out, and why.

use std::collections::BTreeMap;

use serde::Serialize;

/// Why a file is not part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A rule of `.gitignore`, `.ignore` or git's own exclude file names it, or a directory above it. Such a directory
    /// counts once.
    Ignored,
    /// Its name begins with a dot.
    Hidden,
    /// It holds a NUL near its start.
    Binary,
    /// It is longer than the limit.
    TooLarge,
    /// A line of it is longer than the limit: made by a program, for programs.
    LongLine,
    /// The system does not let it be read.
    Unreadable,
    /// It is a link, a device, a pipe or a socket. Links are not followed.
    NotRegular,
    /// It leads out of its root.
    OutsideRoot,
    /// Its name is not UTF-8.
    Name,
    /// Parsing took longer than the limit.
    ParseTime,
    /// Its parts are nested deeper than the limit.
    TooDeep,
    /// No grammar is known for it.
    NoGrammar,
    /// There are more files than the limit.
    TooMany,
}

impl Reason {
    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Hidden => "hidden",
            Self::Binary => "binary",
            Self::TooLarge => "too_large",
            Self::LongLine => "long_line",
            Self::Unreadable => "unreadable",
            Self::NotRegular => "not_regular",
            Self::OutsideRoot => "outside_root",
            Self::Name => "name_not_utf8",
            Self::ParseTime => "parse_time",
            Self::TooDeep => "too_deep",
            Self::NoGrammar => "no_grammar",
            Self::TooMany => "too_many",
        }
    }

    /// Whether somebody who reads the answer as complete would be wrong: the file is one that was asked for.
    #[must_use]
    pub fn is_a_gap(self) -> bool {
        match self {
            Self::TooLarge
            | Self::LongLine
            | Self::Unreadable
            | Self::OutsideRoot
            | Self::Name
            | Self::ParseTime
            | Self::TooDeep
            | Self::TooMany => true,
            Self::Ignored | Self::Hidden | Self::Binary | Self::NotRegular | Self::NoGrammar => false,
        }
    }
}

/// How many files were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The name of the [`Reason`].
    pub reason: &'static str,
    /// How many.
    pub n: u64,
}

/// What was left out, counted by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skips(BTreeMap<Reason, u64>);

impl Skips {
    /// Counts one.
    pub fn add(&mut self, reason: Reason) {
        self.add_many(reason, 1);
    }

    /// Counts several.
    pub fn add_many(&mut self, reason: Reason, n: u64) {
        if n > 0 {
            *self.0.entry(reason).or_default() += n;
        }
    }

    /// Adds what another count has.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(reason, n)| self.add_many(*reason, *n));
    }

    /// How many were left out for a reason.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.0.get(&reason).copied().unwrap_or_default()
    }

    /// Whether nothing is missing that was asked for.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.0.keys().any(|reason| reason.is_a_gap())
    }

    /// The counts, for answers.
    #[must_use]
    pub fn list(&self) -> Vec<Skipped> {
        self.0.iter().map(|(reason, n)| Skipped { reason: reason.name(), n: *n }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_gaps_are_told_from_choices() {
        let mut skips = Skips::default();
        skips.add(Reason::Binary);
        skips.add(Reason::Binary);
        assert!(skips.is_complete());
        let mut more = Skips::default();
        more.add_many(Reason::TooLarge, 3);
        more.add_many(Reason::Name, 0);
        skips.merge(&more);
        assert!(!skips.is_complete());
        let expected = [Skipped { reason: "binary", n: 2 }, Skipped { reason: "too_large", n: 3 }];
        assert_eq!(skips.list(), expected);
    }
}
