//! What the tools answer: the structured content, and the few words beside it.

mod run;

use mcp_server::answer::{Object, fitting, length, name};
use mcp_server::budget::Detail;
use mcp_server::content::Output;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{Analysis, Certainty, CommandEffects, Decision, PathPattern, Risk, Warning};
pub(crate) use run::{PlanView, RunView};

/// What a line would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct AnalysisView {
    pub parsed: bool,
    #[schemars(with = "DecisionName")]
    pub decision: Decision,
    #[schemars(with = "RiskName")]
    pub risk: Risk,
    pub reasons: Vec<String>,
    #[schemars(with = "Vec<Object>")]
    pub commands: Vec<CommandView>,
    /// Commands that the caller's bound left no room for.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(skip)]
    pub commands_left_out: usize,
    #[schemars(with = "Vec<Object>")]
    pub warnings: Vec<Warning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safer: Option<String>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the names without their comments, for the schema")]
enum DecisionName {
    Allow,
    Prompt,
    Deny,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the names without their comments, for the schema")]
enum RiskName {
    None,
    Low,
    Medium,
    High,
    Critical,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What one simple command does. Its fields are not part of the schema, which would be twice as long.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CommandView {
    pub argv: Vec<String>,
    pub reads: Vec<PathPattern>,
    pub writes: Vec<PathPattern>,
    pub deletes: Vec<PathPattern>,
    pub executes: Vec<String>,
    pub network: bool,
    pub privilege: bool,
    pub risk: Risk,
    #[serde(flatten)]
    pub more: Option<More>,
}

/// What else is known of a command: part of detailed answers only.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct More {
    dynamic: Vec<usize>,
    hosts: Vec<String>,
    other: Vec<String>,
    certainty: Certainty,
    reasons: Vec<String>,
}

impl CommandView {
    fn new(effects: CommandEffects, detail: Detail) -> Self {
        let CommandEffects { dynamic, hosts, other, certainty, reasons, .. } = effects;
        let more = More { dynamic, hosts, other, certainty, reasons };
        Self {
            argv: effects.argv,
            reads: effects.reads,
            writes: effects.writes,
            deletes: effects.deletes,
            executes: effects.executes,
            network: effects.network,
            privilege: effects.privilege,
            risk: effects.risk,
            more: (detail == Detail::Detailed).then_some(more),
        }
    }
}

/// So many commands fit into a budget that is not small: nothing has to be measured then.
const FEW: usize = 8;
const SMALL: usize = 16_000;

impl AnalysisView {
    /// The analysis within `most` bytes of JSON; commands at the end go first.
    pub fn new(analysis: Analysis, detail: Detail, most: usize) -> Self {
        let commands: Vec<CommandView> =
            analysis.commands.into_iter().map(|effects| CommandView::new(effects, detail)).collect();
        let mut view = Self {
            parsed: analysis.parsed,
            decision: analysis.decision,
            risk: analysis.risk,
            reasons: analysis.reasons,
            commands,
            commands_left_out: 0,
            warnings: analysis.warnings,
            safer: analysis.safer,
        };
        if view.commands.len() > FEW || most < SMALL {
            view.cut(most);
        }
        view
    }

    fn cut(&mut self, most: usize) {
        let room = most.saturating_sub(length(&self.reasons) + length(&self.warnings) + 256);
        let kept = fitting(&self.commands, room, |command| length(*command) + 1);
        self.commands_left_out = self.commands.len() - kept;
        self.commands.truncate(kept);
    }

    /// The decision and its reasons.
    pub fn summary(&self) -> String {
        let mut text = format!("{}, risk {}", name(&self.decision), name(&self.risk));
        for reason in self.reasons.iter().take(3) {
            text.push_str("\n- ");
            text.push_str(reason);
        }
        text
    }
}

impl Output for AnalysisView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = self.summary();
        if let Some(safer) = &self.safer {
            text.push_str("\nsafer: ");
            text.push_str(safer);
        }
        text
    }
}

/// Commands for a goal.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Suggestions {
    pub suggestions: Vec<SuggestionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub notice: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SuggestionView {
    pub command: String,
    pub template: String,
    pub program: String,
    pub score: f32,
    #[schemars(with = "SourceName")]
    pub source: crate::ranking::suggest::Source,
    #[schemars(skip)]
    pub says: String,
    /// Parameters that the goal named no value for.
    #[schemars(skip)]
    pub assumed: Vec<String>,
    #[schemars(with = "Object")]
    pub analysis: AnalysisView,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the names without their comments, for the schema")]
enum SourceName {
    Catalogue,
    History,
}

impl Output for Suggestions {
    fn text(&self, _detail: Detail) -> String {
        if self.suggestions.is_empty() {
            return "nothing suits this goal; say it in other words".to_owned();
        }
        self.suggestions.iter().map(|one| one.command.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// A line in another form.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Optimized {
    pub command: String,
    #[schemars(with = "Vec<Object>")]
    pub changes: Vec<ChangeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub measured: Option<Measured>,
    /// Why nothing was changed or measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub notice: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChangeView {
    pub rule: String,
    pub before: String,
    pub after: String,
    /// What is different for whoever runs it.
    pub why: String,
    /// What has to hold, where the text alone does not show it.
    pub assumes: Vec<String>,
}

/// Both forms, run in turns.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    /// How often each form ran.
    pub runs: usize,
    /// The median wall-clock time of the given form.
    pub before_ms: f64,
    /// That of the other form.
    pub after_ms: f64,
    /// Whether standard output and exit code were equal each time.
    pub same_result: bool,
}

impl Output for Optimized {
    fn text(&self, _detail: Detail) -> String {
        match (&self.notice, self.changes.is_empty()) {
            (Some(notice), _) => format!("{}\n{notice}", self.command),
            (None, _) => self.command.clone(),
        }
    }
}

/// Records of commands that were run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HistoryView {
    #[schemars(with = "Vec<Object>")]
    pub records: Vec<crate::history::Record>,
    /// How many records were changed or forgotten.
    pub changed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub notice: Option<String>,
}

impl Output for HistoryView {
    fn text(&self, _detail: Detail) -> String {
        if self.records.is_empty() {
            return format!("{} changed", self.changed);
        }
        let line = |record: &crate::history::Record| format!("{} {}", record.id, record.entry.command);
        self.records.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// What the host offers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SystemView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub kernel: Option<String>,
    #[schemars(skip)]
    pub architecture: &'static str,
    #[schemars(skip)]
    pub cpus: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub memory_bytes: Option<u64>,
    pub roots: Vec<String>,
    pub profiles: Vec<&'static str>,
    /// Where the programs that were asked for are; null for one that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub programs: Option<std::collections::BTreeMap<String, Option<String>>>,
    /// The layers that commands are run behind.
    #[schemars(with = "Object")]
    pub sandbox: SandboxView,
    #[serde(flatten)]
    #[schemars(skip)]
    pub more: Option<SystemMore>,
}

/// The layers that commands are run behind.
#[derive(Debug, Serialize)]
pub(crate) struct SandboxView {
    /// Whether commands can be run at all.
    pub ready: bool,
    /// Why not, or what is weaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    pub landlock_abi: u32,
    pub seccomp: bool,
    pub namespaces: bool,
}

/// What detailed answers add.
#[derive(Debug, Serialize)]
pub(crate) struct SystemMore {
    pub cpu_model: Option<String>,
    pub load: Option<mcp_store::host::Load>,
    pub available_memory_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    pub server_rss_bytes: Option<u64>,
    pub history: Option<mcp_state::Stats>,
}

impl Output for SystemView {
    fn text(&self, _detail: Detail) -> String {
        let os = self.os.as_deref().unwrap_or("an unknown system");
        let sandbox = if self.sandbox.ready { "commands run in a sandbox" } else { "commands cannot be run" };
        format!(
            "{os}, {}, {} CPUs; {sandbox}; roots: {}",
            self.architecture,
            self.cpus,
            self.roots.join(", ")
        )
    }
}
