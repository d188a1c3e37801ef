//! The table in the documents of what is refused, compared with the filter and with the tests that it names.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../src/helper/filter/calls.rs"]
mod calls;
mod common;

use std::collections::BTreeSet;

use common::{Tree, tried, views};
use mcp_sandbox::Profile;

const TABLE: &str = include_str!("../../../docs/src/servers/sandbox.md");

const FILTER: [&str; 2] =
    [include_str!("../src/helper/filter/calls.rs"), include_str!("../src/helper/filter/arguments.rs")];

const TESTS: [&str; 5] = [
    include_str!("calls.rs"),
    include_str!("files.rs"),
    include_str!("fuzz.rs"),
    include_str!("holes.rs"),
    include_str!("life.rs"),
];

/// The words between backticks in column `column` of the table.
fn named(column: usize) -> BTreeSet<String> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| ")).skip(2);
    let cells = rows.filter_map(|row| row.split(" | ").nth(column));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_call_of_the_filter_stands_in_the_table() {
    let table = named(0);
    let words = FILTER.iter().flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    let mut calls: BTreeSet<String> =
        words.filter_map(|word| word.strip_prefix("SYS_")).map(str::to_owned).collect();
    assert!(calls.len() > 100, "{calls:?}");
    calls.extend(["setxattrat", "removexattrat"].map(str::to_owned));
    let missing: Vec<_> = calls.difference(&table).collect();
    assert!(missing.is_empty(), "docs/src/servers/sandbox.md does not name {missing:?}");
}

#[test]
fn every_test_of_the_table_is_there_and_every_row_has_one() {
    let own = include_str!("table.rs");
    for test in named(2) {
        let declared = format!("fn {test}()");
        assert!(TESTS.iter().any(|text| text.contains(&declared)) || own.contains(&declared), "{test}");
    }
    for row in TABLE.lines().filter(|line| line.starts_with("| ")).skip(2) {
        assert!(row.split(" | ").nth(2).is_some_and(|cell| cell.contains('`')), "{row}");
    }
}

#[test]
fn every_refused_call_is_refused() {
    for namespaces in views() {
        let mut refused = [calls::REFUSED, calls::REFUSED_HERE].concat();
        if !namespaces {
            refused.extend_from_slice(calls::REFUSED_IN_SHARED_VIEW);
            refused.extend_from_slice(calls::REFUSED_IN_SHARED_VIEW_HERE);
        }
        let mut attempts: Vec<String> =
            refused.iter().map(|number| format!("call|{number}|0|0|0|0|0|0")).collect();
        if !namespaces {
            attempts.extend(calls::ONLY_ONESELF.iter().map(|number| format!("call|{number}|1|0|0|0|0|0")));
        }
        let tree = Tree::new(namespaces);
        for profile in [Profile::Read, Profile::Workspace, Profile::WorkspaceNet] {
            for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                assert_eq!(answer, "error 1", "{profile:?}, namespaces {namespaces}: {attempt}");
            }
        }
    }
}
