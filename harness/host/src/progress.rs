//! How far an experiment has come, for whoever waits for it. Experiments report through these traits and print nothing
//! themselves; the command line draws bars, tests stay silent.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::machine::Environment;

/// Where an experiment reports how far it has come.
pub trait Progress: Send + Sync {
    /// An experiment of this suite begins; its record will lie at this path.
    fn begins(&self, suite: &str, record: &Path, environment: &Environment);
    /// A stage of this many steps begins.
    fn stage(&self, name: &'static str, what: &str, steps: u64) -> Box<dyn Stage>;
    /// One line about a stage.
    fn say(&self, stage: &str, line: &str);
    /// Something worth knowing that stops nothing.
    fn note(&self, text: &str);
}

/// One stage of an experiment.
pub trait Stage: Send + Sync {
    /// One step is done.
    fn step(&self);
    /// One step is done, and took so long: where no bar shows that something happens, a line does.
    fn finished(&self, _what: &str, _took: Duration) {
        self.step();
    }
    /// What is being done now.
    fn doing(&self, what: &str);
    /// One line that stays.
    fn say(&self, line: &str);
    /// The stage is over.
    fn end(self: Box<Self>);
}

/// Reports nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begins(&self, _: &str, _: &Path, _: &Environment) {}
    fn stage(&self, _: &'static str, _: &str, _: u64) -> Box<dyn Stage> {
        Box::new(Self)
    }
    fn say(&self, _: &str, _: &str) {}
    fn note(&self, _: &str) {}
}

impl Stage for Silent {
    fn step(&self) {}
    fn doing(&self, _: &str) {}
    fn say(&self, _: &str) {}
    fn end(self: Box<Self>) {}
}

/// Who waits for an experiment: sees how far it has come, and may ask it to stop.
#[derive(Clone)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    progress: Arc<dyn Progress>,
}

impl Watcher {
    /// A watcher that asks to stop by setting `stop`.
    #[must_use]
    pub fn new(stop: Arc<AtomicBool>, progress: Arc<dyn Progress>) -> Self {
        Self { stop, progress }
    }

    /// A watcher that sees nothing and never asks to stop.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Arc::default(), Arc::new(Silent))
    }

    /// Whether the experiment should stop.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Where the experiment reports how far it has come.
    #[must_use]
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }

    /// A stage that shows nothing but what it says: one of many short ones.
    #[must_use]
    pub fn quiet(&self, name: &'static str) -> impl Stage + use<> {
        Quiet { progress: Arc::clone(&self.progress), name }
    }
}

struct Quiet {
    progress: Arc<dyn Progress>,
    name: &'static str,
}

impl Stage for Quiet {
    fn step(&self) {}
    fn doing(&self, _: &str) {}
    fn say(&self, line: &str) {
        self.progress.say(self.name, line);
    }
    fn end(self: Box<Self>) {}
}
