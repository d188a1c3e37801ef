//! Projects of other people: their bench targets found, and built so that the lab can measure them, without an edit.

pub mod criterion;
mod driven;
mod lock;
mod project;
mod suite;

pub use driven::{Driven, DrivenError, Group, slices};
pub use lock::{ForeignError, replaced};
pub use project::{Harness, Project, ProjectError, Selection, Target};
pub use suite::{LTO, options, suite_text};
