//! A rule: conditions over one simple command, all of which have to hold.

use mcp_workspace::known::{is_secret, is_trusted};
use mcp_workspace::pattern::{matches, may_match, within};
use serde::Deserialize;

use crate::analysis::{Certainty, CommandEffects, Decision, PROGRAM_FOLDERS, PathPattern, Risk};

/// A kind of effect that rules speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It reads files.
    Read,
    /// It creates or changes files.
    Write,
    /// It deletes files.
    Delete,
    /// It runs other programs or code.
    Execute,
    /// It uses a network.
    Network,
    /// It needs or takes more rights.
    Privilege,
    /// It does what no file shows: ends processes, changes services.
    Other,
    /// Its effects are not, or not fully, known.
    Unknown,
}

/// A rule whose examples held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) decision: Decision,
    pub(crate) reason: String,
    /// Whether what it allows may have a network.
    pub(crate) network: bool,
    pub(crate) conditions: Conditions,
}

impl Default for Decision {
    /// What is not decided is asked for.
    fn default() -> Self {
        Self::Prompt
    }
}

/// The conditions of a rule. One that is absent always holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) program: Vec<String>,
    pub(crate) subcommand: Vec<String>,
    pub(crate) flags_any: Vec<String>,
    pub(crate) flags_only: Option<Vec<String>>,
    pub(crate) arguments_any: Vec<String>,
    pub(crate) paths_any: Vec<String>,
    pub(crate) effects_only: Option<Vec<Effect>>,
    pub(crate) effects_any: Vec<Effect>,
    pub(crate) within_roots: bool,
    pub(crate) also_within: Vec<String>,
    pub(crate) risk_at_least: Option<Risk>,
    pub(crate) touches_secret: Option<bool>,
    pub(crate) trusted_files: Option<bool>,
}

impl Rule {
    /// Whether all conditions hold for a command.
    pub(crate) fn matches(&self, command: &CommandEffects, roots: &[String]) -> bool {
        let is = &self.conditions;
        self.named(command)
            && self.subcommand(command)
            && (is.flags_any.is_empty() || is.flags_any.iter().any(|flag| has_flag(command, flag)))
            && is.flags_only.as_ref().is_none_or(|flags| only_flags(command, flags))
            && (is.arguments_any.is_empty() || any_argument(command, &is.arguments_any))
            && (is.paths_any.is_empty() || paths(command).any(|path| any_glob(path, &is.paths_any)))
            && is
                .effects_only
                .as_ref()
                .is_none_or(|only| effects(command).iter().all(|effect| only.contains(effect)))
            && (is.effects_any.is_empty()
                || effects(command).iter().any(|effect| is.effects_any.contains(effect)))
            && (!is.within_roots || paths(command).all(|path| self.inside(path, roots)))
            && is.risk_at_least.is_none_or(|least| command.risk >= least)
            && is.touches_secret.is_none_or(|wanted| paths(command).any(is_secret) == wanted)
            && is.trusted_files.is_none_or(|wanted| writes_trusted(command) == wanted)
    }

    fn inside(&self, path: &PathPattern, roots: &[String]) -> bool {
        roots.iter().chain(&self.conditions.also_within).any(|root| within(path, root))
    }

    /// A rule that allows believes a name only where it stands for the usual program.
    fn named(&self, command: &CommandEffects) -> bool {
        let names = &self.conditions.program;
        if names.is_empty() {
            return command.certainty != Certainty::Unlisted || self.decision != Decision::Allow;
        }
        let Some(full) = command.argv.first() else { return false };
        let usual = full.rsplit_once('/').is_none_or(|(folder, _)| PROGRAM_FOLDERS.contains(&folder));
        let by_base = usual || self.decision == Decision::Deny;
        names.iter().any(|name| {
            let wide =
                name == "*" && self.decision == Decision::Allow && command.certainty == Certainty::Unlisted;
            !wide && (glob(full, name) || by_base && glob(command.program(), name))
        })
    }

    /// A rule that allows wants the sub-command right after the program; others find it anywhere.
    fn subcommand(&self, command: &CommandEffects) -> bool {
        let names = &self.conditions.subcommand;
        let rest = command.argv.get(1..).unwrap_or_default();
        names.is_empty()
            || match self.decision {
                Decision::Allow => rest.first().is_some_and(|first| names.contains(first)),
                Decision::Prompt | Decision::Deny => rest.iter().any(|word| names.contains(word)),
            }
    }
}

fn glob(text: &str, pattern: &str) -> bool {
    matches(text, pattern)
}

fn paths(command: &CommandEffects) -> impl Iterator<Item = &PathPattern> {
    command.reads.iter().chain(&command.writes).chain(&command.deletes)
}

fn any_glob(path: &PathPattern, globs: &[String]) -> bool {
    globs.iter().any(|glob| may_match(path, glob))
}

fn any_argument(command: &CommandEffects, globs: &[String]) -> bool {
    command.argv.iter().skip(1).any(|word| globs.iter().any(|pattern| glob(word, pattern)))
}

fn writes_trusted(command: &CommandEffects) -> bool {
    command.writes.iter().any(is_trusted)
}

/// Whether a flag is given: alone, with `=value`, or among single letters.
fn has_flag(command: &CommandEffects, flag: &str) -> bool {
    command.argv.iter().skip(1).any(|word| {
        let joined = word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='));
        let letter = flag.strip_prefix('-').filter(|letter| letter.chars().count() == 1 && *letter != "-");
        let among = letter
            .is_some_and(|letter| word.starts_with('-') && !word.starts_with("--") && word.contains(letter));
        word == flag || joined || among
    })
}

fn only_flags(command: &CommandEffects, flags: &[String]) -> bool {
    let known = |word: &str| flags.iter().any(|flag| word.split('=').next() == Some(flag));
    // A word that is not known may be any flag.
    command.dynamic.is_empty()
        && command.argv.iter().skip(1).filter(|word| word.starts_with('-')).all(|word| known(word))
}

/// The kinds of effects of a command.
fn effects(command: &CommandEffects) -> Vec<Effect> {
    [
        (Effect::Read, !command.reads.is_empty()),
        (Effect::Write, !command.writes.is_empty()),
        (Effect::Delete, !command.deletes.is_empty()),
        (Effect::Execute, !command.executes.is_empty()),
        (Effect::Network, command.network),
        (Effect::Privilege, command.privilege),
        (Effect::Other, !command.other.is_empty()),
        (Effect::Unknown, command.certainty != Certainty::Known),
    ]
    .into_iter()
    .filter_map(|(effect, present)| present.then_some(effect))
    .collect()
}
