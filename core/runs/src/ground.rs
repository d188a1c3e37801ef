//! Where commands are run: a sandbox that asks the host what it offers when something is to be run.

use std::sync::{Arc, OnceLock};

use mcp_sandbox::{Capabilities, Layer, Sandbox, SandboxError};
use parking_lot::Mutex;

/// Finds out what a host offers: its sandbox is only asked when something is to be run.
type Probe = Box<dyn Fn() -> Result<Capabilities, SandboxError> + Send + Sync>;

/// The sandbox, set up on first use.
pub struct Ground {
    /// What is there before the host was asked.
    unprobed: Mutex<Option<Sandbox>>,
    probe: Probe,
    ready: OnceLock<(Arc<Sandbox>, Capabilities)>,
}

impl Ground {
    /// A sandbox whose roots are open, and how to ask the host.
    pub fn new(
        sandbox: Sandbox,
        probe: impl Fn() -> Result<Capabilities, SandboxError> + Send + Sync + 'static,
    ) -> Self {
        Self { unprobed: Mutex::new(Some(sandbox)), probe: Box::new(probe), ready: OnceLock::new() }
    }

    /// The sandbox, and what the host offers it.
    ///
    /// # Errors
    /// If the supervisor that asks the host cannot be started.
    pub fn get(&self) -> Result<&(Arc<Sandbox>, Capabilities), SandboxError> {
        if let Some(ready) = self.ready.get() {
            return Ok(ready);
        }
        let mut unprobed = self.unprobed.lock();
        if unprobed.is_some() {
            let capabilities = (self.probe)()?;
            if let Some(sandbox) = unprobed.take() {
                let sandbox = Arc::new(sandbox.on(capabilities.clone()));
                // Only who took the sandbox sets it, and nobody else has.
                self.ready.set((sandbox, capabilities)).ok();
            }
        }
        drop(unprobed);
        self.ready.get().ok_or_else(|| SandboxError::SupervisorLost("the sandbox is gone".to_owned()))
    }
}

/// The sentence for layers that were missing and accepted as missing.
#[must_use]
pub(crate) fn weaker(layers: &[Layer]) -> Option<String> {
    let names: Vec<String> = layers.iter().map(Layer::to_string).collect();
    (!names.is_empty())
        .then(|| format!("run without {}, as the server was started to allow", names.join(", ")))
}
