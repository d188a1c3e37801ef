//! The one-way flow between modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may name besides itself. A later stage reads what an earlier one made; nothing flows
/// back. docs/src/contributing/lab.md has the same table with its reasons.
const MAY_NAME: [(&str, &[&str]); 26] = [
    ("called", &[]),
    ("stats", &[]),
    ("process", &[]),
    ("machine", &["process"]),
    ("counter", &["process"]),
    ("files", &[]),
    ("schedule", &[]),
    ("progress", &["machine"]),
    ("plan", &["called"]),
    ("build", &["plan", "process"]),
    ("foreign", &["plan", "process"]),
    ("census", &["machine"]),
    ("measure", &["plan", "build", "process", "machine", "stats", "counter", "schedule"]),
    ("record", &["plan", "measure", "machine"]),
    ("analyse", &["plan", "measure", "stats"]),
    ("mcp", &[]),
    ("latency", &["mcp", "machine", "stats"]),
    ("load", &["mcp", "latency", "process", "counter"]),
    (
        "load_test",
        &[
            "called", "stats", "process", "machine", "counter", "files", "schedule", "progress", "mcp",
            "latency", "load",
        ],
    ),
    ("bridge", &["process", "mcp", "latency", "load"]),
    ("judge", &["called", "plan", "machine", "stats", "analyse", "latency"]),
    ("rows", &["plan", "machine", "measure", "record", "stats", "analyse", "judge"]),
    ("history", &["machine", "stats", "rows"]),
    ("report", &["called", "plan", "machine", "stats", "analyse", "judge", "latency", "rows", "history"]),
    (
        "experiment",
        &[
            "called",
            "stats",
            "plan",
            "process",
            "machine",
            "build",
            "foreign",
            "census",
            "measure",
            "record",
            "analyse",
            "judge",
            "rows",
            "history",
            "report",
            "latency",
            "load",
            "load_test",
            "bridge",
            "counter",
            "files",
            "schedule",
            "progress",
        ],
    ),
    (
        "cli",
        &[
            "called",
            "stats",
            "plan",
            "process",
            "machine",
            "build",
            "foreign",
            "census",
            "measure",
            "record",
            "analyse",
            "judge",
            "rows",
            "history",
            "report",
            "mcp",
            "latency",
            "load",
            "counter",
            "files",
            "schedule",
            "progress",
            "load_test",
            "bridge",
            "experiment",
        ],
    ),
];

/// Where the modules lie: the lab's own sources, and those of the packages whose modules it re-exports.
const SOURCES: [&str; 3] = ["src", "host/src", "load/src"];

/// Packages whose modules the lab re-exports, with their sources.
const TAKEN_OVER: [(&str, &str); 2] = [("perflab_host", "host/src"), ("perflab_load", "load/src")];

pub(crate) fn harness() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code of every file of a module that is not compiled for tests alone, by path.
pub(crate) fn code_of(module: &str) -> BTreeMap<PathBuf, String> {
    let mut code = BTreeMap::new();
    for sources in SOURCES.map(|sources| harness().join(sources)) {
        for path in [sources.join(format!("{module}.rs")), sources.join(module)] {
            collect(&path, &mut code);
        }
    }
    let mut tests = BTreeSet::new();
    for (path, text) in &code {
        for name in test_modules(text) {
            let folder = if path.ends_with("mod.rs") {
                path.parent().unwrap().to_owned()
            } else {
                path.with_extension("")
            };
            tests.insert(folder.join(name));
        }
    }
    code.retain(|path, _| {
        !tests.iter().any(|test| path.with_extension("") == *test || path.starts_with(test))
    });
    assert!(!code.is_empty(), "no source of {module}");
    code.into_iter().map(|(path, text)| (path, without_tests(&text))).collect()
}

fn collect(path: &Path, code: &mut BTreeMap<PathBuf, String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), code);
        }
    } else if path.is_file() && path.extension().is_some_and(|kind| kind == "rs") {
        code.insert(path.to_owned(), fs::read_to_string(path).unwrap());
    }
}

/// The modules in files of their own that a text declares for tests alone.
fn test_modules(text: &str) -> Vec<String> {
    let after = text.split("#[cfg(test)]").skip(1);
    let declared = after.filter_map(|rest| {
        let line = rest.trim_start().lines().next()?;
        let (_, name) = line.split_once("mod ")?;
        name.strip_suffix(';').map(str::to_owned)
    });
    declared.collect()
}

/// A text without comments and without its inline test modules, which end at a brace in the first column.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(opens) {
            let _ = lines.by_ref().take_while(|line| *line != "}").count();
        } else if !line.trim_start().starts_with("//") {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// The modules that a text names by paths that begin with `crate::`.
fn named(code: &str) -> BTreeSet<String> {
    named_after(code, "crate::")
}

/// The words that follow this beginning of a path in a text.
pub(crate) fn named_after(code: &str, beginning: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(beginning) {
        let inside_a_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if inside_a_word {
            continue;
        }
        let rest = &code[at + beginning.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend([word(rest)]),
        }
    }
    names
}

/// The first word of each member of a `{…}` group, whose opening brace is gone.
fn group_heads(group: &str) -> BTreeSet<String> {
    let mut heads = BTreeSet::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.insert(word(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.remove("");
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What is wrong with one file of a module.
fn faults(module: &str, file: &str, code: &str) -> Vec<String> {
    let (_, allowed) = MAY_NAME.iter().find(|(name, _)| *name == module).expect("a module of the table");
    let foreign = named(code).into_iter().filter(|name| name != module && !allowed.contains(&name.as_str()));
    let may = if allowed.is_empty() { "nothing but itself".to_owned() } else { allowed.join(", ") };
    let mut faults: Vec<String> =
        foreign.map(|name| format!("{file} names crate::{name}, and {module} may name {may}")).collect();
    if code.contains("super::") {
        faults.push(format!("{file} names super:: outside of its tests: write crate::{module}::…"));
    }
    faults
}

#[test]
fn modules_name_only_what_comes_before_them() {
    let mut found = Vec::new();
    for (module, _) in MAY_NAME {
        for (path, code) in code_of(module) {
            let file = path.strip_prefix(harness()).unwrap().display().to_string();
            found.extend(faults(module, &file, &code));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The modules that a `lib.rs` declares.
fn declared(lib: &str) -> BTreeSet<String> {
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The modules that a `lib.rs` takes over from a package, with `pub use`.
fn taken_over(lib: &str, package: &str) -> BTreeSet<String> {
    let start = format!("pub use {package}::{{");
    let group = lib.split_once(start.as_str()).map_or("}", |(_, group)| group);
    group_heads(group)
}

#[test]
fn every_module_has_a_row_in_the_table() {
    let mut all = BTreeSet::new();
    for sources in SOURCES {
        let lib = fs::read_to_string(harness().join(sources).join("lib.rs")).unwrap();
        for module in declared(&lib) {
            assert!(all.insert(module.clone()), "two packages have a module {module}");
        }
    }
    let rows: BTreeSet<String> = MAY_NAME.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(all, rows);
}

#[test]
fn the_lab_has_the_modules_of_its_packages_under_their_own_names() {
    let lab = fs::read_to_string(harness().join("src/lib.rs")).unwrap();
    for (package, sources) in TAKEN_OVER {
        let lib = fs::read_to_string(harness().join(sources).join("lib.rs")).unwrap();
        assert_eq!(taken_over(&lab, package), declared(&lib), "of {package}");
        // Named by two paths, a module would escape the table.
        for (module, _) in MAY_NAME {
            for (path, code) in code_of(module) {
                let direct = format!("{package}::");
                assert!(!code.contains(&direct), "{} names {package}: write crate::…", path.display());
            }
        }
    }
}

#[test]
fn what_is_read_is_the_code_of_a_release() {
    let files: Vec<PathBuf> = code_of("report").into_keys().collect();
    assert!(files.iter().any(|path| path.ends_with("report/table.rs")), "{files:?}");
    assert!(
        files.iter().all(|path| !path.ends_with("tests.rs") && !path.ends_with("fixture.rs")),
        "{files:?}"
    );
    let text =
        "// crate::a\nuse crate::b;\n#[cfg(test)]\nmod tests {\n    use crate::c;\n}\n\nuse crate::d;\n";
    assert_eq!(named(&without_tests(text)), BTreeSet::from(["b".to_owned(), "d".to_owned()]));
}

#[test]
fn every_form_of_a_path_is_seen() {
    let code = "use crate::a::B;\nuse crate::{\n    b::{C, d},\n    e,\n};\nfn f() -> crate::g::H { mycrate::i::j() }\n";
    assert_eq!(named(code).into_iter().collect::<Vec<_>>(), ["a", "b", "e", "g"]);
    assert_eq!(test_modules("#[cfg(test)]\npub(crate) mod x;\n#[cfg(test)]\nmod tests {\n"), ["x"]);
    let seen = faults("stats", "stats/x.rs", "use crate::plan::Plan;\nuse super::y;\n");
    assert_eq!(seen[0], "stats/x.rs names crate::plan, and stats may name nothing but itself");
    assert_eq!(seen.len(), 2);
    assert_eq!(faults("machine", "x", "use crate::process::run;\n"), [""; 0]);
}
