//! Remedies: from evidence to a hypothesis, to commands that look or act, each told by the analysis of commands. A table
//! holds the rules; nothing is run.

use std::sync::LazyLock;

use bash_god::analysis::{Analysis, Context, Decision, Risk, analyse};
use serde::{Deserialize, Serialize};

/// Stands for the caller's name in commands.
const TARGET: &str = "TARGET";
/// The most rules of an answer.
const MOST: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Rule>,
}

/// A rule of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    words: Vec<Vec<String>>,
    hypothesis: String,
    #[serde(default)]
    look: Vec<String>,
    #[serde(default)]
    act: Vec<Act>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    command: String,
    why: String,
    rollback: String,
}

static TABLE: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let table: Result<Table, _> = toml::from_str(include_str!("remedies.toml"));
    // A test reads the table.
    table.map(|table| table.rule).unwrap_or_default()
});

/// A command, and what it would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Command {
    /// The command.
    pub command: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// What may be done with it.
    pub decision: Decision,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// What it is good for; nothing where it only looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How it is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
}

/// A hypothesis, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remedy {
    /// What speaks for it.
    pub evidence: Vec<String>,
    /// What may be wrong.
    pub hypothesis: String,
    /// Commands that show more.
    pub look: Vec<Command>,
    /// Commands that change something.
    pub act: Vec<Command>,
}

/// Something that was seen: a finding of the host with its key, or a sentence of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The key of a finding.
    pub key: Option<&'static str>,
    /// What was seen.
    pub text: String,
}

/// The remedies for what was seen, those with most evidence first. `target` is the name of a service or host; without one
/// the commands say TARGET.
///
/// # Errors
/// The target is not a name.
pub fn remedies(
    evidence: &[Evidence],
    target: Option<&str>,
    cwd: &str,
    home: &str,
) -> Result<Vec<Remedy>, String> {
    let is_name = |name: &str| {
        (1..=100).contains(&name.len())
            && !name.starts_with('-')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._@:-".contains(&byte))
    };
    if let Some(name) = target.filter(|name| !is_name(name)) {
        let shown = crate::readers::shown(name);
        return Err(format!("target {shown} is not a name: give letters, digits and . _ @ : - alone"));
    }
    let context = Context::new(cwd, home);
    let mut found: Vec<(f64, Remedy)> = Vec::new();
    for rule in TABLE.iter() {
        let spoken: Vec<(f64, String)> =
            evidence.iter().filter_map(|one| Some((rule.fit(one)?, one.text.clone()))).collect();
        if spoken.is_empty() {
            continue;
        }
        let strength = spoken.iter().map(|(fit, _)| fit).sum();
        let told = |command: &str| Command::new(command, target, &context);
        let acting = |act: &Act| Command {
            why: Some(act.why.clone()),
            rollback: Some(filled(&act.rollback, target)),
            ..told(&act.command)
        };
        let remedy = Remedy {
            evidence: spoken.into_iter().map(|(_, text)| text).collect(),
            hypothesis: rule.hypothesis.clone(),
            look: rule.look.iter().map(|command| told(command)).collect(),
            act: rule.act.iter().map(acting).collect(),
        };
        found.push((strength, remedy));
    }
    // Stable: of equally strong ones the table's order decides.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(found.into_iter().take(MOST).map(|(_, remedy)| remedy).collect())
}

impl Rule {
    /// How well something fits: a key counts most, and each group of words one; `None` where a group has no word.
    fn fit(&self, evidence: &Evidence) -> Option<f64> {
        if evidence.key.is_some_and(|key| self.keys.iter().any(|known| known == key)) {
            return Some(3.0);
        }
        if evidence.key.is_some() || self.words.is_empty() {
            return None;
        }
        let text = evidence.text.to_lowercase();
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '/'));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        // "Not full" does not say that it is full.
        let denied = |at: usize| at > 0 && words[at - 1] == "not";
        let said: Vec<String> = words
            .iter()
            .enumerate()
            .filter(|(at, _)| !denied(*at))
            .map(|(_, word)| (*word).to_owned())
            .collect();
        let has = |group: &Vec<String>| group.iter().any(|word| said.contains(word));
        self.words.iter().all(has).then_some(self.words.len() as f64)
    }
}

fn filled(text: &str, target: Option<&str>) -> String {
    target.map_or_else(|| text.to_owned(), |target| text.replace(TARGET, target))
}

impl Command {
    fn new(command: &str, target: Option<&str>, context: &Context) -> Self {
        let command = filled(command, target);
        let Analysis { risk, decision, reasons, .. } = analyse(&command, context);
        Self { command, risk, decision, reasons, why: None, rollback: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Evidence {
        Evidence { key: None, text: text.to_owned() }
    }

    fn found(evidence: &[Evidence], target: Option<&str>) -> Vec<Remedy> {
        remedies(evidence, target, "/srv", "/home/user").unwrap()
    }

    #[test]
    fn the_table_is_read_and_each_command_is_understood() {
        let table: Table = toml::from_str(include_str!("remedies.toml")).unwrap();
        assert!(table.rule.len() >= 15 && TABLE.len() == table.rule.len());
        let context = Context::new("/srv", "/home/user");
        for rule in &table.rule {
            assert!(!rule.look.is_empty(), "{rule:?}");
            assert!(!rule.keys.is_empty() || !rule.words.is_empty(), "{rule:?}");
            for act in &rule.act {
                assert!(!act.why.is_empty() && !act.rollback.is_empty(), "{act:?}");
            }
            for command in rule.look.iter().chain(rule.act.iter().map(|act| &act.command)) {
                let analysis = analyse(&filled(command, Some("nginx.service")), &context);
                assert!(analysis.parsed, "{command}: {:?}", analysis.reasons);
                assert!(analysis.decision != Decision::Deny, "{command}: {:?}", analysis.reasons);
            }
        }
    }

    #[test]
    fn every_finding_of_the_host_has_a_rule() {
        for key in [
            "disk-full",
            "inodes-full",
            "oom-kill",
            "memory-pressure",
            "cpu-saturated",
            "cpu-stolen",
            "cgroup-throttled",
            "disk-saturated",
            "network-errors",
        ] {
            let evidence = Evidence { key: Some(key), text: key.to_owned() };
            assert_eq!(found(&[evidence], None).len(), 1, "{key}");
        }
    }

    #[test]
    fn evidence_leads_to_a_hypothesis_and_commands_with_their_risk() {
        let all = found(&[said("write failed: no space left on device (disk is full)")], None);
        assert!(all[0].hypothesis.contains("fills the file system"), "{all:?}");
        assert!(all[0].look.iter().any(|command| command.command == "df -h"));
        let act = &all[0].act[0];
        assert!(
            act.rollback.is_some() && act.risk > Risk::None && act.decision == Decision::Prompt,
            "{act:?}"
        );
        let all =
            found(&[said("CPU load is high"), said("container OOMKilled, exit 137")], Some("api.service"));
        assert!(
            all.iter().flat_map(|remedy| &remedy.act).all(|act| !act.command.contains(TARGET)),
            "{all:?}"
        );
        assert!(found(&[said("all is well")], None).is_empty());
        assert!(found(&[said("the disk is not full")], None).is_empty());
        let all = found(&[said("java.lang.OutOfMemoryError: Java heap space")], None);
        assert!(all[0].hypothesis.contains("heap") && all.len() == 1, "{all:?}");
        assert!(found(&[said("ERROR db timeout")], None)[0].hypothesis.contains("used up"));
    }

    #[test]
    fn a_target_that_is_no_name_is_refused() {
        for name in ["", "a b", "$(reboot)", "-x", "a;b", "a/b", "é", &"x".repeat(101)] {
            assert!(remedies(&[said("disk full")], Some(name), "/", "/").is_err(), "{name}");
        }
    }
}
