//! What a person has run, kept between sessions: appended, asked, judged, forgotten, exported, imported.
//!
//! The records are a log of `mcp-state` in the state directory. Secrets are masked before anything is written
//! ([`mcp_runs::mask`]), and what is forgotten leaves the file itself.

mod record;
mod store;

pub use record::{Feedback, NewRecord};
pub use store::{Forget, History, LIMITS, Query, Record};
