//! What `command_run` answers.

use mcp_runs::answer::RunAnswer;
use mcp_server::answer::Object;
use mcp_server::budget::Detail;
use mcp_server::content::Output;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Decision;
use crate::answers::AnalysisView;

/// What came of a command, or what would be done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunView {
    #[serde(flatten)]
    pub run: RunAnswer,
    #[schemars(with = "String")]
    pub decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub plan: Option<PlanView>,
}

/// What would be done.
#[derive(Debug, Serialize)]
pub(crate) struct PlanView {
    pub argv: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    pub cwd: String,
    pub profile: &'static str,
    pub timeout_s: f64,
    pub analysis: AnalysisView,
}

impl Output for RunView {
    fn text(&self, _detail: Detail) -> String {
        match &self.plan {
            Some(plan) => format!("planned, nothing was run: {}", plan.analysis.summary()),
            None => self.run.summary(),
        }
    }
}
