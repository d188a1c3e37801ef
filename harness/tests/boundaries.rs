//! Who may name whom: between the modules of the lab, the packages and the directories of the workspace. And which
//! clocks, and which flag sets.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

#[path = "boundaries/arrows.rs"]
mod arrows;
#[path = "boundaries/called.rs"]
mod called;
#[path = "boundaries/clocks.rs"]
mod clocks;
#[path = "boundaries/dependencies.rs"]
mod dependencies;
#[path = "boundaries/experiment.rs"]
mod experiment;
#[path = "boundaries/flagsets.rs"]
mod flagsets;
#[path = "boundaries/load.rs"]
mod load;
#[path = "boundaries/modules.rs"]
mod modules;
#[path = "boundaries/workloads.rs"]
mod workloads;
