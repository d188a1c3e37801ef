//! Why state could not be opened, read or changed.

use std::path::PathBuf;

use thiserror::Error;

/// What the state is called in an error that was made where nobody knows its name.
const UNNAMED: &str = "state";

/// Why state could not be opened, read or changed. `name` is that of its [`Schema`](crate::Schema).
#[derive(Debug, Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("the {name} {path} is in use by another process; end it, or choose another state directory")]
    InUse {
        /// What it is.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The directory or the file cannot be used.
    #[error("the {name} {path} cannot be used: {reason}")]
    Unusable {
        /// What it is.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A change or a question failed; what was there before is unchanged.
    #[error("the {name} could not be read or changed: {reason}")]
    Storage {
        /// What it is.
        name: &'static str,
        /// What the database said.
        reason: String,
    },
    /// A record that is not kept, with the reason.
    #[error("{0}")]
    Refused(String),
    /// No record has this number.
    #[error("no record of the {name} has the number {id}")]
    Unknown {
        /// What it is.
        name: &'static str,
        /// The number.
        id: u64,
    },
    /// An import that is not one; nothing was taken.
    #[error("line {line} of the import {what}; nothing was imported")]
    Import {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl StateError {
    /// A failure whose file will be named by whoever holds it.
    pub(crate) fn storage(reason: &dyn std::fmt::Display) -> Self {
        Self::Storage { name: UNNAMED, reason: reason.to_string() }
    }

    /// The same error, with the name of the state that it is about.
    pub(crate) fn about(self, name: &'static str) -> Self {
        match self {
            Self::Storage { name: UNNAMED, reason } => Self::Storage { name, reason },
            other => other,
        }
    }
}

/// Any error of the database; its kinds mean the same to a person.
macro_rules! from_database {
    ($($error:ident)*) => {
        $(impl From<redb::$error> for StateError {
            fn from(error: redb::$error) -> Self {
                Self::storage(&redb::Error::from(error))
            }
        })*
    };
}

from_database!(CommitError Error StorageError TableError TransactionError);
