//! One run of one command, in a process of the lab's own that times it.

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::experiment::commands::{CommandsOptions, Outcome};
use crate::experiment::progress::{Stage, Watcher};
use crate::machine::Environment;
use crate::measure::FailureReason;
use crate::plan::{Arm, hex};
use crate::process::{Invocation, Limits, RunError, Timed, run};

/// What is kept of a command's stderr.
const STDERR_KEPT: usize = 4096;

/// Starts commands.
pub(super) struct Starter<'a> {
    lab: PathBuf,
    options: &'a CommandsOptions,
    /// Where stdout goes when it is compared.
    output: PathBuf,
    /// The digest of A's first output.
    expected: OnceCell<String>,
    cpu: Option<usize>,
    priority: i32,
    watcher: &'a Watcher,
    /// The arms that left processes running, once that was said.
    left: RefCell<Vec<String>>,
}

impl<'a> Starter<'a> {
    pub(super) fn new(
        options: &'a CommandsOptions,
        environment: &Environment,
        output: PathBuf,
        watcher: &'a Watcher,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            lab: std::env::current_exe().context("cannot find the lab's own executable")?,
            options,
            output,
            expected: OnceCell::new(),
            cpu: environment.pinned_to,
            priority: environment.nice.unwrap_or(0),
            watcher,
            left: RefCell::default(),
        })
    }

    /// One run of an arm. The error is that it could not be run at all, or that the user stopped it.
    pub(super) fn once(&self, arm: &Arm, stage: &dyn Stage) -> anyhow::Result<Outcome> {
        let limits = Limits { timeout: self.options.patience, output: STDERR_KEPT };
        let ended = match run(&self.invocation(arm), limits, &|| self.watcher.stopped()) {
            Ok(ended) => ended,
            Err(RunError::TimedOut { timeout, .. }) => {
                let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                return Ok(Err(FailureReason::TimedOut { after_ms }));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(signal) = ended.signal {
            bail!(
                "{}: signal {signal} ended the process that times it: a command may signal its own process group, and no other process of the lab",
                arm.name
            );
        }
        if !ended.success() {
            bail!("{}: {}", arm.name, ended.stderr.trim().trim_start_matches("error: "));
        }
        let timed: Timed = serde_json::from_str(&ended.stdout).context("the stand-in's answer")?;
        if timed.left && !self.left.borrow().contains(&arm.name) {
            self.left.borrow_mut().push(arm.name.clone());
            let ends =
                "it ends with its own process; what stays in its process group is stopped, a daemon goes on";
            stage.say(&format!("{}: it left processes running: {ends}", arm.name));
        }
        Ok(self.checked(timed, &ended.stderr))
    }

    fn invocation(&self, arm: &Arm) -> Invocation {
        let mut words = arm.workload.command().iter().map(OsString::from).collect::<Vec<_>>().into_iter();
        let mut options: Vec<OsString> =
            vec!["__time".into(), format!("--priority={}", self.priority).into()];
        options.extend(self.cpu.map(|cpu| format!("--cpu={cpu}").into()));
        if self.options.check_output {
            let mut stdout = OsString::from("--stdout=");
            stdout.push(&self.output);
            options.push(stdout);
        }
        let program = words.next().unwrap_or_default();
        Invocation::new(program, words).through(&self.lab, options)
    }

    fn checked(&self, timed: Timed, stderr: &str) -> Outcome {
        if !self.options.ignore_failure {
            if let Some(signal) = timed.signal {
                return Err(FailureReason::Signal { signal });
            }
            if let Some(code @ 1..) = timed.code {
                return Err(FailureReason::Exited { code, stderr: stderr.trim().to_owned() });
            }
        }
        if self.options.check_output {
            let found =
                std::fs::read(&self.output).map(|output| hex(&Sha256::digest(output))).unwrap_or_default();
            if self.expected.get_or_init(|| found.clone()) != &found {
                return Err(FailureReason::OtherOutput);
            }
        }
        Ok(timed)
    }
}
