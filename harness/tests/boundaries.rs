//! Who may name whom: between the modules of the lab, and between the packages of the workspace. And which clocks.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

#[path = "boundaries/clocks.rs"]
mod clocks;
#[path = "boundaries/dependencies.rs"]
mod dependencies;
#[path = "boundaries/experiment.rs"]
mod experiment;
#[path = "boundaries/load.rs"]
mod load;
#[path = "boundaries/modules.rs"]
mod modules;
