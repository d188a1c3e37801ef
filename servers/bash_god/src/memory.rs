//! What the server remembers, opened when it is first needed: the history, what was learned from it, and which
//! goal a command was suggested for.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mcp_state::OnDemand;
use parking_lot::Mutex;

use crate::history::{History, LIMITS, NewRecord};
use crate::ranking::suggest::Experience;

/// So many records are learned from within an answer; more are learned from beside it.
const FEW_RECORDS: usize = 500;

/// How many suggested commands are remembered with their goals.
const MOST_GOALS: usize = 256;

/// The memory of a server.
pub struct Memory {
    log: OnDemand<NewRecord>,
    /// Whether commands are added.
    grows: bool,
    /// Counts changes, so that what was learned from an older state is known to be stale.
    changes: AtomicU64,
    learned: Mutex<Option<(u64, Arc<Experience>)>>,
    is_learning: AtomicBool,
    goals: Mutex<VecDeque<(String, String)>>,
}

impl Memory {
    /// A memory in a directory; without one nothing is remembered. One that does not grow keeps no commands.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, grows: bool) -> Self {
        Self {
            log: OnDemand::new(directory, LIMITS),
            grows,
            changes: AtomicU64::default(),
            learned: Mutex::default(),
            is_learning: AtomicBool::default(),
            goals: Mutex::default(),
        }
    }

    /// The history.
    ///
    /// # Errors
    /// One sentence: nothing is remembered, or the file cannot be opened.
    pub fn history(&self) -> Result<History, String> {
        self.log.get().map(History::from)
    }

    /// What there is to say about how the history was opened.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.log.notice()
    }

    /// Keeps a command, where commands are kept.
    ///
    /// # Errors
    /// One sentence: it could not be kept.
    pub fn keep(&self, record: NewRecord) -> Result<(), String> {
        if !self.log.is_kept() || !self.grows {
            return Ok(());
        }
        self.history()?.append(record).map_err(|error| error.to_string())?;
        self.changed();
        Ok(())
    }

    /// The history is another one now.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers which goal commands were suggested for, so that running one teaches what the goal calls for.
    pub fn suggested<'a>(&self, task: &str, commands: impl Iterator<Item = &'a str>) {
        let mut goals = self.goals.lock();
        for command in commands {
            goals.retain(|(known, _)| known != command);
            goals.push_back((command.to_owned(), task.to_owned()));
        }
        while goals.len() > MOST_GOALS {
            goals.pop_front();
        }
    }

    /// The goal that a command was suggested for.
    #[must_use]
    pub fn task_of(&self, command: &str) -> Option<String> {
        self.goals.lock().iter().find(|(known, _)| known == command).map(|(_, task)| task.clone())
    }

    /// What was learned from the history; nothing where nothing is remembered. With a long history the newest
    /// commands may be missing: they are being learned from in a thread of its own.
    ///
    /// # Errors
    /// One sentence: the history cannot be opened.
    pub fn experience(self: &Arc<Self>) -> Result<Option<Arc<Experience>>, String> {
        if !self.log.is_kept() {
            return Ok(None);
        }
        let now = self.changes.load(Ordering::Relaxed);
        let known = self.learned.lock().clone();
        if let Some((at, experience)) = &known
            && *at == now
        {
            return Ok(Some(Arc::clone(experience)));
        }
        let history = self.history()?;
        let few = history.stats().is_ok_and(|stats| stats.records <= FEW_RECORDS as u64);
        if few {
            return self.learn(&history, now).map(Some);
        }
        if !self.is_learning.swap(true, Ordering::AcqRel) {
            let memory = Arc::clone(self);
            let spawned = std::thread::Builder::new().name("learn".to_owned()).spawn(move || {
                if let Err(error) = memory.learn(&history, now) {
                    tracing::warn!("nothing was learned from the history: {error}");
                }
                memory.is_learning.store(false, Ordering::Release);
            });
            if let Err(error) = spawned {
                self.is_learning.store(false, Ordering::Release);
                tracing::warn!("the system gives no thread to learn in: {error}");
            }
        }
        Ok(known.map(|(_, experience)| experience))
    }

    fn learn(&self, history: &History, now: u64) -> Result<Arc<Experience>, String> {
        let pasts = history.pasts().map_err(|error| error.to_string())?;
        let experience = Arc::new(Experience::new(&pasts));
        *self.learned.lock() = Some((now, Arc::clone(&experience)));
        Ok(experience)
    }
}
