//! What is known of one file: its definitions, what it imports, the names in it, how branched it is.

mod imports;
mod paths;

use std::time::Duration;

use mcp_source::symbols::{Symbol, symbols};
use mcp_source::tree_sitter::{Node, Tree};
use mcp_source::walk::Stamp;
use mcp_source::{Language, Reason, parse};
use xxhash_rust::xxh3::xxh3_64;

pub use imports::{Form, Import};

/// How long a file of usual size may be parsed.
pub const PARSE_TIME: Duration = parse::USUAL_TIME;

/// What is known of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Below the root.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// Tells whether it changed.
    pub stamp: Stamp,
    /// Why it is left out, if it is; the rest is empty then.
    pub refused: Option<Reason>,
    /// How many lines it has.
    pub lines: u32,
    /// How many places of it may branch (McCabe 1976: each adds one path).
    pub decisions: u32,
    /// Whether its text broke the grammar somewhere.
    pub has_errors: bool,
    /// Its definitions, in the order in which they begin.
    pub symbols: Vec<Symbol>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// [`name_hash`] of each name in it, sorted.
    pub names: Vec<u32>,
}

impl Facts {
    /// A file that is left out.
    #[must_use]
    pub fn refused(path: String, language: Language, stamp: Stamp, reason: Reason) -> Self {
        Self {
            path,
            language,
            stamp,
            refused: Some(reason),
            lines: 0,
            decisions: 0,
            has_errors: false,
            symbols: Vec::new(),
            imports: Vec::new(),
            names: Vec::new(),
        }
    }

    /// What a text holds.
    #[must_use]
    pub fn of(path: String, language: Language, stamp: Stamp, text: &[u8]) -> Self {
        match parse::parse(language, text, PARSE_TIME) {
            Ok(tree) => Self::of_tree(path, language, stamp, text, &tree),
            Err(refused) => Self::refused(path, language, stamp, refused.reason()),
        }
    }

    /// What a tree holds.
    #[must_use]
    pub fn of_tree(path: String, language: Language, stamp: Stamp, text: &[u8], tree: &Tree) -> Self {
        let root = tree.root_node();
        let mut seen = Seen::default();
        look(&root, language, text, &mut seen);
        seen.names.sort_unstable();
        seen.names.dedup();
        let lines = text.iter().filter(|byte| **byte == b'\n').count() + usize::from(!text.ends_with(b"\n"));
        Self {
            path,
            language,
            stamp,
            refused: None,
            lines: u32::try_from(if text.is_empty() { 0 } else { lines }).unwrap_or(u32::MAX),
            decisions: seen.decisions,
            has_errors: root.has_error(),
            symbols: symbols(language, tree, text),
            imports: imports::finish(seen.imports),
            names: seen.names,
        }
    }
}

/// A name as it stands in the lists of names. Two names with one hash cost a look into a file, nothing else.
#[must_use]
pub fn name_hash(name: &[u8]) -> u32 {
    u32::try_from(xxh3_64(name) & u64::from(u32::MAX)).unwrap_or_default()
}

#[derive(Default)]
struct Seen {
    names: Vec<u32>,
    imports: Vec<Import>,
    decisions: u32,
    /// The modules inside the file that the place lies in (Rust), with where they end.
    modules: Vec<(String, usize)>,
}

/// Whether a kind of leaf is a name.
#[must_use]
pub(crate) fn is_name(kind: &str) -> bool {
    kind.ends_with("identifier")
        || kind == "identifier_pattern"
        || kind == "shorthand_property_identifier_pattern"
}

/// Each node once, in the order of the text.
fn look(root: &Node<'_>, language: Language, text: &[u8], seen: &mut Seen) {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        let mut into = true;
        if node.is_named() {
            let kind = node.kind();
            if node.child_count() == 0 {
                if is_name(kind) {
                    seen.names.push(name_hash(text.get(node.byte_range()).unwrap_or_default()));
                }
            } else {
                if is_decision(kind) {
                    seen.decisions += 1;
                }
                into = imports::look(&node, kind, language, text, seen);
            }
        } else if matches!(node.kind(), "&&" | "||" | "and" | "or") {
            seen.decisions += 1;
        }
        if !into {
            // What an import names is used in the file, too.
            names_of(&node, text, seen);
        }
        if into && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn names_of(node: &Node<'_>, text: &[u8], seen: &mut Seen) {
    if node.child_count() == 0 && is_name(node.kind()) {
        seen.names.push(name_hash(text.get(node.byte_range()).unwrap_or_default()));
    }
    for at in 0..node.named_child_count() {
        if let Some(child) = node.named_child(u32::try_from(at).unwrap_or(u32::MAX)) {
            names_of(&child, text, seen);
        }
    }
}

/// A place where control may go two ways: conditions, loops, alternatives, handlers.
fn is_decision(kind: &str) -> bool {
    matches!(
        kind,
        "if_expression"
            | "if_statement"
            | "elif_clause"
            | "while_expression"
            | "while_statement"
            | "do_statement"
            | "for_expression"
            | "for_statement"
            | "for_in_statement"
            | "for_range_loop"
            | "enhanced_for_statement"
            | "for_in_clause"
            | "if_clause"
            | "match_arm"
            | "case_clause"
            | "case_statement"
            | "switch_case"
            | "switch_block_statement_group"
            | "switch_rule"
            | "expression_case"
            | "type_case"
            | "communication_case"
            | "catch_clause"
            | "except_clause"
            | "conditional_expression"
            | "ternary_expression"
            | "try_expression"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(path: &str, text: &str) -> Facts {
        let language = Language::of_path(std::path::Path::new(path)).unwrap();
        Facts::of(path.to_owned(), language, Stamp::default(), text.as_bytes())
    }

    fn imports(path: &str, text: &str) -> Vec<String> {
        let facts = facts(path, text);
        facts
            .imports
            .iter()
            .map(|import| format!("{:?} {} {} {}", import.form, import.module, import.item, import.local))
            .collect()
    }

    #[test]
    fn imports_of_rust() {
        let text = "use a::b::{C, d as e, self, f::*};\npub use crate::x::Y;\nmod child;\n\
                    mod inner { use super::z; fn f() { super::super::g::h(); child::k(); Vec::new(); } }\n";
        let expected = [
            "Item a::b C C",
            "Item a::b d e",
            "Item a b b",
            "Wildcard a::b::f  ",
            "Item crate::x Y Y",
            "Child  child child",
            "Item self z z",
            "Path super::g h ",
            "Path child k ",
        ];
        let mut found = imports("a.rs", text);
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        let reexported = facts("a.rs", text);
        assert_eq!(reexported.imports.iter().filter(|import| import.is_reexport).count(), 1);
    }

    #[test]
    fn imports_of_python() {
        let text = "import a.b as m, c.d\nfrom ..x import y as z, w\nfrom . import k\nfrom q import *\n";
        let expected = [
            "Item ..x w w",
            "Item ..x y z",
            "Item . k k",
            "Module a.b  m",
            "Module c.d  c.d",
            "Wildcard q  ",
        ];
        let mut found = imports("a.py", text);
        found.sort();
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn imports_of_typescript() {
        let text = "import d, {a as b, c} from './x';\nimport * as ns from '../y';\nexport {p as q} from './z';\n\
                    export * from './w';\nconst k = require('./k');\nimport './side';\nconst l = await import('./lazy');\n";
        let expected = [
            "Item ./x a b",
            "Item ./x c c",
            "Item ./x default d",
            "Item ./z p q",
            "Module ../y  ns",
            "Module ./k  k",
            "Module ./lazy  l",
            "Module ./side  ",
            "Wildcard ./w  ",
        ];
        let mut found = imports("a.ts", text);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn imports_of_go_java_and_c() {
        let go = "package main\nimport (\n \"fmt\"\n x \"a.b/c/d\"\n . \"e/f\"\n _ \"g\"\n)\n";
        let mut found = imports("a.go", go);
        found.sort();
        assert_eq!(
            found,
            ["Module a.b/c/d  x", "Module fmt  fmt", "Module g  ", "Package main  ", "Wildcard e/f  "]
        );
        let java = "package a.b;\nimport c.d.E;\nimport f.*;\nimport static g.H.m;\n";
        let mut found = imports("A.java", java);
        found.sort();
        assert_eq!(found, ["Item c.d E E", "Item g.H m m", "Package a.b  ", "Wildcard f  "]);
        let c = "#include \"x/y.h\"\n#include <stdio.h>\n";
        let mut found = imports("a.c", c);
        found.sort();
        assert_eq!(found, ["System stdio.h  ", "Wildcard x/y.h  "]);
    }

    #[test]
    fn decisions_are_counted_as_by_hand() {
        let rust = "fn f(a: bool, b: bool) -> u8 { if a && b { 1 } else { for _ in 0..3 { while b {} } match 1 { 1 => 2, _ => 3 } } }";
        assert_eq!(facts("a.rs", rust).decisions, 6);
        let python = "def f(a):\n    if a and a:\n        pass\n    elif a:\n        pass\n    return [x for x in a if x]\n";
        assert_eq!(facts("a.py", python).decisions, 5);
    }

    #[test]
    fn names_are_those_of_the_text_and_not_of_strings() {
        let facts = facts("a.rs", "fn alpha() { beta.gamma(\"delta\"); /* epsilon */ }");
        let has = |name: &str| facts.names.binary_search(&name_hash(name.as_bytes())).is_ok();
        assert_eq!(["alpha", "beta", "gamma", "delta", "epsilon"].map(has), [true, true, true, false, false]);
    }
}
