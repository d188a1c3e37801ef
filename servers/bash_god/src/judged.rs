//! What is to be run, as this server sees it: what the command would do, why it may run, and that it is remembered.

use std::sync::Arc;
use std::time::Duration;

use mcp_runs::plan::{Invocation, Plan};
use mcp_runs::runs::Cause;
use mcp_sandbox::{Outcome, Profile};
use mcp_server::answer::Object;
use serde_json::json;

use crate::analysis::Analysis;
use crate::history::NewRecord;
use crate::memory::Memory;
use crate::workspace::Workspace;

/// A plan, with what it would do.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub plan: Plan,
    /// What it would do, with the decision of the policy.
    pub analysis: Analysis,
}

impl Judged {
    /// A plan in a directory of the workspace. Making it runs nothing.
    ///
    /// # Errors
    /// One sentence: the directory lies outside of the roots, or is not a directory.
    pub fn new(
        workspace: &Workspace,
        invocation: Invocation,
        cwd: Option<&str>,
        profile: Profile,
        time: Duration,
    ) -> Result<Self, String> {
        let plan = Plan::new(workspace.roots(), invocation, cwd, profile, time)?;
        let analysis = workspace.look(&plan.line, &plan.directory, profile.network());
        Ok(Self { plan, analysis })
    }

    /// What a person is asked before it runs.
    #[must_use]
    pub fn question(&self) -> String {
        let mut text = format!(
            "Run this command?\n\n{}\n\nin {} with the profile {}, for at most {:?}",
            self.plan.line,
            self.plan.directory.display(),
            self.plan.profile.name(),
            self.plan.time
        );
        for reason in &self.analysis.reasons {
            text.push_str("\n- ");
            text.push_str(reason);
        }
        text
    }
}

/// Who let it run.
#[derive(Clone, Debug)]
pub(crate) enum Permission {
    /// The policy allows it; what it is for, where that was said.
    Allowed(Option<String>),
    /// A person agreed to it; what it is for, where that was said.
    Confirmed(Option<String>),
    /// The policy allows it, to be measured: no history has it.
    Measured,
}

/// Why a command is run, and where it is remembered.
pub(crate) struct Reason {
    pub permission: Permission,
    pub analysis: Analysis,
    pub memory: Arc<Memory>,
}

impl Cause for Reason {
    fn audited(&self) -> Object {
        let mut said = Object::new();
        said.insert("decision".to_owned(), json!(self.analysis.decision));
        said.insert("risk".to_owned(), json!(self.analysis.risk));
        said.insert("confirmed".to_owned(), json!(matches!(self.permission, Permission::Confirmed(_))));
        said
    }

    /// Keeps it in the history.
    fn ended(&self, plan: &Plan, started_ms: u64, outcome: &Outcome) -> Option<String> {
        let (Permission::Allowed(task) | Permission::Confirmed(task)) = &self.permission else { return None };
        let record = NewRecord {
            at_ms: started_ms,
            task: task.clone().or_else(|| self.memory.task_of(&plan.line)).unwrap_or_default(),
            command: plan.line.clone(),
            cwd: Some(plan.directory.display().to_string()),
            exit_code: outcome.code,
            duration_ms: u64::try_from(outcome.duration.as_millis()).ok(),
            feedback: None,
        };
        let kept = self.memory.keep(record);
        kept.err().map(|reason| format!("not kept in the history: {reason}"))
    }
}
