//! Ranks commands for a task in words.
//!
//! [`suggest`] retrieves from the catalogue and from the person's own history by weighted words and
//! character n-grams. [`model::Model`] learns from pairs of request and command which program such a
//! request calls for; [`gate`] lets what was learned from a history count only where a replay of that
//! history shows that it beats choosing the most frequent and the most recent.

pub mod baseline;
mod classifier;
pub mod evaluation;
pub mod features;
pub mod gate;
pub mod index;
pub mod model;
pub mod shape;
pub mod suggest;
