//! The state that the tools share.

use std::path::PathBuf;
use std::sync::Arc;

use mcp_server::options::Options;
use mcp_state::OnDemand;
use mcp_workspace::Roots;
use parking_lot::Mutex;

use crate::deployments::{Deployment, LIMITS};
use crate::host::Host;
use crate::ring::{self, Ring};
use crate::sampler;
use crate::server::{ABOUT, Flags};
use crate::sources::{Prometheus, Sources};

/// The state that the tools share.
pub(crate) struct State {
    pub sources: Sources,
    pub host: Mutex<Host>,
    pub deployments: Arc<OnDemand<Deployment>>,
    pub read_only: bool,
}

impl State {
    /// Opens the roots. Nothing else is opened before it is needed; the sampler of `--sample` begins in a thread of its
    /// own.
    ///
    /// # Errors
    /// One sentence: a root, the state directory, or an option cannot be used.
    pub fn new(options: &Options, flags: &Flags) -> Result<Self, String> {
        let given = options.roots_or_current()?;
        let roots = Roots::new(&given).map_err(|error| {
            format!("the root {} cannot be used: {}", error.path.display(), error.message)
        })?;
        let state = options.state_dir(ABOUT.name);
        let prometheus = flags.prometheus.as_deref().map(Prometheus::new).transpose()?;
        sample(flags, state.clone())?;
        let ring = state.as_deref().map(|state| Ring::new(&ring::directory(state)));
        Ok(Self {
            sources: Sources { roots, ring, prometheus },
            host: Mutex::new(Host::default()),
            deployments: Arc::new(OnDemand::in_turns(state, LIMITS)),
            read_only: options.read_only,
        })
    }
}

fn sample(flags: &Flags, state: Option<PathBuf>) -> Result<(), String> {
    let Some(every) = flags.sample else { return Ok(()) };
    sampler::refused(every)?;
    let state = state.ok_or("--sample needs a state directory: leave out --state none")?;
    let limits = flags.limits();
    let run = move || {
        // Another server, or the service, may be sampling already; its history is read all the same.
        if let Err(error) = crate::sampler::run(&state, every, limits, None) {
            tracing::warn!("nothing is sampled here: {error}");
        }
    };
    let spawned = std::thread::Builder::new().name("sampler".to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| format!("the system gives no thread to sample in: {error}"))
}
