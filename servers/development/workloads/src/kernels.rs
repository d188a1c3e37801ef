//! What is measured, with what it has to answer.

use std::borrow::Cow;
use std::path::PathBuf;

use development::facts::Facts;
use development::index::{Bytes, Index, Settings, Snapshot};
use development::references::{Target, uses};
use development::resolve::{Graph, Modules, Resolver};
use development::search::{Mode, Query, in_text, matcher};
use mcp_source::Language;
use mcp_source::walk::Stamp;
use perflab_subject::answer::mix;
use perflab_subject::{Benchmark, Input};

use crate::input::{functions, source};

/// Numbers that end with a seven.
const PATTERN: &str = r"value_\d*7\(";
/// Of 2,000 functions 200 have such a number, and 200 call one that has; one that both has and calls counts on two
/// lines. Of 12 functions one has and none calls one.
const HITS: [u64; 2] = [400, 1];
/// Functions, and the names in the text: those of the functions, and `x`.
const FACTS: [u64; 2] = [mix(2_000, 2_001), mix(12, 13)];
/// Files of the index that is looked into.
const FILES: [u64; 2] = [64, 4];
/// Files that depend on the first one, in a graph where each imports the one at half its number.
const DEPENDENTS: [u64; 2] = [9_999, 15];
/// Files that use a function of another one, each in an import and a call.
const USERS: [u64; 2] = [40, 2];

fn of(input: Input, numbers: [u64; 2]) -> u64 {
    if input == Input::Count { numbers[1] } else { numbers[0] }
}

fn facts(path: &str, text: &str) -> Facts {
    Facts::of(path.to_owned(), Language::Rust, Stamp::default(), text.as_bytes())
}

/// All of them.
pub fn all() -> Vec<Benchmark> {
    vec![
        Benchmark::new("search/text", HITS[0], HITS[1], |input| {
            let (text, query) = (source(functions(input)), Query::new(PATTERN, Mode::Regex));
            let matcher = matcher(&query).ok();
            move || {
                matcher
                    .as_ref()
                    .and_then(|matcher| in_text(&query, matcher, text.as_bytes()).ok())
                    .map_or(0, |file| file.hits)
            }
        })
        .code(&["grep_", "regex_automata", "development::search"]),
        Benchmark::new("facts/rust", FACTS[0], FACTS[1], |input| {
            let text = source(functions(input));
            move || {
                let facts = facts("a.rs", &text);
                mix(facts.symbols.len() as u64, facts.names.len() as u64)
            }
        })
        .code(&["development::facts", "mcp_source", "tree_sitter", "ts_"])
        .long(),
        Benchmark::new("index/named", FILES[0], FILES[1], |input| {
            let snapshot = snapshot(of(input, FILES));
            move || snapshot.as_ref().map_or(0, |snapshot| snapshot.named("value_3").count() as u64)
        })
        .code(&["development::index"]),
        Benchmark::new("impact/closure", DEPENDENTS[0], DEPENDENTS[1], |input| {
            let files = u32::try_from(of(input, DEPENDENTS) + 1).unwrap_or(1);
            let edges: Vec<(u32, u32)> = (1..files).map(|file| (file, file / 2)).collect();
            let graph = Graph::of_edges(files as usize, &edges);
            move || graph.impact(&[0], usize::MAX).dependents.len() as u64
        })
        .code(&["development::resolve", "petgraph"]),
        Benchmark::new("references/uses", 2 * USERS[0], 2 * USERS[1], |input| {
            let project = Project::new(of(input, USERS));
            move || project.as_ref().map_or(0, Project::uses)
        })
        .code(&["development::references", "development::resolve", "tree_sitter", "ts_"])
        .long(),
    ]
}

fn snapshot(files: u64) -> Option<Snapshot> {
    let text = source(16);
    let files: Vec<Facts> = (0..files).map(|number| facts(&format!("f{number:03}.rs"), &text)).collect();
    Snapshot::new(Bytes::Owned(Snapshot::write(files.iter().map(Cow::Borrowed)))).ok()
}

/// A project on the disk, which goes when this does.
struct Project {
    directory: PathBuf,
    index: Index,
}

impl Drop for Project {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

impl Project {
    fn new(users: u64) -> Option<Self> {
        let directory = std::env::temp_dir().join(format!("development-workloads-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("src")).ok()?;
        let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).ok();
        write("Cargo.toml", "[package]\nname = \"it\"\n")?;
        let declared: String = (0..users).map(|number| format!("mod user{number};\n")).collect();
        write("src/lib.rs", &format!("pub mod tool;\n{declared}"))?;
        write("src/tool.rs", "pub fn apply() {}\n")?;
        for number in 0..users {
            let text = format!(
                "use crate::tool::apply;\nfn apply_{number}() {{\n    apply();\n}}\nfn other(apply: u8) -> u8 {{\n    apply\n}}\n"
            );
            write(&format!("src/user{number}.rs"), &text)?;
        }
        let index = Index::new(&Settings { root: directory.clone(), state: None }).ok()?;
        drop(index.now(&|_, _| true).ok()?);
        Some(Self { directory, index })
    }

    fn uses(&self) -> u64 {
        // Made in `new`; without it the answer would be a wrong one, which the lab reports.
        let Some(live) = self.index.last() else { return 0 };
        let modules = Modules::new(&live, self.index.root());
        let resolver = Resolver { modules: &modules, live: &live, root: Some(self.index.root()) };
        let named = live.named("apply");
        let targets = named
            .iter()
            .filter_map(|(entry, def)| Some(Target::new(modules.number(entry.path())?, *entry, def)));
        let targets: Vec<Target> = targets.collect();
        uses(&resolver, self.index.root(), &targets, &|| false).uses.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers by another way than the one that is measured.
    #[test]
    fn what_is_known_is_what_plain_loops_find() {
        for (input, place) in [(Input::Measure, 0), (Input::Count, 1)] {
            let text = source(functions(input));
            let ends_with_seven = |line: &&str| {
                line.split("value_")
                    .skip(1)
                    .any(|rest| rest.split('(').next().is_some_and(|number| number.ends_with('7')))
            };
            assert_eq!(text.lines().filter(ends_with_seven).count() as u64, HITS[place]);
            let heads = text.lines().filter(|line| line.starts_with("fn ")).count() as u64;
            assert_eq!(mix(heads, heads + 1), FACTS[place]);
            // Every file but the first leads to it by halves.
            assert_eq!(
                (1..=of(input, DEPENDENTS)).filter(|file| leads_to_the_first(*file)).count() as u64,
                DEPENDENTS[place]
            );
        }
    }

    fn leads_to_the_first(mut file: u64) -> bool {
        while file > 0 {
            file /= 2;
        }
        file == 0
    }

    #[test]
    fn a_use_is_an_import_or_a_call_and_not_a_parameter() {
        let project = Project::new(2).unwrap();
        assert_eq!(project.uses(), 4);
        assert_eq!(snapshot(4).unwrap().named("value_3").count(), 4);
    }
}
