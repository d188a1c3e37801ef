//! A log that is opened when it is first needed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::StateError;
use crate::file::Opened;
use crate::log::{Limits, Log, Record};

/// Where processes take turns, so long one waits for another, and so long between two attempts.
const PATIENCE: Duration = Duration::from_secs(3);
const BETWEEN: Duration = Duration::from_millis(5);

/// The log of a server, opened when it is first needed, so that a start does not wait for it. A server that is
/// to remember nothing has none.
pub struct OnDemand<R> {
    directory: Option<PathBuf>,
    limits: Limits,
    takes_turns: bool,
    state: Mutex<State<R>>,
}

struct State<R> {
    opened: Weak<Log<R>>,
    /// Keeps it open from call to call.
    kept: Option<Arc<Log<R>>>,
    notice: Option<String>,
}

impl<R: Record> OnDemand<R> {
    /// The log of a state directory; without one nothing is remembered.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, limits: Limits) -> Self {
        let state = State { opened: Weak::new(), kept: None, notice: None };
        Self { directory, limits, takes_turns: false, state: Mutex::new(state) }
    }

    /// The same, closed again as soon as nobody uses it, and waited for where another process has it open: several
    /// servers, and programs that export, take turns. Each turn reads the file anew, so this is for logs that are seldom
    /// asked.
    #[must_use]
    pub fn in_turns(directory: Option<PathBuf>, limits: Limits) -> Self {
        Self { takes_turns: true, ..Self::new(directory, limits) }
    }

    /// Whether anything is remembered.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.directory.is_some()
    }

    /// The log. One that cannot be opened is tried again the next time: whoever had it open may have ended.
    ///
    /// # Errors
    /// One sentence: nothing is remembered, or the file cannot be opened.
    pub fn get(&self) -> Result<Arc<Log<R>>, String> {
        let Some(directory) = &self.directory else {
            return Err("nothing is remembered: the server was started with --state none".to_owned());
        };
        let mut state = self.state.lock();
        if let Some(log) = state.opened.upgrade() {
            return Ok(log);
        }
        let Opened { state: log, notice } = self.open(directory).map_err(|error| error.to_string())?;
        if let Some(notice) = notice {
            tracing::warn!("{notice}");
            state.notice = Some(notice);
        }
        let log = Arc::new(log);
        state.opened = Arc::downgrade(&log);
        state.kept = (!self.takes_turns).then(|| Arc::clone(&log));
        Ok(log)
    }

    fn open(&self, directory: &Path) -> Result<Opened<Log<R>>, StateError> {
        let begun = Instant::now();
        loop {
            match Log::open(directory, self.limits) {
                Err(StateError::InUse { .. }) if self.takes_turns && begun.elapsed() < PATIENCE => {
                    std::thread::sleep(BETWEEN);
                }
                done => return done,
            }
        }
    }

    /// What there is to say about how it was opened.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.state.lock().notice.clone()
    }
}
