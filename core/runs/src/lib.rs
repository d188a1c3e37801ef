//! Running commands for a server: a [`plan`] says what would be run and where, [`runs`] carries it out inside the
//! sandbox and knows it by a handle, [`output`] shows in parts what it printed, and the audit log gets a line before
//! the start and one after the end. [`answer`] and [`tools`] hold what every tool that runs something says and does,
//! [`options`] what every server that runs something is started with.
//!
//! Without the feature `run` there are only [`mask`], which takes secrets out of command lines, and [`words`], which
//! writes words that a shell reads back.
//!
//! `examples/minimal_server.rs` is a whole server.

#[cfg(feature = "run")]
pub mod answer;
#[cfg(feature = "run")]
mod ground;
#[cfg(feature = "run")]
mod journal;
pub mod mask;
#[cfg(feature = "run")]
pub mod options;
#[cfg(feature = "run")]
pub mod output;
#[cfg(feature = "run")]
pub mod plan;
#[cfg(feature = "run")]
pub mod runs;
#[cfg(feature = "run")]
pub mod tools;
pub mod words;
