//! Values for the parameters of an entry, taken from a task in words.

use std::collections::BTreeMap;

use crate::catalogue::entry::{Entry, Parameter};
use crate::catalogue::facts::{Token, tokens};
use crate::catalogue::forms::{formed, looks_like_path};
use crate::catalogue::kind::Kind;

/// An entry with values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filled {
    /// The command.
    pub command: String,
    /// The value of each parameter.
    pub values: BTreeMap<String, String>,
    /// The parameters that the task named no value for: what they hold is a default or an example.
    pub assumed: Vec<String>,
}

/// Words between a cue and its value: "the branch is called x".
const FILLERS: &[&str] =
    &["is", "are", "the", "a", "an", "named", "called", "number", "of", "=", "to", "than", "with"];

/// Words that end a search for a value: they are never a name themselves.
const NO_NAMES: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "by",
    "every",
    "for",
    "from",
    "her",
    "his",
    "how",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "me",
    "my",
    "of",
    "off",
    "on",
    "or",
    "our",
    "out",
    "over",
    "so",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "this",
    "to",
    "under",
    "up",
    "using",
    "was",
    "what",
    "where",
    "which",
    "who",
    "with",
    "without",
    "you",
    "your",
    "file",
    "files",
    "folder",
    "folders",
    "directory",
    "directories",
    "named",
    "called",
    "name",
    "current",
    "has",
    "have",
    "not",
    "but",
    "be",
    "only",
    "one",
    "first",
    "last",
    "running",
    "new",
    "old",
    "than",
    "more",
    "less",
];

impl Entry {
    /// The command for `task`: each parameter takes what the task names for it, else its default, else its
    /// example.
    pub fn fill(&self, task: &str) -> Filled {
        let mut tokens = tokens(task);
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        let names = self.template.names();
        for find in [by_cue, by_form] {
            // Those with a form of their own first: a number with a unit is a size before it is text.
            for general in [false, true] {
                for name in &names {
                    let parameter = &self.parameters[*name];
                    if named.contains_key(*name) || is_general(parameter.kind) != general {
                        continue;
                    }
                    if let Some(value) = find(&mut tokens, parameter) {
                        named.insert((*name).to_owned(), value);
                    }
                }
            }
        }
        self.filled(named)
    }

    fn filled(&self, mut named: BTreeMap<String, String>) -> Filled {
        let defaults = self.defaults();
        loop {
            let mut values = defaults.clone();
            values.extend(named.clone());
            match self.render(&values) {
                Ok(command) => {
                    let assumed = self.template.names().into_iter().filter(|name| !named.contains_key(*name));
                    let assumed = assumed.map(str::to_owned).collect();
                    return Filled { command, values, assumed };
                }
                // What only its place in the template forbids is left out again. The defaults were tried
                // when the entry was read, so that each round takes a named value away.
                Err(error) => drop(named.remove(&error.parameter)),
            }
        }
    }
}

fn is_general(kind: Kind) -> bool {
    use Kind::{
        Branch, Folder, Name, Output, Package, Path, Program, Regex, SedPattern, SedReplacement, Text,
    };
    matches!(
        kind,
        Text | Regex
            | SedPattern
            | SedReplacement
            | Name
            | Package
            | Program
            | Branch
            | Path
            | Folder
            | Output
    )
}

/// Words after which a value of the kind is named.
fn cues(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Port => &["port", "ports"],
        Kind::User => &["user", "users", "account", "owner", "owned", "login"],
        Kind::Group => &["group"],
        Kind::Pid => &["pid", "process", "id"],
        Kind::Signal => &["signal"],
        Kind::Branch => &["branch", "tag"],
        Kind::Commit => &["commit", "revision"],
        Kind::Host | Kind::Address => &["host", "server", "machine", "domain"],
        Kind::Package => &["package", "install", "uninstall", "library", "remove"],
        Kind::Service => &["service", "unit", "daemon"],
        Kind::Container => &["container"],
        Kind::Image => &["image"],
        Kind::Interface => &["interface", "device"],
        Kind::Variable => &["variable"],
        Kind::Program => &["program", "command", "tool", "binary", "of"],
        Kind::Text | Kind::Regex => &[
            "containing",
            "contains",
            "contain",
            "word",
            "text",
            "string",
            "phrase",
            "matching",
            "pattern",
            "saying",
            "message",
        ],
        Kind::SedPattern => &["replace", "change", "substitute", "occurrences"],
        Kind::SedReplacement => &["with", "by"],
        Kind::Extension => &["extension", "ending"],
        Kind::Mode => &["mode", "permissions", "permission"],
        Kind::Folder => &["folder", "directory"],
        Kind::File => &["file"],
        Kind::Output => &["to", "into", "as", "named", "called"],
        Kind::Fields => &["column", "columns", "field", "fields"],
        Kind::Date => &["since", "after", "before", "on"],
        Kind::Delimiter => &["by", "separated", "delimiter", "separator"],
        Kind::Key => &["key", "field"],
        _ => &[],
    }
}

/// The first value that a cue announces.
fn by_cue(tokens: &mut [Token], parameter: &Parameter) -> Option<String> {
    let own = parameter.cues.iter().map(String::as_str);
    let cues: Vec<&str> = own.chain(cues(parameter.kind).iter().copied()).collect();
    for at in 0..tokens.len() {
        if tokens[at].quoted || !cues.contains(&tokens[at].word().as_str()) {
            continue;
        }
        let mut next = at + 1;
        while next < tokens.len() && !tokens[next].quoted && FILLERS.contains(&tokens[next].word().as_str()) {
            next += 1;
        }
        if let Some(value) = tokens.get(next).and_then(|token| announced(token, parameter.kind)) {
            tokens[next].used = true;
            return Some(value);
        }
    }
    None
}

/// The value of a token that follows a cue: it must fit the kind, and not be a word of the sentence.
fn announced(token: &Token, kind: Kind) -> Option<String> {
    if token.used || (!token.quoted && NO_NAMES.contains(&token.word().as_str())) {
        return None;
    }
    // A path must look like one: "to disk" names no file.
    if kind.is_path() && !token.quoted && !looks_like_path(&token.text) && cue_is_weak(kind) {
        return None;
    }
    kind.accept(&token.text).ok()
}

fn cue_is_weak(kind: Kind) -> bool {
    kind == Kind::Output
}

/// The first unused token that has the form of the kind.
fn by_form(tokens: &mut [Token], parameter: &Parameter) -> Option<String> {
    let kind = parameter.kind;
    for at in 0..tokens.len() {
        if tokens[at].used {
            continue;
        }
        let unit = tokens.get(at + 1).map(Token::word);
        let (value, taken) = match formed(&tokens[at], unit.as_deref(), kind) {
            Some(found) => found,
            None => continue,
        };
        if let Ok(value) = kind.accept(&value) {
            tokens[at..at + taken].iter_mut().for_each(|token| token.used = true);
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::Catalogue;

    fn entry(template: &str, parameters: &[(&str, &str, &str)]) -> Entry {
        let parameters: String = parameters
            .iter()
            .map(|(name, kind, example)| {
                format!("parameters.{name} = {{ type = '{kind}', example = '{example}' }}\n")
            })
            .collect();
        let text = format!(
            "[[command]]\nid = 'x'\ntemplate = '''{template}'''\nsays = ['x']\nrisk = 'none'\n{parameters}"
        );
        Catalogue::parse(&[("area", &text)]).unwrap().get("x").unwrap().clone()
    }

    #[test]
    fn tasks_name_values() {
        let big = entry(
            "find {folder} -size +{size} -mtime -{days}",
            &[("folder", "folder", "."), ("size", "size", "1M"), ("days", "days", "1")],
        );
        for (task, command) in [
            (
                "files over 100 MB in /var/log changed in the last 7 days",
                "find /var/log -size +100M -mtime -7",
            ),
            ("files bigger than 2G below ~/a from the past week", "find ~/a -size +2G -mtime -7"),
            ("big files of 3 weeks", "find . -size +1M -mtime -21"),
            ("files in the directory src since yesterday", "find src -size +1M -mtime -1"),
        ] {
            assert_eq!(big.fill(task).command, command, "{task}");
        }
        assert_eq!(big.fill("big files of 3 weeks").assumed, ["folder", "size"]);
    }

    #[test]
    fn each_type_is_recognised() {
        for (template, kind, example, task, value) in [
            ("lsof -i :{x}", "port", "1", "what listens on port 8080?", "8080"),
            ("ps -u {x}", "user", "me", "processes of user alice", "alice"),
            ("kill {x}", "pid", "1", "stop process 4242", "4242"),
            ("kill -s {x} 1", "signal", "INT", "send the signal hup to it", "HUP"),
            ("git switch {x}", "branch", "a", "go to the branch feature/login", "feature/login"),
            ("curl {x}", "url", "http://x", "download https://a.org/b.zip now", "https://a.org/b.zip"),
            ("ping {x}", "host", "x", "is example.org up", "example.org"),
            ("ssh {x}", "address", "x", "log in to me@example.org", "me@example.org"),
            ("find . -name {x}", "glob", "a", "python files here", "*.py"),
            ("find . -name {x}", "glob", "a", "all .log things", "*.log"),
            ("find . -name {x}", "glob", "a", "those called \"a*b\"", "a*b"),
            ("grep -e {x} f", "text", "a", "lines containing \"disk full\" please", "disk full"),
            ("grep -e {x} f", "text", "a", "lines with the word error", "error"),
            ("chmod {x} f", "mode", "644", "set permissions to 755", "755"),
            ("head -n {x} f", "integer", "1", "the first 20 lines", "20"),
            ("sleep {x}", "duration", "1s", "wait for 5 minutes", "5m"),
            ("find . -mmin -{x}", "minutes", "1", "changed in the last 2 hours", "120"),
            ("cut -f {x} f", "fields", "1", "print column 3", "3"),
            ("jq {x} f", "key", ".a", "the key .items of it", ".items"),
            ("printenv {x}", "variable", "A", "value of the variable EDITOR", "EDITOR"),
            ("apt install {x}", "package", "a", "install curl", "curl"),
            ("cat {x}", "file", "a", "show notes/a.txt.", "notes/a.txt"),
        ] {
            let filled = entry(template, &[("x", kind, example)]).fill(task);
            assert_eq!(filled.values["x"], value, "{task}");
            assert!(filled.assumed.is_empty(), "{task}");
        }
    }

    #[test]
    fn sentences_name_no_values_by_accident() {
        for (template, kind, example, task) in [
            ("ps -u {x}", "user", "me", "processes of every user"),
            ("cat {x}", "file", "a", "show the file"),
            ("kill {x}", "pid", "1", "stop the process"),
            ("tar xf {x}", "output", "a", "extract to disk"),
            ("head -n {x}", "integer", "1", "changed 7 days ago"),
            ("cat {x}", "file", "a", "show \"-n\""),
        ] {
            assert_eq!(entry(template, &[("x", kind, example)]).fill(task).assumed, ["x"], "{task}");
        }
    }

    #[test]
    fn one_value_goes_to_one_parameter() {
        let swap = entry(
            "sed -e 's/{old}/{new}/g' {file}",
            &[("old", "sed_pattern", "a"), ("new", "sed_replacement", "b"), ("file", "file", "f")],
        );
        let filled = swap.fill("replace \"a/b\" with \"c&d\" in x.txt");
        assert_eq!(filled.command, r"sed -e 's/a\/b/c\&d/g' x.txt");
    }

    proptest! {
        #[test]
        fn any_task_fills_every_entry(task in "[ -~é“”\n\0]{0,80}", at in 0_usize..10_000) {
            let entries = Catalogue::shipped().entries();
            let entry = &entries[at % entries.len()];
            let filled = entry.fill(&task);
            prop_assert_eq!(entry.render(&filled.values).unwrap(), filled.command);
        }
    }
}
