//! The rules that are built in: patterns of ast-grep as data, each with texts that it has to match and texts that it
//! must not. A test holds every rule to its texts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ast_grep_core::matcher::{KindMatcher, Matcher, MatcherExt};
use ast_grep_core::tree_sitter::StrDoc;
use ast_grep_core::{AstGrep, Node, NodeMatch, Pattern};
use mcp_source::Language;
use mcp_source::tree_sitter::Tree;
use regex::Regex;
use serde::Deserialize;

use crate::lint::language::Grammar;
use crate::lint::{Finding, Severity};

/// The packs: which languages, and the rules.
const PACKS: [(&str, &[Language], &str); 3] = [
    ("rust", &[Language::Rust], include_str!("../../rules/rust.toml")),
    ("python", &[Language::Python], include_str!("../../rules/python.toml")),
    (
        "script",
        &[Language::JavaScript, Language::TypeScript, Language::Tsx],
        include_str!("../../rules/script.toml"),
    ),
];

/// The names of the packs.
pub fn packs() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, ..)| *name)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    rule: Vec<Rule>,
}

/// A rule as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, without that of its pack.
    pub id: String,
    /// How bad what it finds is.
    pub severity: Severity,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The patterns, of which one has to match.
    #[serde(default)]
    patterns: Vec<String>,
    /// Kinds of nodes, of which it has to be one; beside patterns or instead of them.
    #[serde(default)]
    kinds: Vec<String>,
    /// A pattern that needs a text around it: the text, and the kind of the node in it.
    #[serde(default)]
    context: Option<(String, String)>,
    /// What the text of variables has to match.
    #[serde(default, rename = "where")]
    holds: BTreeMap<String, String>,
    /// What the text of variables must not match.
    #[serde(default)]
    where_not: BTreeMap<String, String>,
    /// What the whole text has to match, and what it must not.
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    text_not: Option<String>,
    /// Kinds of nodes around it, of which there has to be one.
    #[serde(default)]
    inside: Vec<String>,
    /// Kinds of nodes around it that there must not be.
    #[serde(default)]
    not_inside: Vec<String>,
    /// Patterns in it that there must not be.
    #[serde(default)]
    not_has: Vec<String>,
    /// Tests may do this.
    #[serde(default)]
    not_in_tests: bool,
    /// Texts with just one match.
    #[serde(rename = "match")]
    pub examples: Vec<String>,
    /// Texts without a match.
    #[serde(rename = "no_match")]
    pub counterexamples: Vec<String>,
}

/// A rule that was made ready for a language.
struct Ready {
    name: String,
    severity: Severity,
    message: String,
    patterns: Vec<Pattern>,
    kinds: Vec<KindMatcher>,
    holds: Vec<(String, Regex)>,
    where_not: Vec<(String, Regex)>,
    text: Option<Regex>,
    text_not: Option<Regex>,
    inside: Vec<String>,
    not_inside: Vec<String>,
    not_has: Vec<Pattern>,
    not_in_tests: bool,
}

/// The rules of a language, by the kinds of nodes that they may match.
struct Set {
    rules: Vec<Ready>,
    by_kind: Vec<Vec<usize>>,
    /// Rules that may match any node.
    any: Vec<usize>,
}

type Doc = StrDoc<Grammar>;

/// The rules of a pack as they are written.
///
/// # Errors
/// Only if the pack that was compiled in is malformed, which a test excludes.
pub fn written(pack: &str) -> Result<Vec<Rule>, String> {
    let (.., text) =
        PACKS.iter().find(|(name, ..)| *name == pack).ok_or_else(|| format!("there is no pack {pack}"))?;
    toml::from_str::<Pack>(text).map(|pack| pack.rule).map_err(|error| error.to_string())
}

/// The names of all rules, with those of their packs.
pub fn names() -> impl Iterator<Item = &'static str> {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    let all = || {
        let of = |pack: &'static str| {
            let rules = written(pack).unwrap_or_default();
            rules.into_iter().map(move |rule| format!("{pack}/{}", rule.id))
        };
        packs().flat_map(of).collect()
    };
    NAMES.get_or_init(all).iter().map(String::as_str)
}

/// Finds what the rules of a language find in a file. `path` is what findings name, and tells tests by their names.
#[must_use]
pub fn find(language: Language, tree: Tree, text: &str, path: &str) -> Vec<Finding> {
    let Some(set) = set(language) else { return Vec::new() };
    let document = StrDoc { src: text.to_owned(), lang: Grammar(language), tree };
    let root: AstGrep<Doc> = AstGrep::doc(document);
    let is_test = is_test_path(path);
    let mut found = Vec::new();
    for node in root.root().dfs() {
        let kind = usize::from(node.kind_id());
        let candidates = set.by_kind.get(kind).into_iter().flatten().chain(&set.any);
        for rule in candidates.map(|number| &set.rules[*number]) {
            if rule.matches(&node, is_test) {
                let start = node.start_pos();
                found.push(Finding {
                    path: path.to_owned(),
                    line: u32::try_from(start.line()).unwrap_or(u32::MAX).saturating_add(1),
                    column: u32::try_from(start.column(&node)).unwrap_or(u32::MAX).saturating_add(1),
                    rule: rule.name.clone(),
                    severity: rule.severity,
                    message: rule.message.clone(),
                    tool: "built-in".to_owned(),
                });
            }
        }
    }
    found
}

fn set(language: Language) -> Option<&'static Set> {
    static SETS: [OnceLock<Option<Set>>; Language::ALL.len()] =
        [const { OnceLock::new() }; Language::ALL.len()];
    SETS[language.number()]
        .get_or_init(|| {
            let (pack, ..) = PACKS.iter().find(|(_, languages, _)| languages.contains(&language))?;
            let set = written(pack).and_then(|rules| Set::new(pack, &rules, language));
            debug_assert!(set.is_ok(), "a test holds every rule to its grammar: {:?}", set.as_ref().err());
            set.ok()
        })
        .as_ref()
}

impl Set {
    fn new(pack: &str, rules: &[Rule], language: Language) -> Result<Self, String> {
        let rules: Vec<Ready> =
            rules.iter().map(|rule| Ready::new(pack, rule, language)).collect::<Result<_, _>>()?;
        let mut by_kind = vec![Vec::new(); language.grammar().node_kind_count()];
        let mut any = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let sets: Vec<_> = rule
                .patterns
                .iter()
                .map(Matcher::potential_kinds)
                .chain(rule.kinds.iter().map(Matcher::potential_kinds))
                .collect();
            if sets.iter().any(Option::is_none) {
                any.push(number);
                continue;
            }
            let mut kinds: Vec<usize> =
                sets.into_iter().flatten().flat_map(|kinds| kinds.iter().collect::<Vec<_>>()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            for kind in kinds {
                if let Some(list) = by_kind.get_mut(kind) {
                    list.push(number);
                }
            }
        }
        Ok(Self { rules, by_kind, any })
    }
}

impl Ready {
    fn new(pack: &str, rule: &Rule, language: Language) -> Result<Self, String> {
        let name = format!("{pack}/{}", rule.id);
        let failed = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        let grammar = Grammar(language);
        let pattern = |text: &String| Pattern::try_new(text, grammar).map_err(|error| failed(&error));
        let mut patterns: Vec<Pattern> = rule.patterns.iter().map(pattern).collect::<Result<_, _>>()?;
        if let Some((context, selector)) = &rule.context {
            patterns.push(Pattern::contextual(context, selector, grammar).map_err(|error| failed(&error))?);
        }
        let kind = |name: &String| KindMatcher::try_new(name, grammar).map_err(|error| failed(&error));
        let regex = |text: &String| Regex::new(text).map_err(|error| failed(&error));
        let named = |map: &BTreeMap<String, String>| -> Result<Vec<(String, Regex)>, String> {
            map.iter().map(|(name, text)| Ok((name.clone(), regex(text)?))).collect()
        };
        Ok(Self {
            severity: rule.severity,
            message: rule.message.clone(),
            kinds: rule.kinds.iter().map(kind).collect::<Result<_, _>>()?,
            holds: named(&rule.holds)?,
            where_not: named(&rule.where_not)?,
            text: rule.text.as_ref().map(regex).transpose()?,
            text_not: rule.text_not.as_ref().map(regex).transpose()?,
            inside: rule.inside.clone(),
            not_inside: rule.not_inside.clone(),
            not_has: rule.not_has.iter().map(pattern).collect::<Result<_, _>>()?,
            not_in_tests: rule.not_in_tests,
            patterns,
            name,
        })
    }

    fn matches(&self, node: &Node<'_, Doc>, is_test: bool) -> bool {
        if self.not_in_tests && is_test {
            return false;
        }
        let is_kind = self.kinds.iter().any(|kind| kind.match_node(node.clone()).is_some());
        let matched = match self.patterns.iter().find_map(|pattern| pattern.match_node(node.clone())) {
            Some(matched) if self.kinds.is_empty() || is_kind => Some(matched),
            Some(_) => None,
            None if self.patterns.is_empty() && is_kind => Some(NodeMatch::from(node.clone())),
            None => None,
        };
        matched.is_some_and(|matched| self.variables_hold(&matched) && self.surroundings_hold(node))
    }

    fn variables_hold(&self, matched: &NodeMatch<'_, Doc>) -> bool {
        let text_of = |name: &str| matched.get_env().get_match(name).map(|node| node.text());
        let is = |(name, regex): &(String, Regex)| text_of(name).is_some_and(|text| regex.is_match(&text));
        self.holds.iter().all(is) && !self.where_not.iter().any(is)
    }

    fn surroundings_hold(&self, node: &Node<'_, Doc>) -> bool {
        if self.text.is_some() || self.text_not.is_some() {
            let text = node.text();
            if self.text.as_ref().is_some_and(|regex| !regex.is_match(&text))
                || self.text_not.as_ref().is_some_and(|regex| regex.is_match(&text))
            {
                return false;
            }
        }
        let around =
            |kinds: &[String]| node.ancestors().any(|outer| kinds.iter().any(|kind| *kind == outer.kind()));
        (self.inside.is_empty() || around(&self.inside))
            && (self.not_inside.is_empty() || !around(&self.not_inside))
            && !self.not_has.iter().any(|pattern| pattern.find_node(node.clone()).is_some())
            && !(self.not_in_tests && is_in_test(node))
    }
}

/// Whether a node of Rust lies in a test: in a module or function below an attribute that names one.
fn is_in_test(node: &Node<'_, Doc>) -> bool {
    if node.lang().0 != Language::Rust {
        return false;
    }
    let marks = |outer: &Node<'_, Doc>| {
        let mut before = outer.prev();
        while let Some(attribute) = before.filter(|before| before.kind() == "attribute_item") {
            let text = attribute.text();
            if text.contains("test") && !text.contains("not(test)") {
                return true;
            }
            before = attribute.prev();
        }
        false
    };
    node.ancestors()
        .filter(|outer| matches!(outer.kind().as_ref(), "mod_item" | "function_item"))
        .any(|outer| marks(&outer))
}

/// Whether a file holds tests, by the usual names.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    let mut parts = path.split('/');
    let name = parts.next_back().unwrap_or_default();
    let directories = ["tests", "test", "__tests__", "testing", "benches", "examples", "spec"];
    parts.any(|part| directories.contains(&part))
        || name.starts_with("test_")
        || name == "conftest.py"
        || name == "tests.rs"
        || ["_test.py", "_test.go", "Test.java", "Tests.java"].iter().any(|end| name.ends_with(end))
        || [".test.", ".spec."].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use std::time::Duration;

    use mcp_source::parse;

    use super::*;

    /// Nothing here is about time, and the machine may be busy.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn lines(language: Language, text: &str, rule: &str) -> Vec<u32> {
        let tree = parse::parse(language, text.as_bytes(), PATIENCE).unwrap();
        assert!(
            !tree.root_node().has_error(),
            "{rule}: an example of {} does not parse:\n{text}",
            language.name()
        );
        let found = find(language, tree, text, "src/example");
        found.into_iter().filter(|finding| finding.rule == rule).map(|finding| finding.line).collect()
    }

    #[test]
    fn every_rule_does_what_its_examples_say() {
        let mut count = 0;
        let mut names = BTreeSet::new();
        for (pack, languages, _) in PACKS {
            for rule in written(pack).unwrap() {
                let name = format!("{pack}/{}", rule.id);
                assert!(names.insert(name.clone()), "{name} stands twice");
                assert!(
                    !rule.examples.is_empty() && !rule.counterexamples.is_empty(),
                    "{name} has no examples"
                );
                assert!(rule.message.len() > 10 && !rule.message.ends_with('.'), "{name}: {}", rule.message);
                count += 1;
                for language in languages {
                    for text in &rule.examples {
                        // Types are an error in JavaScript.
                        if !parses(*language, text) && *language == Language::JavaScript {
                            continue;
                        }
                        assert_eq!(
                            lines(*language, text, &name).len(),
                            1,
                            "{name} in {}:\n{text}",
                            language.name()
                        );
                    }
                    for text in &rule.counterexamples {
                        if !parses(*language, text) && *language == Language::JavaScript {
                            continue;
                        }
                        assert!(
                            lines(*language, text, &name).is_empty(),
                            "{name} in {}:\n{text}",
                            language.name()
                        );
                    }
                }
            }
        }
        assert!(count >= 60, "{count} rules");
    }

    fn parses(language: Language, text: &str) -> bool {
        !parse::parse(language, text.as_bytes(), PATIENCE).unwrap().root_node().has_error()
    }

    #[test]
    fn files_of_tests_are_told_by_their_names() {
        for (path, is_test) in [
            ("tests/a.rs", true),
            ("src/tests.rs", true),
            ("a/test_b.py", true),
            ("conftest.py", true),
            ("a.test.ts", true),
            ("src/attest.rs", false),
            ("latest/a.py", false),
        ] {
            assert_eq!(is_test_path(path), is_test, "{path}");
        }
    }

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let text = "def f():\n    'é'; eval(x)\n";
        let tree = parse::parse(Language::Python, text.as_bytes(), PATIENCE).unwrap();
        let found = find(Language::Python, tree, text, "a.py");
        let finding = found.iter().find(|finding| finding.rule == "python/eval").unwrap();
        assert_eq!((finding.line, finding.column), (2, 10));
    }
}
