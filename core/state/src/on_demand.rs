//! A log that is opened when it is first needed.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::file::Opened;
use crate::log::{Limits, Log, Record};

/// The log of a server, opened when it is first needed, so that a start does not wait for it. A server that is
/// to remember nothing has none.
pub struct OnDemand<R> {
    directory: Option<PathBuf>,
    limits: Limits,
    state: Mutex<State<R>>,
}

struct State<R> {
    opened: Option<Arc<Log<R>>>,
    notice: Option<String>,
}

impl<R: Record> OnDemand<R> {
    /// The log of a state directory; without one nothing is remembered.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, limits: Limits) -> Self {
        Self { directory, limits, state: Mutex::new(State { opened: None, notice: None }) }
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
        if let Some(log) = &state.opened {
            return Ok(Arc::clone(log));
        }
        let Opened { state: log, notice } =
            Log::open(directory, self.limits).map_err(|error| error.to_string())?;
        if let Some(notice) = notice {
            tracing::warn!("{notice}");
            state.notice = Some(notice);
        }
        let log = Arc::new(log);
        state.opened = Some(Arc::clone(&log));
        Ok(log)
    }

    /// What there is to say about how it was opened.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.state.lock().notice.clone()
    }
}
