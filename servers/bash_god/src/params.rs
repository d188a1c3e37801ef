//! What the tools take. The comments are the descriptions that a model reads, so they are short.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Analyze {
    /// Shell source
    pub command: String,
    /// Directory below a root
    pub cwd: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suggest {
    /// The goal in words, with names and numbers
    pub task: String,
    #[schemars(range(min = 1, max = 20))]
    pub limit: Option<u8>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Optimize {
    pub command: String,
    pub cwd: Option<String>,
    /// Run both forms and compare
    pub measure: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// Program and arguments, no shell
    pub argv: Option<Vec<String>>,
    /// Several argv joined by pipes
    pub pipeline: Option<Vec<Vec<String>>>,
    /// Bash script
    pub command: Option<String>,
    pub cwd: Option<String>,
    /// What may be changed; read: nothing
    pub profile: Option<Profile>,
    #[schemars(range(min = 0.1, max = 3600))]
    pub timeout_s: Option<f64>,
    /// Only plan
    pub dry_run: Option<bool>,
    /// Answer at once with a handle
    pub background: Option<bool>,
    /// Goal, for the history
    pub task: Option<String>,
}

/// [`Run`] where nothing may be changed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunReading {
    /// Program and arguments, no shell
    pub argv: Option<Vec<String>>,
    /// Several argv joined by pipes
    pub pipeline: Option<Vec<Vec<String>>>,
    /// Bash script
    pub command: Option<String>,
    pub cwd: Option<String>,
    #[schemars(range(min = 0.1, max = 3600))]
    pub timeout_s: Option<f64>,
    /// Only plan
    pub dry_run: Option<bool>,
    /// Answer at once with a handle
    pub background: Option<bool>,
}

impl From<RunReading> for Run {
    fn from(run: RunReading) -> Self {
        let RunReading { argv, pipeline, command, cwd, timeout_s, dry_run, background } = run;
        let profile = Some(Profile::Read);
        Self { argv, pipeline, command, cwd, profile, timeout_s, dry_run, background, task: None }
    }
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum Profile {
    #[serde(rename = "read")]
    Read,
    #[serde(rename = "workspace")]
    Workspace,
    #[serde(rename = "workspace+net")]
    WorkspaceNet,
}

impl From<Profile> for mcp_sandbox::Profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Read => Self::Read,
            Profile::Workspace => Self::Workspace,
            Profile::WorkspaceNet => Self::WorkspaceNet,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    pub action: Option<HistoryAction>,
    /// Record
    pub id: Option<u64>,
    /// Text to query or forget
    pub contains: Option<String>,
    /// For feedback
    pub good: Option<bool>,
    /// Forget everything
    pub all: Option<bool>,
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u8>,
    pub cursor: Option<String>,
}

/// [`History`] where nothing may be changed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryReading {
    pub contains: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u8>,
    pub cursor: Option<String>,
}

impl From<HistoryReading> for History {
    fn from(reading: HistoryReading) -> Self {
        let HistoryReading { contains, limit, cursor } = reading;
        Self { action: None, id: None, contains, good: None, all: None, limit, cursor }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HistoryAction {
    #[default]
    Query,
    Feedback,
    Forget,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SystemInfo {
    /// Names to look for
    pub programs: Option<Vec<String>>,
}
