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
    Changes { base: "abc".to_owned(), files: paths.iter().map(file).collect(), ..Changes::default() }
}

fn selected(paths: &[(&str, Change)], map: Option<&CoverageMap>, past: &BTreeMap<String, Past>) -> Selection {
    of_changes(&changed(paths), map, past, &BTreeMap::new())
}

fn of_changes(
    changes: &Changes,
    map: Option<&CoverageMap>,
    past: &BTreeMap<String, Past>,
    functions: &BTreeMap<String, Vec<(u32, u32)>>,
) -> Selection {
    let known = changes.files.iter().flat_map(|(path, change)| [Some(path), change.old_path.as_ref()]);
    let gone = known.flatten().map(String::as_str);
    let imports = Imports::read(FILES.iter().map(|(path, text)| Source { path, text }), gone);
    let packages = Packages::default();
    let tree: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let together: Vec<Vec<String>> =
        (0..3).map(|_| vec!["pkg/core.py".to_owned(), "tests/test_other.py".to_owned()]).collect();
    select(&Material {
        changes,
        tree: &tree,
        map,
        functions,
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
    let functions = BTreeMap::from([("pkg/core.py".to_owned(), vec![(1, 9)])]);
    let selection = of_changes(&changed(&change), Some(&map), &BTreeMap::new(), &functions);
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

fn names(selection: &Selection) -> Vec<&str> {
    let mut names: Vec<&str> = selection.tests.iter().map(|test| test.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_imports_a_file_that_is_gone_is_selected() {
    let selection = selected(&[("pkg/gone.py", Change::Deleted)], None, &BTreeMap::new());
    assert!(selection.tests.is_empty(), "{selection:?}");
    // `pkg/api.py` imports it, so whoever imports that is lost too.
    let selection = selected(&[("pkg/core.py", Change::Deleted)], None, &BTreeMap::new());
    assert_eq!(names(&selection), ["tests/test_api.py", "tests/test_core.py", "tests/test_other.py"]);
    let mut changes = changed(&[("pkg/renamed.py", Change::Renamed)]);
    changes.files.get_mut("pkg/renamed.py").unwrap().old_path = Some("pkg/other.py".to_owned());
    let selection = of_changes(&changes, None, &BTreeMap::new(), &BTreeMap::new());
    assert_eq!(names(&selection), ["tests/test_other.py"]);
}

#[test]
fn a_package_and_what_lies_below_a_conftest_depend_on_them() {
    let package = selected(&[("pkg/__init__.py", Change::Modified)], None, &BTreeMap::new());
    assert_eq!(names(&package), ["tests/test_api.py", "tests/test_core.py", "tests/test_other.py"]);
    let fixtures = selected(&[("tests/conftest.py", Change::Added)], None, &BTreeMap::new());
    assert_eq!(names(&fixtures), ["tests/test_api.py", "tests/test_core.py", "tests/test_other.py"]);
}

/// A map of the base in which one test runs lines 4 and 5 of a file, in a function of lines 3 to 6, and one runs line 9.
fn mapped(changes: &Changes, functions: &[(u32, u32)]) -> Vec<String> {
    let map = CoverageMap::read(
        &br#"{"format": "quality-map 1", "commit": "abc", "tests": {
            "tests/test_api.py::a": {"pkg/core.py": [[4, 5]]}, "tests/test_core.py::c": {"pkg/core.py": [[9, 9]]},
            "tests/test_other.py::o": {"pkg/other.py": [[2, 2]]}}}"#[..],
    )
    .unwrap();
    let functions = BTreeMap::from([("pkg/core.py".to_owned(), functions.to_vec())]);
    let selection = of_changes(changes, Some(&map), &BTreeMap::new(), &functions);
    names(&selection).into_iter().map(str::to_owned).collect()
}

#[test]
fn lines_that_are_run_when_a_file_is_loaded_belong_to_all_who_load_it() {
    let at = |lines: &[(u32, u32)]| {
        let mut changes = changed(&[("pkg/core.py", Change::Modified)]);
        changes.files.get_mut("pkg/core.py").unwrap().old_lines = lines.to_vec();
        mapped(&changes, &[(3, 6), (8, 12)])
    };
    let both = ["tests/test_api.py::a", "tests/test_core.py::c"];
    assert_eq!(at(&[(5, 5)]), both[..1]);
    // A part of a statement that begins in line 5, or what no test runs: with those that run what stands before it.
    assert_eq!(at(&[(6, 6)]), both[..1]);
    assert_eq!(at(&[(9, 9)]), both[1..]);
    // Outside of functions, and the line that defines one.
    assert_eq!(at(&[(1, 1)]), both);
    assert_eq!(at(&[(3, 3)]), both);
    assert_eq!(at(&[(7, 7)]), both);
}

#[test]
fn with_a_map_what_moved_or_is_not_in_it_goes_the_other_way() {
    let both = ["tests/test_api.py::a", "tests/test_core.py::c"];
    let mut renamed = changed(&[("pkg/moved.py", Change::Renamed)]);
    renamed.files.get_mut("pkg/moved.py").unwrap().old_path = Some("pkg/core.py".to_owned());
    assert_eq!(mapped(&renamed, &[]), both);
    let mut binary = changed(&[("pkg/core.py", Change::Modified)]);
    binary.files.get_mut("pkg/core.py").unwrap().is_binary = true;
    assert_eq!(mapped(&binary, &[(1, 99)]), both);
    let all = ["tests/test_api.py::a", "tests/test_core.py::c", "tests/test_other.py::o"];
    assert_eq!(mapped(&changed(&[("tests/conftest.py", Change::Added)]), &[]), all);
    assert_eq!(mapped(&changed(&[("pkg/__init__.py", Change::Modified)]), &[]), all);
}

#[test]
fn a_failure_of_a_test_that_is_gone_selects_nothing() {
    let failed = Past { runs: 1, failures: 1, failed_last: true, ms: None };
    let past = BTreeMap::from([
        ("tests/test_gone.py::a".to_owned(), failed),
        ("tests/test_api.py::b".to_owned(), failed),
    ]);
    assert_eq!(names(&selected(&[], None, &past)), ["tests/test_api.py"]);
}
