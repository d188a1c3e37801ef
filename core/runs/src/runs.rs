//! Runs by their handles: those that go on, and the last ones that ended.
//!
//! Each run has a thread that starts it, waits for its end and writes down what came of it. What started a run
//! may wait for its end, look at its output, or cancel it; when the runs are dropped, all of them are cancelled.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mcp_sandbox::{CancelHandle, Capabilities, Job, Outcome, Profile, Running, SandboxError, Snapshot};
use mcp_server::answer::Object;
use mcp_server::layers::Audit;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use crate::ground::{Ground, weaker};
use crate::journal;
use crate::plan::Plan;

/// How many commands run at a time.
pub const MOST_RUNNING: usize = 16;

/// How many runs that ended are kept, with their output.
pub const MOST_ENDED: usize = 64;

/// The most bytes of output of runs that ended; the oldest go first.
pub const MOST_BYTES: usize = 32 << 20;

/// Why something is run: what a server attaches to a run and learns back from it.
pub trait Cause: Send + Sync + 'static {
    /// What the audit log's line about the start says beside the plan, such as who agreed.
    fn audited(&self) -> Object {
        Object::new()
    }

    /// Hears how the run ended: in its thread, before whoever waits for the end does. `started_ms` is in milliseconds
    /// since 1970. A sentence becomes the run's [notice](Run::notice), such as that it could not be remembered.
    fn ended(&self, plan: &Plan, started_ms: u64, outcome: &Outcome) -> Option<String> {
        let _ = (plan, started_ms, outcome);
        None
    }
}

impl Cause for () {}

/// One run.
pub struct Run<C = ()> {
    /// By which it is known: nobody can guess it.
    pub handle: String,
    /// The plan that it carries out.
    pub plan: Plan,
    /// Why it is run.
    pub cause: C,
    state: Mutex<State>,
    cancel: Mutex<Cancel>,
    ended: watch::Sender<bool>,
    /// What its cause had to say at its end.
    notice: OnceLock<String>,
}

/// How a run is cancelled, which may be asked for before it was started.
enum Cancel {
    Unstarted { is_unwanted: bool },
    By(CancelHandle),
}

enum State {
    Starting,
    Running(Box<Running>),
    Ended(Arc<Outcome>),
    Failed(String),
}

/// How far a run is, with its output so far.
#[derive(Clone, Debug)]
pub enum Look {
    /// It goes on.
    Running(Snapshot),
    /// It ended.
    Ended(Arc<Outcome>),
}

/// All runs of a server.
pub struct Runs<C = ()> {
    ground: Arc<Ground>,
    audit: Option<Arc<Audit>>,
    known: RwLock<VecDeque<Arc<Run<C>>>>,
}

impl<C: Cause> Runs<C> {
    /// No runs yet. What is executed is written to the audit log, where there is one.
    #[must_use]
    pub fn new(ground: Ground, audit: Option<Audit>) -> Self {
        Self { ground: Arc::new(ground), audit: audit.map(Arc::new), known: RwLock::default() }
    }

    /// What the host offers.
    ///
    /// # Errors
    /// One sentence: the supervisor that asks the host cannot be started.
    pub fn capabilities(&self) -> Result<&Capabilities, String> {
        self.ground.get().map(|(_, capabilities)| capabilities).map_err(|error| error.to_string())
    }

    /// Whether commands that read can be run here; what is weaker than usual for them.
    ///
    /// # Errors
    /// One sentence: the layer that is missing.
    pub fn protection(&self) -> Result<Option<String>, String> {
        let (sandbox, _) = self.ground.get().map_err(|error| error.to_string())?;
        let job = Job::argv(Profile::Read, ["true"]);
        sandbox.protection(&job).map(|found| weaker(&found.weaker)).map_err(|error| error.to_string())
    }

    /// Starts what was planned, and returns when it runs.
    ///
    /// # Errors
    /// One sentence: too much runs already, a layer of protection is missing, a program does not exist.
    pub async fn start(&self, plan: Plan, cause: C) -> Result<Arc<Run<C>>, String> {
        let run = self.enter(plan, cause)?;
        let (tell, told) = oneshot::channel();
        let work =
            Work { run: Arc::clone(&run), ground: Arc::clone(&self.ground), audit: self.audit.clone() };
        // Left before it runs, it is cancelled.
        let guard = Guard(Some(Arc::clone(&run)));
        std::thread::Builder::new()
            .name("run".to_owned())
            .spawn(move || work.carry_out(tell))
            .map_err(|error| format!("the system gives no thread for the command: {error}"))?;
        let started = told.await.unwrap_or_else(|_| Err("the thread of the command broke down".to_owned()));
        guard.disarm();
        if let Err(error) = started {
            self.known.write().retain(|known| !Arc::ptr_eq(known, &run));
            return Err(error);
        }
        Ok(run)
    }

    /// A place among the runs, where one is free.
    fn enter(&self, plan: Plan, cause: C) -> Result<Arc<Run<C>>, String> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random)
            .map_err(|error| format!("the system gives no random numbers: {error}"))?;
        let handle: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let run = Arc::new(Run {
            handle: format!("run-{handle}"),
            plan,
            cause,
            state: Mutex::new(State::Starting),
            cancel: Mutex::new(Cancel::Unstarted { is_unwanted: false }),
            ended: watch::Sender::new(false),
            notice: OnceLock::new(),
        });
        let mut known = self.known.write();
        if known.iter().filter(|run| !run.has_ended()).count() >= MOST_RUNNING {
            return Err(format!(
                "{MOST_RUNNING} commands run already: wait for one, or kill one with run_output"
            ));
        }
        forget_oldest(&mut known);
        known.push_back(Arc::clone(&run));
        Ok(run)
    }

    /// The run with this handle.
    ///
    /// # Errors
    /// One sentence: there is none, or it is forgotten.
    pub fn find(&self, handle: &str) -> Result<Arc<Run<C>>, String> {
        let known = self.known.read();
        let run = known.iter().find(|run| run.handle == handle);
        run.cloned().ok_or_else(|| {
            format!(
                "no run has this handle: the last {MOST_ENDED} of this server's life are kept, run it again"
            )
        })
    }

    /// Forgets a run that nobody will ask for: its whole output was shown.
    pub fn forget(&self, run: &Arc<Run<C>>) {
        self.known.write().retain(|known| !Arc::ptr_eq(known, run));
    }
}

impl<C> Drop for Runs<C> {
    fn drop(&mut self) {
        self.known.get_mut().iter().for_each(|run| run.cancel());
    }
}

/// Drops the oldest runs that ended, until the rest is within bounds.
fn forget_oldest<C>(known: &mut VecDeque<Arc<Run<C>>>) {
    let size = |run: &Run<C>| match &*run.state.lock() {
        State::Ended(outcome) => [&outcome.stdout, &outcome.stderr]
            .iter()
            .map(|stream| stream.head.len() + stream.tail.len())
            .sum(),
        State::Starting | State::Running(_) | State::Failed(_) => 0,
    };
    let mut bytes: usize = known.iter().map(|run| size(run)).sum();
    let mut count = known.iter().filter(|run| run.has_ended()).count();
    known.retain(|run| {
        let goes = run.has_ended() && (count >= MOST_ENDED || bytes > MOST_BYTES);
        if goes {
            count -= 1;
            bytes -= size(run);
        }
        !goes
    });
}

/// What the thread of a run needs.
struct Work<C> {
    run: Arc<Run<C>>,
    ground: Arc<Ground>,
    audit: Option<Arc<Audit>>,
}

impl<C: Cause> Work<C> {
    fn carry_out(self, tell: oneshot::Sender<Result<(), String>>) {
        let handle = self.run.handle.as_str();
        let audit = self.audit.as_deref();
        journal::started(audit, handle, &self.run.plan, || self.run.cause.audited());
        let at = journal::now();
        let result = match self.start() {
            Ok(watch) => {
                // Nobody waits any more: the guard has cancelled it.
                tell.send(Ok(())).ok();
                self.wait(&watch)
            }
            Err(error) => {
                let sentence = error.to_string();
                journal::ended(audit, handle, Err(&sentence));
                *self.run.state.lock() = State::Failed(sentence.clone());
                self.run.ended.send_replace(true);
                tell.send(Err(sentence)).ok();
                return;
            }
        };
        match result {
            Ok(outcome) => {
                journal::ended(audit, handle, Ok(&outcome));
                if let Some(notice) = self.run.cause.ended(&self.run.plan, at, &outcome) {
                    self.run.notice.set(notice).ok();
                }
                *self.run.state.lock() = State::Ended(Arc::new(outcome));
            }
            Err(error) => {
                journal::ended(audit, handle, Err(&error.to_string()));
                *self.run.state.lock() = State::Failed(error.to_string());
            }
        }
        self.run.ended.send_replace(true);
    }

    fn start(&self) -> Result<mcp_sandbox::Watch, SandboxError> {
        let (sandbox, _) = self.ground.get()?;
        let running = sandbox.start(&self.run.plan.job())?;
        let watch = running.watch()?;
        let handle = running.cancel_handle()?;
        let before = std::mem::replace(&mut *self.run.cancel.lock(), Cancel::By(handle));
        if matches!(before, Cancel::Unstarted { is_unwanted: true }) {
            running.cancel();
        }
        *self.run.state.lock() = State::Running(Box::new(running));
        Ok(watch)
    }

    fn wait(&self, watch: &mcp_sandbox::Watch) -> Result<Outcome, SandboxError> {
        loop {
            if watch.wait().is_err() {
                return Err(SandboxError::SupervisorLost("its end cannot be waited for".to_owned()));
            }
            // Who reads the output meanwhile holds the lock; what woke this thread may have been its answer.
            let mut state = self.run.state.lock();
            let State::Running(running) = &mut *state else {
                return Err(SandboxError::SupervisorLost("the run is gone".to_owned()));
            };
            if let Some(outcome) = running.wait_timeout(Duration::ZERO)? {
                return Ok(outcome);
            }
        }
    }
}

impl<C> Run<C> {
    fn has_ended(&self) -> bool {
        matches!(&*self.state.lock(), State::Ended(_) | State::Failed(_))
    }

    /// Has everything killed that the command started.
    pub fn cancel(&self) {
        match &mut *self.cancel.lock() {
            Cancel::By(handle) => handle.cancel(),
            // Its thread sees this when it is started.
            Cancel::Unstarted { is_unwanted } => *is_unwanted = true,
        }
    }

    /// Waits for the end.
    pub async fn ended(&self) {
        // The sender lives in the run itself.
        self.ended.subscribe().wait_for(|ended| *ended).await.ok();
    }

    /// How far it is.
    ///
    /// # Errors
    /// One sentence, if its supervisor was lost.
    pub fn look(&self) -> Result<Look, String> {
        match &mut *self.state.lock() {
            State::Starting => Ok(Look::Running(Snapshot::default())),
            State::Running(running) => {
                running.snapshot().map(Look::Running).map_err(|error| error.to_string())
            }
            State::Ended(outcome) => Ok(Look::Ended(Arc::clone(outcome))),
            State::Failed(error) => Err(error.clone()),
        }
    }

    /// What its cause had to say at its end.
    pub fn notice(&self) -> Option<&str> {
        self.notice.get().map(String::as_str)
    }
}

/// Cancels a run whose caller went away.
pub struct Guard<C>(Option<Arc<Run<C>>>);

impl<C> Guard<C> {
    /// Guards a run.
    #[must_use]
    pub fn new(run: &Arc<Run<C>>) -> Self {
        Self(Some(Arc::clone(run)))
    }

    /// The run may go on, or has ended.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl<C> Drop for Guard<C> {
    fn drop(&mut self) {
        if let Some(run) = &self.0 {
            run.cancel();
        }
    }
}
