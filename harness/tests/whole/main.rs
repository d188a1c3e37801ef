//! The whole program on subjects of known effect: from the command line to the exit code.
//!
//! Every run takes suites of `harness/fixtures` or a small workspace made for the test, and the first one
//! of a target directory compiles them; later ones find them compiled.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod any_project;
mod anywhere;
mod calibrations;
mod commands;
mod committed;
mod counted_servers;
mod counts;
mod counts_by_valgrind;
mod effects;
mod failures;
mod ffi;
mod gate;
mod gate_setups;
mod histories;
mod lab;
mod misuse;
mod processes;
mod records;
mod repository;
mod set_ups;
mod stops;
mod stored;
mod sub_verbs;
mod tool_calls;
mod tool_faults;
mod tool_field;
mod tool_server;
mod verbs;
mod workspace;
