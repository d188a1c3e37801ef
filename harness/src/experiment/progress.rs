//! How far an experiment has come, for whoever waits for it: the traits that load tests report through too.

pub use crate::progress::{Progress, Silent, Stage, Watcher};
