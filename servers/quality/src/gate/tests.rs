use super::*;
use crate::git::FileChange;

fn changes(lines: &[(u32, u32)]) -> Changes {
    let change = FileChange {
        change: Change::Modified,
        old_path: None,
        lines: lines.to_vec(),
        old_lines: Vec::new(),
        removed: 0,
        is_binary: false,
    };
    Changes {
        base: "abc".to_owned(),
        files: BTreeMap::from([("a.rs".to_owned(), change)]),
        ..Changes::default()
    }
}

fn covered(hits: &[(u32, bool)]) -> BTreeMap<String, FileCoverage> {
    let mut file = FileCoverage::default();
    hits.iter().for_each(|(line, is_hit)| file.line(*line, *is_hit));
    BTreeMap::from([("a.rs".to_owned(), file)])
}

#[test]
fn only_changed_lines_count_for_coverage() {
    let none = BTreeSet::new();
    let coverage_of = covered(&[(1, false), (3, true), (4, false), (5, false), (7, false)]);
    let new = new_lines(&changes(&[(3, 5), (7, 9)]), &coverage_of, &none);
    assert_eq!((new.lines, new.count), (6, Count { found: 4, hit: 1 }));
    assert_eq!(new.gaps["a.rs"], [(4, 5), (7, 7)]);
    let condition = coverage(&Conditions::default(), &new);
    assert_eq!((condition.answer, condition.places[0].as_str()), (Answer::Fail, "a.rs:4-5 was not run"));
    let enough = Conditions { new_line_coverage: 25.0, ..Conditions::default() };
    assert_eq!(coverage(&enough, &new).answer, Answer::Pass);
    // A report about other files decides nothing.
    let mut others = covered(&[(1, true)]);
    others.insert("b.rs".to_owned(), others["a.rs"].clone());
    others.remove("a.rs");
    let other = new_lines(&changes(&[(3, 5)]), &others, &none);
    assert_eq!(coverage(&Conditions::default(), &other).answer, Answer::Undecided);
    let far = new_lines(&changes(&[(20, 20)]), &coverage_of, &none);
    assert_eq!(coverage(&Conditions::default(), &far).answer, Answer::Pass);
    // One that is older than the change says nothing, good or bad.
    let newer = BTreeSet::from(["a.rs".to_owned()]);
    let stale = new_lines(&changes(&[(3, 3)]), &coverage_of, &newer);
    assert_eq!(coverage(&Conditions::default(), &stale).answer, Answer::Undecided);
}

fn function(name: &str, lines: (u32, u32), cyclomatic: u32) -> FunctionMetrics {
    FunctionMetrics {
        name: name.to_owned(),
        kind: crate::metrics::Kind::Function,
        first_line: lines.0,
        last_line: lines.1,
        cyclomatic,
        cognitive: 0,
        nesting: 0,
        code_lines: 1,
        parameters: 0,
        halstead: crate::metrics::Halstead::default(),
        maintainability: 100.0,
    }
}

#[test]
fn a_function_may_keep_what_it_had() {
    let now = vec![
        function("old", (1, 9), 14),
        function("grown", (11, 19), 13),
        function("new", (21, 29), 12),
        function("far", (31, 39), 99),
    ];
    let before = vec![function("old", (1, 9), 14), function("grown", (11, 19), 12)];
    let files = BTreeMap::from([("a.rs".to_owned(), FileFunctions { now, before })]);
    let condition =
        complexity(&Conditions::default(), &changes(&[(5, 5), (15, 15), (25, 25)]), &files, &BTreeMap::new());
    assert_eq!(condition.answer, Answer::Fail);
    assert_eq!(
        condition.places,
        [
            "a.rs:11 grown has cyclomatic 13 (at most 10, was 12)",
            "a.rs:21 new has cyclomatic 12 (at most 10, is new)"
        ]
    );
    assert!(condition.found.contains("2 of 3") && condition.found.contains("+13"), "{}", condition.found);
}

#[test]
fn findings_count_on_changed_lines_alone() {
    let finding = |line, severity| Finding {
        path: "a.rs".to_owned(),
        line,
        column: 1,
        rule: "r".to_owned(),
        severity,
        message: "m".to_owned(),
        tool: "t".to_owned(),
    };
    let all = [finding(3, Severity::Warning), finding(4, Severity::Error), finding(4, Severity::Note)];
    let condition = findings(&Conditions::default(), &changes(&[(4, 4)]), &all, &[]);
    assert_eq!((condition.answer, condition.places.len()), (Answer::Fail, 1));
    assert_eq!(findings(&Conditions::default(), &changes(&[(9, 9)]), &all, &[]).answer, Answer::Pass);
    let old = ["ruff.json".to_owned()];
    assert_eq!(findings(&Conditions::default(), &changes(&[(9, 9)]), &all, &old).answer, Answer::Undecided);
    assert_eq!(findings(&Conditions::default(), &changes(&[(4, 4)]), &all, &old).answer, Answer::Fail);
}

#[test]
fn a_broken_run_never_passes() {
    let policy = Conditions::default();
    let run = |failed: &[&str], flaky: &[&str], broken: Option<&str>, is_current| LastRun {
        at_ms: 0,
        is_current,
        failed: failed.iter().map(|name| (*name).to_owned()).collect(),
        flaky: flaky.iter().map(|name| (*name).to_owned()).collect(),
        broken: broken.map(str::to_owned),
    };
    assert_eq!(tests(&policy, Some(&run(&[], &[], None, true))).answer, Answer::Pass);
    assert_eq!(tests(&policy, Some(&run(&[], &[], None, false))).answer, Answer::Undecided);
    assert_eq!(tests(&policy, Some(&run(&[], &[], Some("no build"), true))).answer, Answer::Fail);
    assert_eq!(tests(&policy, Some(&run(&["a"], &[], None, false))).answer, Answer::Fail);
    assert_eq!(tests(&policy, Some(&run(&[], &["a"], None, true))).answer, Answer::Fail);
    assert_eq!(tests(&policy, None).answer, Answer::Undecided);
    let waived = Conditions { tests: false, ..Conditions::default() };
    assert_eq!(tests(&waived, None).answer, Answer::NotChecked);
}

#[test]
fn what_is_undecided_does_not_pass() {
    let of = |answers: &[Answer]| {
        let conditions: Vec<Condition> =
            answers.iter().map(|answer| Condition::new("x", *answer, "")).collect();
        fold(&conditions)
    };
    assert_eq!(of(&[Answer::Pass, Answer::NotChecked]), Answer::Pass);
    assert_eq!(of(&[Answer::Pass, Answer::Undecided]), Answer::Undecided);
    assert_eq!(of(&[Answer::Undecided, Answer::Fail]), Answer::Fail);
    assert_eq!(of(&[Answer::NotChecked]), Answer::Undecided);
    assert_eq!(of(&[]), Answer::Undecided);
    let required = Conditions { performance: true, ..Conditions::default() };
    assert_eq!(performance(&required, None).answer, Answer::Undecided);
    assert_eq!(performance(&Conditions::default(), None).answer, Answer::NotChecked);
}
