use std::collections::BTreeMap;

use crate::git::{Change, Changes, FileChange};
use crate::selection::{
    CoverageMap, Imports, Material, Packages, Past, Reason, Selection, Source, Unit, select,
};

const FILES: [(&str, &str); 9] = [
    ("pkg/__init__.py", ""),
    ("pkg/core.py", "import os\n"),
    ("pkg/api.py", "from .core import run\n"),
    ("pkg/other.py", "import json\n"),
    ("tests/test_api.py", "from pkg.api import call\n"),
    ("tests/test_core.py", "import pkg.core\n"),
    ("tests/test_other.py", "from pkg import other\nopen('README.md')\n"),
    ("web/a.ts", "export const a = 1;\n"),
    ("web/a.test.ts", "import { a } from './a.js';\n"),
];

fn changed(paths: &[(&str, Change)]) -> Changes {
    let file = |(path, change): &(&str, Change)| {
        let file = FileChange {
            change: *change,
            old_path: None,
            lines: vec![(2, 2)],
            old_lines: vec![(2, 2)],
            removed: 1,
            is_binary: false,
        };
        ((*path).to_owned(), file)
    };
    Changes { base: "abc".to_owned(), files: paths.iter().map(file).collect(), unnamed: 0 }
}

fn selected(paths: &[(&str, Change)], map: Option<&CoverageMap>, past: &BTreeMap<String, Past>) -> Selection {
    let imports = Imports::read(FILES.iter().map(|(path, text)| Source { path, text }));
    let packages = Packages::default();
    let tree: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let together: Vec<Vec<String>> =
        (0..3).map(|_| vec!["pkg/core.py".to_owned(), "tests/test_other.py".to_owned()]).collect();
    let changes = changed(paths);
    select(&Material {
        changes: &changes,
        tree: &tree,
        map,
        imports: &imports,
        packages: &packages,
        together: &together,
        past,
    })
}

fn rows(selection: &Selection) -> Vec<(&str, Reason)> {
    selection.tests.iter().map(|test| (test.name.as_str(), test.reason)).collect()
}

#[test]
fn tests_that_import_what_was_changed_are_selected() {
    let selection = selected(&[("pkg/core.py", Change::Modified)], None, &BTreeMap::new());
    assert_eq!(
        rows(&selection),
        [
            ("tests/test_api.py", Reason::Depends),
            ("tests/test_core.py", Reason::Depends),
            ("tests/test_other.py", Reason::History),
        ]
    );
    assert_eq!((selection.total, selection.everything.as_ref()), (4, None));
    let selection = selected(&[("web/a.ts", Change::Modified)], None, &BTreeMap::new());
    assert_eq!(rows(&selection), [("web/a.test.ts", Reason::Depends)]);
}

#[test]
fn what_is_not_code_selects_everything() {
    for path in
        ["Cargo.toml", "data/table.csv", "build.rs", ".github/workflows/ci.yml", "conftest.py", "README.md"]
    {
        let selection = selected(&[(path, Change::Modified)], None, &BTreeMap::new());
        assert_eq!(selection.tests.len(), 4, "{path}");
        assert!(selection.everything.as_ref().unwrap().contains(path), "{path}");
    }
    // Prose that no code names.
    let selection = selected(&[("CHANGELOG.md", Change::Modified)], None, &BTreeMap::new());
    assert!(selection.tests.is_empty() && selection.notices[0].contains("CHANGELOG.md"), "{selection:?}");
}

#[test]
fn new_tests_and_those_that_failed_are_always_selected() {
    let past = BTreeMap::from([
        (
            "tests/test_other.py::test_x".to_owned(),
            Past { runs: 3, failures: 2, failed_last: true, ms: Some(5.0) },
        ),
        (
            "tests/test_core.py::test_y".to_owned(),
            Past { runs: 3, failures: 0, failed_last: false, ms: Some(1.0) },
        ),
    ]);
    let selection = selected(&[("tests/test_api.py", Change::Added)], None, &past);
    assert_eq!(
        rows(&selection),
        [("tests/test_other.py", Reason::FailedLast), ("tests/test_api.py", Reason::Changed)]
    );
    assert!((selection.tests[0].likelihood - 0.6).abs() < 1e-12);
}

#[test]
fn with_a_map_the_tests_that_ran_the_changed_lines_are_selected() {
    let text = r#"{"format": "quality-map 1", "commit": "abc", "tests": {
        "tests/test_core.py::test_a": {"pkg/core.py": [[1, 2]]}, "tests/test_core.py::test_b": {"pkg/core.py": [[4, 9]]},
        "tests/test_api.py::test_c": {"pkg/api.py": [[1, 1]]}}}"#;
    let map = CoverageMap::read(text.as_bytes()).unwrap();
    let change = [("pkg/core.py", Change::Modified)];
    let selection = selected(&change, Some(&map), &BTreeMap::new());
    assert_eq!(rows(&selection), [("tests/test_core.py::test_a", Reason::Covers)]);
    assert_eq!((selection.total, selection.tests[0].unit), (3, Unit::Test));
    // A map of another commit has other lines.
    let map = CoverageMap::read(text.replace("abc", "def").as_bytes()).unwrap();
    let selection = selected(&change, Some(&map), &BTreeMap::new());
    assert_eq!(selection.tests.len(), 2);
    assert!(selection.notices[0].contains("of def and not of the base"), "{selection:?}");
    // What no test ran when it was recorded is followed by imports.
    let selection = selected(
        &[("pkg/other.py", Change::Added), ("pkg/api.py", Change::Modified)],
        Some(&map),
        &BTreeMap::new(),
    );
    assert_eq!(rows(&selection), [("tests/test_api.py::test_c", Reason::Covers)]);
}

#[test]
fn packages_that_are_built_from_a_changed_one_are_selected() {
    let packages = Packages::read([
        ("Cargo.toml", "[workspace]\n[workspace.dependencies]\nbase = { path = 'core/base' }\n"),
        ("core/base/Cargo.toml", "[package]\nname = 'base'\n"),
        (
            "core/middle/Cargo.toml",
            "[package]\nname = 'middle'\n[dependencies]\nbase = { workspace = true }\n",
        ),
        (
            "top/Cargo.toml",
            "[package]\nname = 'top'\n[target.'cfg(unix)'.dependencies]\nm = { path = '../core/middle' }\n",
        ),
        ("beside/Cargo.toml", "[package]\nname = 'beside'\n[dev-dependencies]\nbase.workspace = true\n"),
        ("above/Cargo.toml", "[package]\nname = 'above'\n[dependencies]\nb = { path = '../beside' }\n"),
        ("broken/Cargo.toml", "[package"),
    ]);
    let affected = |file: &str| packages.affected([file]).into_iter().collect::<Vec<_>>();
    assert_eq!(affected("core/base/src/lib.rs"), ["base", "beside", "middle", "top"]);
    assert_eq!(affected("core/middle/src/lib.rs"), ["middle", "top"]);
    assert_eq!(affected("beside/src/lib.rs"), ["above", "beside"]);
    assert_eq!(affected("core/basement/x.rs"), [""; 0]);
}
