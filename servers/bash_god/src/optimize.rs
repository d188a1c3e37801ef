//! The same command in a form that costs less.
//!
//! A rule changes a few bytes of the source and leaves all others as they are. It applies only where the text
//! shows that the result stays the same, under the options that are given and the locale that commands run in;
//! what the text cannot show (that a file can be read, that input is text) is named with the change.

mod options;
mod rules;
mod source;

use std::ops::Range;

use crate::analysis::syntax;
use source::Source;

/// What the locale of commands decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale {
    /// Whether lines are ordered, and held equal, by their bytes.
    pub by_bytes: bool,
}

impl Locale {
    /// The locale of the commands that this process runs: its own, or `C.UTF-8`.
    #[must_use]
    pub fn of_commands() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = ["LC_ALL", "LC_COLLATE", "LANG"].into_iter().find_map(set);
        Self::named(name.as_deref().unwrap_or("C.UTF-8"))
    }

    /// The locale of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { by_bytes: matches!(name, "C" | "POSIX" | "C.UTF-8" | "C.utf8") }
    }
}

/// A change of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the rule.
    pub rule: &'static str,
    /// The part that was changed.
    pub before: String,
    /// What stands in its place.
    pub after: String,
    /// What is gained.
    pub why: &'static str,
    /// What has to hold for the result to stay the same, where the text does not show it.
    pub assumes: &'static [&'static str],
}

/// A command after all changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The command.
    pub command: String,
    /// The changes in their order.
    pub changes: Vec<Change>,
}

/// What a rule puts in the place of a part of the source.
pub(crate) struct Edit {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// No command needs more changes; a rule that undoes another one ends here.
const MOST_CHANGES: usize = 32;

/// Applies all rules, again and again until none applies.
///
/// # Errors
/// One sentence: the command is not understood.
pub fn optimize(command: &str, locale: &Locale) -> Result<Form, String> {
    syntax::parse(command).map_err(|refusal| refusal.0)?;
    let mut form = Form { command: command.to_owned(), changes: Vec::new() };
    while form.changes.len() < MOST_CHANGES {
        let Some((changed, change)) = step(&form.command, *locale) else { break };
        form.command = changed;
        form.changes.push(change);
    }
    Ok(form)
}

/// The first change that a rule makes and that both parsers understand.
fn step(command: &str, locale: Locale) -> Option<(String, Change)> {
    let source = Source::read(command, locale)?;
    for pipe in &source.pipes {
        for at in 0..pipe.stages.len() {
            for rule in rules::ALL {
                if !rule.may_apply(&source, pipe) {
                    continue;
                }
                let Some(Edit { span, text }) = (rule.apply)(&source, pipe, at) else { continue };
                let changed = format!("{}{text}{}", &command[..span.start], &command[span.end..]);
                if syntax::parse(&changed).is_err() {
                    continue;
                }
                let change = Change {
                    rule: rule.name,
                    before: command[span].to_owned(),
                    after: text,
                    why: rule.why,
                    assumes: rule.assumes,
                };
                return Some((changed, change));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
