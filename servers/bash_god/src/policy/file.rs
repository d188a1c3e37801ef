//! Policy files: reading them, and checking that their rules do what their examples say.

use serde::Deserialize;
use toml::Spanned;

use crate::analysis::{Context, Decision, Risk, inspect};
use crate::policy::can_be_allowed;
use crate::policy::rule::{Conditions, Effect, Rule};

/// Why a policy file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Where examples are analysed.
const EXAMPLE_FOLDER: &str = "/srv/project";
const EXAMPLE_HOME: &str = "/home/user";

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base {
    #[default]
    BuiltIn,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    base: Base,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: String,
    decision: Decision,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    program: Vec<String>,
    #[serde(default)]
    subcommand: Vec<String>,
    #[serde(default)]
    flags_any: Vec<String>,
    flags_only: Option<Vec<String>>,
    #[serde(default)]
    arguments_any: Vec<String>,
    #[serde(default)]
    paths_any: Vec<String>,
    effects_only: Option<Vec<Effect>>,
    #[serde(default)]
    effects_any: Vec<Effect>,
    #[serde(default)]
    within_roots: bool,
    #[serde(default)]
    also_within: Vec<String>,
    risk_at_least: Option<Risk>,
    touches_secret: Option<bool>,
    trusted_files: Option<bool>,
    #[serde(default)]
    network: bool,
    r#match: Vec<Spanned<String>>,
    no_match: Vec<Spanned<String>>,
}

/// Reads the rules of a file and checks their examples.
pub(crate) fn rules(file: &str, text: &str) -> Result<Vec<Rule>, PolicyError> {
    let source = Source { file, text };
    source.read()?.rule.into_iter().map(|rule| source.rule(rule)).collect()
}

/// Whether the built-in rules follow those of a file.
pub(crate) fn keeps_built_in(file: &str, text: &str) -> Result<bool, PolicyError> {
    Ok(Source { file, text }.read()?.base == Base::BuiltIn)
}

struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn read(&self) -> Result<File, PolicyError> {
        toml::from_str(self.text).map_err(|error| {
            self.error(error.span().map_or(0, |span| span.start), error.message().to_owned())
        })
    }

    fn error(&self, offset: usize, message: String) -> PolicyError {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        PolicyError {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        }
    }

    fn rule(&self, rule: Spanned<RuleText>) -> Result<Rule, PolicyError> {
        let start = rule.span().start;
        let text = rule.into_inner();
        if text.decision == Decision::Allow && text.program.is_empty() && text.effects_only.is_none() {
            let message = format!(
                "The rule `{}` would allow everything: name programs in `program`, or effects in `effects_only`.",
                text.name
            );
            return Err(self.error(start, message));
        }
        if text.r#match.is_empty() || text.no_match.is_empty() {
            let message = format!(
                "The rule `{}` needs at least one example in `match` and one in `no_match`, to be checked against.",
                text.name
            );
            return Err(self.error(start, message));
        }
        if text.network && text.decision != Decision::Allow {
            let message = format!(
                "The rule `{}` says `network = true`, which goes with `decision = \"allow\"` alone: it lets what the rule allows have a network.",
                text.name
            );
            return Err(self.error(start, message));
        }
        let reason = text.reason.unwrap_or_else(|| default_reason(text.decision).to_owned());
        let conditions = Conditions {
            program: text.program,
            subcommand: text.subcommand,
            flags_any: text.flags_any,
            flags_only: text.flags_only,
            arguments_any: text.arguments_any,
            paths_any: text.paths_any,
            effects_only: text.effects_only,
            effects_any: text.effects_any,
            within_roots: text.within_roots,
            also_within: text.also_within,
            risk_at_least: text.risk_at_least,
            touches_secret: text.touches_secret,
            trusted_files: text.trusted_files,
        };
        let out =
            Rule { name: text.name, decision: text.decision, reason, network: text.network, conditions };
        for (examples, wanted) in [(&text.r#match, true), (&text.no_match, false)] {
            for example in examples {
                self.example(&out, example, wanted)?;
            }
        }
        Ok(out)
    }

    /// Checks one example. A rule that allows has to match every command of it, another one any of them.
    fn example(&self, rule: &Rule, example: &Spanned<String>, wanted: bool) -> Result<(), PolicyError> {
        let context = Context::new(EXAMPLE_FOLDER, EXAMPLE_HOME);
        let analysis = inspect(example.get_ref(), &context);
        let roots = [EXAMPLE_FOLDER.to_owned()];
        let commands = &analysis.commands;
        let matches = match rule.decision {
            Decision::Allow => {
                let allowed = |command| rule.matches(command, &roots) && can_be_allowed(command);
                analysis.parsed && !commands.is_empty() && commands.iter().all(allowed)
            }
            Decision::Prompt | Decision::Deny => commands.iter().any(|command| rule.matches(command, &roots)),
        };
        if matches == wanted {
            return Ok(());
        }
        let (does, list) = if wanted { ("does not match", "match") } else { ("matches", "no_match") };
        let message = format!(
            "The rule `{}` {does} `{}`, an example of its list `{list}`: change the rule or the example.",
            rule.name,
            example.get_ref()
        );
        Err(self.error(example.span().start, message))
    }
}

fn default_reason(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "A rule allows it.",
        Decision::Prompt => "A rule wants a person to be asked.",
        Decision::Deny => "A rule forbids it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> PolicyError {
        rules("p.toml", text).unwrap_err()
    }

    #[test]
    fn a_wrong_example_is_named_with_its_place() {
        let text = "[[rule]]\nname = 'x'\ndecision = 'deny'\nprogram = ['rm']\nmatch = ['rm a', 'ls']\nno_match = ['ls']\n";
        let error = error(text);
        assert_eq!((error.line, error.column), (5, 18));
        assert!(error.message.contains("does not match `ls`"), "{error}");
        assert_eq!(error.to_string().split(": ").next(), Some("p.toml:5:18"));
    }

    #[test]
    fn a_counterexample_that_matches_is_an_error() {
        let text = "[[rule]]\nname = 'x'\ndecision = 'deny'\nprogram = ['rm']\nmatch = ['rm a']\nno_match = [\n  'rm b',\n]\n";
        let error = error(text);
        assert_eq!((error.line, error.column), (7, 3));
    }

    #[test]
    fn mistakes_in_the_file_have_a_place() {
        for (text, line, part) in [
            ("[[rule]]\nname = 'x'\ndecision = 'maybe'\n", 3, "maybe"),
            ("[[rule]]\nname = 'x'\ndecision = 'deny'\ncolour = 1\n", 4, "colour"),
            ("[[rule]\n", 1, ""),
            (
                "\n[[rule]]\nname = 'x'\ndecision = 'allow'\nmatch = ['a']\nno_match = ['b']\n",
                2,
                "would allow everything",
            ),
            (
                "[[rule]]\nname = 'x'\ndecision = 'deny'\nmatch = []\nno_match = ['b']\n",
                1,
                "at least one example",
            ),
        ] {
            let error = error(text);
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(part), "{error}");
        }
    }
}
