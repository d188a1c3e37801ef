//! The answer: what each simple command of a line touches, and how much that can hurt.

pub use mcp_workspace::pattern::PathPattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be done with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may run.
    Allow,
    /// A person has to be asked.
    Prompt,
    /// It must not run.
    Deny,
}

/// How much harm a command can do, from nothing to a lost system.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It touches nothing, or reads inside the working directory.
    #[default]
    None,
    /// It reads elsewhere or adds to the working directory.
    Low,
    /// It changes or deletes named files, talks to a network, or runs code of the project.
    Medium,
    /// It takes privileges, runs text as code, or touches what other programs trust.
    High,
    /// It can destroy a system or a home, or hands control to somebody else.
    Critical,
}

/// How well the effects of a command are known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The program is described, and so is each of its arguments.
    #[default]
    Known,
    /// The program is not described: it may read, write and delete anything.
    Unlisted,
    /// What happens depends on something that the text does not show.
    Opaque,
}

/// What one simple command does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandEffects {
    /// The words after quotes are taken away. A word that depends on something unknown stands as it was
    /// written. Empty for an assignment or for the redirections of a group.
    pub argv: Vec<String>,
    /// The positions in `argv` whose value the text does not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic: Vec<usize>,
    /// Files whose content or metadata is read.
    pub reads: Vec<PathPattern>,
    /// Files that are created or changed.
    pub writes: Vec<PathPattern>,
    /// Files that are removed, or moved away.
    pub deletes: Vec<PathPattern>,
    /// Programs, scripts or code that run because of this command, besides the command itself.
    pub executes: Vec<String>,
    /// Whether a network is used.
    pub network: bool,
    /// The hosts that are talked to, as far as the text names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Whether it runs with, asks for, or needs more rights than the caller has.
    pub privilege: bool,
    /// Effects that no file shows: processes ended, services changed, history rewritten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<String>,
    /// How well these effects are known.
    #[serde(default)]
    pub certainty: Certainty,
    /// How much harm this command can do.
    #[serde(default)]
    pub risk: Risk,
    /// Why, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl CommandEffects {
    /// Adds a reason and raises the risk to what it asks for.
    pub(crate) fn find(&mut self, risk: Risk, reason: impl Into<String>) {
        self.risk = self.risk.max(risk);
        let reason = reason.into();
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Marks that the text does not show what happens.
    pub(crate) fn doubt(&mut self, reason: impl Into<String>) {
        self.certainty = Certainty::Opaque;
        self.find(Risk::Medium, reason);
    }

    /// Marks that anything may happen to any file.
    pub(crate) fn touches_anything(&mut self) {
        for list in [&mut self.reads, &mut self.writes, &mut self.deletes] {
            push_new(list, PathPattern::anything());
        }
    }

    /// The name of the program, without its directory.
    #[must_use]
    pub fn program(&self) -> &str {
        self.argv.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name))
    }
}

/// Adds what is not there yet.
pub(crate) fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// A habit of writing that goes wrong with some input or some shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// A short stable name of the kind, such as `unquoted_variable`.
    pub kind: String,
    /// What goes wrong and what to write instead, in one sentence.
    pub message: String,
}

/// What a whole line does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Whether two independent parsers read the same commands in the line. If not, `commands` is empty.
    pub parsed: bool,
    /// What the built-in policy says, with the working directory as its only root.
    pub decision: Decision,
    /// The highest risk of its commands.
    pub risk: Risk,
    /// Why, one sentence each, without repetition.
    pub reasons: Vec<String>,
    /// Each simple command in the order of the text, loops unrolled where their values are known. Commands
    /// inside others (`sh -c`, `xargs`, `$(…)`) have entries of their own.
    pub commands: Vec<CommandEffects>,
    /// Quoting and portability problems.
    pub warnings: Vec<Warning>,
    /// The same command in a form that fails more safely, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safer: Option<String>,
}
