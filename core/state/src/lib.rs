//! What a server remembers between its lives, in one file of an embedded database.
//!
//! A [`StateFile`] is such a file: it says which [`Schema`] it has, is checked page by page when it is opened, is
//! changed in transactions, and can be replaced as a whole. A file that is torn, or that another program or version
//! wrote, is kept aside under a free name; the server begins a new one and gets a notice for its user.
//!
//! A [`Log`] is a bounded list of [`Record`]s in such a file: the oldest records leave first. It is exported and
//! imported as lines of JSON, and what is forgotten leaves the file itself. [`OnDemand`] opens a log when it is first
//! needed.
//!
//! ```
//! use mcp_state::{Limits, Log, Record, Schema};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Visit { at_ms: u64, place: String }
//!
//! impl Record for Visit {
//!     const SCHEMA: Schema = Schema { name: "visits", format: "example visits", version: 1 };
//! }
//!
//! # let directory = tempfile::tempdir().unwrap();
//! let log = Log::<Visit>::open(directory.path(), Limits { records: 100, bytes: 1 << 20 })?.state;
//! let id = log.append(Visit { at_ms: 0, place: "Rome".to_owned() })?;
//! log.update(id, |visit| visit.place = "Roma".to_owned())?;
//! assert_eq!(log.newest(None, 10, |visit| visit.place.starts_with('R'))?[0].entry.place, "Roma");
//! assert_eq!(log.forget(|_| true)?, 1);
//! # Ok::<(), mcp_state::StateError>(())
//! ```

#[cfg(feature = "cli")]
pub mod cli;
mod error;
mod file;
mod log;
mod on_demand;
mod transfer;

pub use error::StateError;
pub use file::{Opened, Schema, StateFile};
pub use log::{LONGEST_RECORD, Limits, Log, Numbered, Record, Stats};
pub use on_demand::OnDemand;
/// The database, for servers that keep tables of their own in a [`StateFile`].
pub use redb;
