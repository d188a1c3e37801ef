//! The state that the tools share.

use std::sync::{Arc, LazyLock};

use mcp_runs::options::Settings;
use mcp_runs::runs::Runs;
use mcp_runs::tools::Runner;

use crate::catalogue::Catalogue;
use crate::judged::Reason;
use crate::memory::Memory;
use crate::policy::Policy;
use crate::programs::Programs;
use crate::ranking::suggest::Suggester;
use crate::workspace::Workspace;

/// The state that the tools share.
pub(crate) struct BashGod {
    pub workspace: Workspace,
    pub runs: Runs<Reason>,
    pub memory: Arc<Memory>,
    pub programs: Programs,
    pub read_only: bool,
}

/// The catalogue with its index, made when the first suggestion is asked for.
pub(crate) static SUGGESTER: LazyLock<Suggester<'static>> =
    LazyLock::new(|| Suggester::new(Catalogue::shipped()));

impl BashGod {
    /// The state of a server. Asks the host nothing and opens no history: both are done when they are needed.
    ///
    /// # Errors
    /// One sentence: a root or another directory cannot be used.
    pub fn new(settings: Settings, policy: Policy) -> Result<Self, String> {
        let (roots, runs) = settings.open()?;
        let Settings { state, read_only, sandbox, .. } = settings;
        Ok(Self {
            workspace: Workspace::new(roots, &mcp_workspace::state::home(), policy),
            runs,
            memory: Arc::new(Memory::new(state, !read_only)),
            programs: Programs::new(&sandbox.programs),
            read_only,
        })
    }
}

impl Runner for BashGod {
    type Cause = Reason;

    fn runs(&self) -> &Runs<Reason> {
        &self.runs
    }
}
