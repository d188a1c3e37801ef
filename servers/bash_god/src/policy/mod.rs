//! Which commands may run: rules over what a command is and does.
//!
//! A policy is a TOML file of rules. Each has a decision, conditions that all have to hold, and examples that
//! it must and must not match, which are checked when the file is read. A command is denied if any rule that
//! denies matches it; otherwise the first rule that matches decides, and a person is asked where none does.
//! A line gets the strictest decision of its commands.
//!
//! Some things no rule can allow: a line that was not understood, a command whose effects its text does not
//! show, and a program that is not described, unless a rule names it.

mod file;
mod rule;

use std::path::Path;
use std::sync::LazyLock;

pub use file::PolicyError;
pub use rule::Effect;

use crate::analysis::{Analysis, Certainty, CommandEffects, Decision};
use rule::Rule;

/// Rules in the order in which they are tried.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// A decision and the sentences that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What may be done with the line.
    pub decision: Decision,
    /// Why it was not simply allowed, one sentence for each command that was not.
    pub reasons: Vec<String>,
}

static BUILT_IN: LazyLock<Policy> = LazyLock::new(|| {
    let rules = file::rules("built-in policy", include_str!("built_in.toml"))
        .expect("the policy in this directory is read by a test");
    Policy { rules }
});

impl Policy {
    /// The policy that holds where no other is given: reading inside the roots is allowed, making directories and
    /// empty files there too, catastrophes are denied, and everything else is asked for.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The rules of a file, or the built-in ones where none is given.
    ///
    /// # Errors
    /// One sentence: the file cannot be read, and as [`Policy::parse`].
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self::built_in().clone()) };
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            format!("the policy {shown} cannot be read ({error}): name a file with rules")
        })?;
        Self::parse(&shown, &text).map_err(|error| error.to_string())
    }

    /// Reads a policy file; `file` is its name in errors. Its rules are tried before the built-in ones, which
    /// `base = "none"` at the top leaves out.
    ///
    /// # Errors
    /// With line and column: the file is not TOML, a field is unknown, a rule allows without saying what, or
    /// an example does not come out as it says.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let mut rules = file::rules(file, text)?;
        if file::keeps_built_in(file, text)? {
            rules.extend(Self::built_in().rules.iter().cloned());
        }
        Ok(Self { rules })
    }
}

/// Decides about a line. `roots` are the directories, absolute, inside which files may be used; `network` says whether it
/// is to have one: over it a command that may read files can send them anywhere, so a rule has to allow that too.
#[must_use]
pub fn decide(analysis: &Analysis, policy: &Policy, roots: &[String], network: bool) -> Verdict {
    let mut verdict = Verdict { decision: Decision::Allow, reasons: Vec::new() };
    if !analysis.parsed {
        verdict.raise(
            Decision::Prompt,
            "The command was not understood, so a person has to look at it.".to_owned(),
        );
    }
    if analysis.warnings.iter().any(|warning| warning.kind == "hidden_characters") {
        verdict.raise(Decision::Prompt, "The command does not look like what it is.".to_owned());
    }
    for command in &analysis.commands {
        let (decision, reason) = decide_one(command, policy, roots, network);
        if decision != Decision::Allow {
            verdict.raise(decision, format!("{}: {reason}", shown(command)));
        }
    }
    verdict
}

impl Verdict {
    fn raise(&mut self, decision: Decision, reason: String) {
        self.decision = self.decision.max(decision);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

fn shown(command: &CommandEffects) -> String {
    const LONGEST: usize = 60;
    let line = command.argv.join(" ");
    if line.is_empty() {
        return "A redirection or assignment".to_owned();
    }
    let cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < line.len() { format!("`{cut}…`") } else { format!("`{cut}`") }
}

/// The hosts of the URLs among the words of a command: where it says that it connects to.
fn hosts(command: &CommandEffects) -> Vec<&str> {
    let mut hosts = Vec::new();
    for word in &command.argv {
        let Some((_, rest)) = word.split_once("://") else { continue };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if !host.is_empty() && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// Why a command that is allowed otherwise is asked for, where it is to have a network.
fn with_network(command: &CommandEffects, rule: &str) -> String {
    let hosts = hosts(command);
    let named = if hosts.is_empty() { String::new() } else { format!("; it names {}", hosts.join(", ")) };
    format!(
        "with a network it could send whatever it reads{named}. A rule that allows this says `network = true` (rule {rule} does not)."
    )
}

fn decide_one(
    command: &CommandEffects,
    policy: &Policy,
    roots: &[String],
    network: bool,
) -> (Decision, String) {
    let matching = || policy.rules.iter().filter(|rule| rule.matches(command, roots));
    let rule = matching().find(|rule| rule.decision == Decision::Deny).or_else(|| matching().next());
    match rule {
        Some(rule) if rule.decision == Decision::Allow && command.certainty == Certainty::Opaque => {
            (Decision::Prompt, "what it does is not clear from its text, which no rule can allow.".to_owned())
        }
        Some(rule) if rule.decision == Decision::Allow && network && !rule.network => {
            (Decision::Prompt, with_network(command, &rule.name))
        }
        Some(rule) => (rule.decision, format!("{} (rule {})", rule.reason, rule.name)),
        None => (Decision::Prompt, "no rule allows it.".to_owned()),
    }
}

/// Whether any rule may allow a command: its text has to show what it does.
pub(crate) fn can_be_allowed(command: &CommandEffects) -> bool {
    command.certainty != Certainty::Opaque
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Context, analyse};

    fn decision(policy: &Policy, command: &str) -> Decision {
        let context = Context::new("/srv/project", "/home/user");
        decide(&analyse(command, &context), policy, &["/srv/project".to_owned()], false).decision
    }

    fn with_network(policy: &Policy, command: &str) -> Verdict {
        let context = Context::new("/srv/project", "/home/user");
        decide(&analyse(command, &context), policy, &["/srv/project".to_owned()], true)
    }

    #[test]
    fn a_network_is_asked_for_unless_a_rule_grants_it() {
        let built_in = Policy::built_in();
        for command in ["ls", "cat notes.txt", "cat a | wc -l", "mkdir -p out"] {
            assert_eq!(decision(built_in, command), Decision::Allow, "{command}");
            let verdict = with_network(built_in, command);
            assert_eq!(verdict.decision, Decision::Prompt, "{command}");
            assert!(verdict.reasons[0].contains("with a network"), "{verdict:?}");
        }
        assert_eq!(with_network(built_in, "rm -rf /").decision, Decision::Deny);
        let rule = |network: &str| {
            format!(
                "[[rule]]\nname = 'fetch'\ndecision = 'allow'\nprogram = ['curl']\n{network}match = ['curl https://a.example/x']\n\
                 no_match = ['wget x']\n"
            )
        };
        let granted = Policy::parse("p.toml", &rule("network = true\n")).unwrap();
        assert_eq!(with_network(&granted, "curl https://a.example/x").decision, Decision::Allow);
        assert_eq!(with_network(&granted, "curl https://a.example/x | cat").decision, Decision::Prompt);
        let without = with_network(
            &Policy::parse("p.toml", &rule("")).unwrap(),
            "curl https://user@a.example:8080/x?y=z 'http://b.example'",
        );
        assert_eq!(without.decision, Decision::Prompt);
        assert!(without.reasons[0].contains("it names a.example:8080, b.example"), "{without:?}");
        let denies = rule("network = true\n").replace("allow", "deny");
        assert!(Policy::parse("p.toml", &denies).unwrap_err().message.contains("goes with"));
    }

    #[test]
    fn the_built_in_policy_is_read_and_its_examples_hold() {
        assert!(Policy::built_in().rules.len() >= 5);
    }

    #[test]
    fn a_rule_of_the_user_comes_before_the_built_in_ones() {
        let policy = Policy::parse(
            "p.toml",
            "[[rule]]\nname = 'tests'\ndecision = 'allow'\nprogram = ['cargo']\nsubcommand = ['test']\n\
             match = ['cargo test']\nno_match = ['cargo publish', './cargo test', 'cargo test $X']\n",
        )
        .unwrap();
        assert_eq!(decision(&policy, "cargo test"), Decision::Allow);
        assert_eq!(decision(Policy::built_in(), "cargo test"), Decision::Prompt);
        assert_eq!(decision(&policy, "cargo test; rm -rf /"), Decision::Deny);
        assert_eq!(decision(&policy, "cargo test; rm a"), Decision::Prompt);
    }

    #[test]
    fn nothing_allows_what_cannot_be_told() {
        let policy = Policy::parse(
            "p.toml",
            "[[rule]]\nname = 'all'\ndecision = 'allow'\nprogram = ['*']\nmatch = ['ls']\nno_match = ['eval $X']\n",
        )
        .unwrap();
        for command in
            ["python3 -c 'print(1)'", "sh -c ls", "$X", "find . -exec ls {} ;", "xargs ls", "ls 'a"]
        {
            assert_ne!(decision(&policy, command), Decision::Allow, "{command}");
        }
        assert_eq!(decision(&policy, "rm a"), Decision::Allow);
    }

    #[test]
    fn a_program_that_is_not_described_has_to_be_named() {
        let named = Policy::parse(
            "p.toml",
            "[[rule]]\nname = 'mine'\ndecision = 'allow'\nprogram = ['mytool']\nmatch = ['mytool status']\n\
             no_match = ['othertool']\n",
        )
        .unwrap();
        assert_eq!(decision(&named, "mytool status"), Decision::Allow);
        assert_eq!(decision(&named, "othertool status"), Decision::Prompt);
    }
}
