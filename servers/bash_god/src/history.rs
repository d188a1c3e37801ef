//! What a person has run, kept between sessions: appended, asked, judged, forgotten, exported, imported.
//!
//! Every change is one transaction of an embedded database in the state folder. Secrets are masked before
//! anything is written ([`mask`]), and what is forgotten leaves the file itself.

mod file;
pub mod mask;
mod record;
mod store;

pub use record::{Feedback, NewRecord, Record};
pub use store::{Forget, History, HistoryError, Limits, Opened, Query, Stats};
