//! Projects of other people: what lets the lab measure them without an edit.

pub mod criterion;
