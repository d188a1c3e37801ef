//! Each rule: where it applies, where it does not, and that both forms give the same on generated files.

use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn bytes() -> Locale {
    Locale::named("C.UTF-8")
}

/// The command after all rules, and the names of those that applied.
fn after(command: &str) -> (String, Vec<&'static str>) {
    let form = optimize(command, &bytes()).unwrap();
    let rules = form.changes.iter().map(|change| change.rule).collect();
    (form.command, rules)
}

/// A command, what it becomes, and by which rules: all of these are also run in both forms.
const FORMS: &[(&str, &str, &[&str])] = &[
    ("cat a.txt | grep x", "grep x < a.txt", &["cat-into-filter"]),
    ("cat a.txt | wc -l", "wc -l < a.txt", &["cat-into-filter"]),
    ("cat a.txt | head -n 3", "head -n 3 < a.txt", &["cat-into-filter"]),
    ("cat a.txt | tail -n 2", "tail -n 2 < a.txt", &["cat-into-filter"]),
    (
        "cat a.txt | sort | uniq -c > out; cat out",
        "sort < a.txt | uniq -c > out; cat out",
        &["cat-into-filter"],
    ),
    ("cat a.txt | tr a b 2>/dev/null", "tr a b < a.txt 2>/dev/null", &["cat-into-filter"]),
    ("sort a.txt | cat | head -n 2", "sort a.txt | head -n 2", &["no-op-stage"]),
    ("sort a.txt | tail -n +1 | uniq -c", "sort a.txt | uniq -c", &["no-op-stage"]),
    ("echo 'a b c' | tr ' ' x", "tr ' ' x <<< 'a b c'", &["echo-into-filter"]),
    ("echo axb | sed s/x/y/", "sed s/x/y/ <<< axb", &["echo-into-filter"]),
    ("head -n 9 a.txt | head -n 4", "head -n 4 a.txt", &["head-twice"]),
    ("sort a.txt | head -3 | head", "sort a.txt | head -n 3", &["head-twice"]),
    ("grep x a.txt | wc -l", "grep -c x a.txt", &["grep-count"]),
    ("grep -iv -e x a.txt | wc -l", "grep -c -iv -e x a.txt", &["grep-count"]),
    ("sort a.txt | grep -n x | wc -l", "sort a.txt | grep -c -n x", &["grep-count"]),
    ("grep a a.txt | head -n 2", "grep -m 2 a a.txt", &["grep-head"]),
    ("sort a.txt | grep -v a | head -3", "sort a.txt | grep -m 3 -v a", &["grep-head"]),
    ("grep x a.txt | awk '{print $1}'", "awk '/x/{print $1}' a.txt", &["grep-into-awk"]),
    (
        "sort a.txt | grep 'a x' | awk -F x '{ print $2 }'",
        "sort a.txt | awk -F x '/a x/{ print $2 }'",
        &["grep-into-awk"],
    ),
    ("sort a.txt | uniq", "sort -u a.txt", &["sort-unique"]),
    ("sort -r a.txt b.txt | uniq | wc -l", "sort -u -r a.txt b.txt | wc -l", &["sort-unique"]),
    ("uniq a.txt | uniq | uniq", "uniq a.txt | uniq", &["unique-twice"]),
    ("sed s/a/x/ a.txt | sed 's/x/y/g'", "sed -e s/a/x/ -e 's/x/y/g' a.txt", &["sed-chain"]),
    (
        "sed -E 's/(a|b)/<\\1>/' a.txt | sed -r 's|<|>|2'",
        "sed -E -e 's/(a|b)/<\\1>/' -e 's|<|>|2' a.txt",
        &["sed-chain"],
    ),
    (
        "sed s/a/b/ a.txt | sed s/b/c/ | sed s/c/a/",
        "sed -e s/a/b/ -e s/b/c/ -e s/c/a/ a.txt",
        &["sed-chain", "sed-chain"],
    ),
    ("wc -l a.txt | awk '{print $1}'", "wc -l < a.txt", &["wc-number"]),
    ("wc -w a.txt | cut -d ' ' -f 1", "wc -w < a.txt", &["wc-number"]),
    ("wc -c a.txt | cut -d' ' -f1", "wc -c < a.txt", &["wc-number"]),
    ("sed -n 1,3p a.txt", "head -n 3 a.txt", &["sed-head"]),
    ("sort a.txt | sed -n '1,2p'", "sort a.txt | head -n 2", &["sed-head"]),
    ("sed -n 2p a.txt", "sed -n '2{p;Q}' a.txt", &["sed-quit"]),
    ("awk 'NR==2' a.txt", "awk 'NR==2{print;exit}' a.txt", &["awk-quit"]),
    ("sort a.txt | awk 'NR == 2 {print}'", "sort a.txt | awk 'NR==2{print;exit}'", &["awk-quit"]),
    (
        "find . -name '*.txt' -exec grep -l x {} \\;",
        "find . -name '*.txt' -exec grep -l x {} +",
        &["exec-plus"],
    ),
    (
        "find . -type f -exec chmod 600 {} \\; ; ls -l",
        "find . -type f -exec chmod 600 {} + ; ls -l",
        &["exec-plus"],
    ),
    (
        "find . -type f -name 'a*' -exec rm {} \\; ; ls",
        "find . -type f -name 'a*' -exec rm {} + ; ls",
        &["exec-plus"],
    ),
    ("find . -type f -exec md5sum {} ';'", "find . -type f -exec md5sum {} +", &["exec-plus"]),
    ("find . -name '*.txt' | xargs cat", "find . -name '*.txt' -print0 | xargs -0 cat", &["xargs-zero"]),
    (
        "find . -name '*.txt' | xargs -r grep -h x",
        "find . -name '*.txt' -exec grep -h x {} +",
        &["xargs-zero", "xargs-exec"],
    ),
    (
        "find . -name '*.txt' -print0 | xargs -0 -r cat",
        "find . -name '*.txt' -exec cat {} +",
        &["xargs-exec"],
    ),
    ("egrep 'a|x' a.txt", "grep -E 'a|x' a.txt", &["old-grep-names"]),
    ("fgrep -c x a.txt", "grep -F -c x a.txt", &["old-grep-names"]),
    ("echo `wc -l < a.txt` lines", "echo $(wc -l < a.txt) lines", &["backquotes"]),
    ("echo \"n: `sort a.txt`\"", "echo \"n: $(sort a.txt)\"", &["backquotes"]),
    ("sort < a.txt | uniq", "sort -u < a.txt", &["sort-unique"]),
    ("grep x < a.txt 2> /dev/null | wc -l", "grep x < a.txt 2> /dev/null | wc -l", &[]),
    (
        "cat a.txt | egrep x | wc -l",
        "grep -E -c x < a.txt",
        &["cat-into-filter", "grep-count", "old-grep-names"],
    ),
    (
        "for f in a.txt b.txt; do sort a.txt | uniq; done",
        "for f in a.txt b.txt; do sort -u a.txt; done",
        &["sort-unique"],
    ),
];

#[test]
fn each_form_is_what_it_becomes() {
    for (before, expected, rules) in FORMS {
        let (found, applied) = after(before);
        assert_eq!(&found, expected, "{before}");
        assert_eq!(&applied, rules, "{before}");
    }
}

#[test]
fn every_rule_is_among_the_forms() {
    for rule in rules::ALL {
        let tried = FORMS.iter().filter(|(_, _, rules)| rules.contains(&rule.name)).count();
        assert!(tried > 0, "{} is run in both forms by no test", rule.name);
    }
    assert!(rules::ALL.len() >= 12, "{}", rules::ALL.len());
}

/// What looks alike and is not the same.
const KEPT: &[&str] = &[
    // The width of several counts, a file that grows, options, several files, what is not a file.
    "cat a.txt | wc",
    "cat a.txt | tail -f",
    "cat -n a.txt | grep x",
    "cat a.txt b.txt | sort",
    "cat *.txt | wc -l",
    "cat $x | wc -l",
    "cat - | wc -l",
    "cat /proc/cpuinfo | wc -l",
    "cat a.txt | sort > a.txt",
    "cat a.txt | tee a.txt",
    "cat a.txt | while read line; do echo $line; done",
    "cat a.txt | read x",
    "cat a.txt |& grep x",
    "cat a.txt 2>/dev/null | grep x",
    "cat a.txt | grep x < b.txt",
    // Somebody looks at the stages.
    "set -o pipefail; cat a.txt | wc -l",
    "cat a.txt | wc -l; echo ${PIPESTATUS[0]}",
    // The end of a pipeline writes to whoever looks at it.
    "sort a.txt | cat",
    // Lines are not what is counted, or several counts are printed.
    "grep -o x a.txt | wc -l",
    "grep x a.txt b.txt | wc -l",
    "grep -r x . | wc -l",
    "grep -c x a.txt | wc -l",
    "grep -H x a.txt | wc -l",
    "grep -A 2 x a.txt | wc -l",
    "grep x a.txt | wc",
    "grep x a.txt | wc -c",
    "grep x a.txt | wc -l < b.txt",
    "ls | wc -l",
    // The exit code would be another one, and is looked at.
    "grep x a.txt | wc -l && echo yes",
    "if grep x a.txt | wc -l; then echo yes; fi",
    "! grep x a.txt | wc -l",
    // Whoever prints would be stopped early.
    "make | grep error | head -n 1",
    "./tool | sed -n 1,5p",
    "sed -n 1,5p",
    "tee log < a.txt | sed -n 3p",
    // Keys, counts and locales.
    "sort -k 2 a.txt | uniq",
    "sort -n a.txt | uniq",
    "sort -f a.txt | uniq",
    "sort a.txt | uniq -c",
    "sort a.txt | uniq -i",
    "LC_ALL=de_DE.UTF-8 sort a.txt | uniq",
    "export LC_ALL=de_DE.UTF-8; sort a.txt | uniq",
    // What sed does beside substituting in a line.
    "sed -n s/a/b/p a.txt | sed s/b/c/",
    "sed s/a/b/p a.txt | sed s/b/c/",
    "sed s/a/b/w\\ out a.txt | sed s/b/c/",
    "sed 's/a/b\\nc/' a.txt | sed 's/^c/d/'",
    "sed s/a/b/ a.txt | sed s//c/",
    "sed s/a/b/ a.txt | sed 2d",
    "sed -E 's/(a)/b/' a.txt | sed 's/(b)/c/'",
    "sed -i s/a/b/ a.txt | sed s/b/c/",
    "sed -n 2,3p a.txt",
    "sed -n 0p a.txt",
    "sed -n 1,3p a.txt b.txt",
    "sed -n '$p' a.txt",
    // What an awk program knows of lines that it does not see any more.
    "grep x a.txt | awk '{print NR}'",
    "grep x a.txt | awk 'END{print NR}'",
    "grep x a.txt | awk '{n++} {print n}'",
    "grep 'x.y' a.txt | awk '{print $1}'",
    "grep -v x a.txt | awk '{print $1}'",
    "grep x a.txt | awk '{print $1}' b.txt",
    "awk 'NR==2,NR==4' a.txt",
    // Programs to which many operands are something else.
    "find . -name '*.txt' -exec wc -l {} \\;",
    "find . -name '*.txt' -exec grep x {} \\;",
    "find . -name '*.txt' -exec file {} \\;",
    "find . -name '*.txt' -exec echo {} \\;",
    "find . -name '*.txt' -exec head -n 1 {} \\;",
    "find . -exec rm {} \\;",
    "find . -type f -exec rm -r {} \\;",
    "find . -type f -exec cp {} /tmp \\;",
    "find . -type f -exec cat {} \\; -print",
    "find . -type f -print -exec cat {} \\;",
    "find . -name a -o -type f -exec cat {} \\;",
    "find . -type f -exec sh -c 'cat \"$1\"' _ {} \\;",
    "find . -type f | xargs -I {} cat {}",
    "find . -type f | xargs -d '\\n' cat",
    "find . -print0 | xargs -0 cat",
    "find . -type f -print0 | xargs -0 -r -n 1 cat",
    // Words that may be anything, and what another shell reads in another way.
    "echo -n x | wc -c",
    "echo $x | wc -c",
    "echo 'a\\nb' | wc -l",
    "echo a b | wc -c",
    "echo `echo \\`date\\``",
    "echo \"`echo \"a  b\"`\"",
    "echo '`date`'",
    // Here-documents and comments are left alone.
    "cat <<E | wc -l\nx\nE\n",
    "cat a.txt | wc -l # count",
];

#[test]
fn what_only_looks_alike_stays() {
    for command in KEPT {
        // Some are not complete scripts to both parsers: then nothing is changed either.
        let Ok(form) = optimize(command, &bytes()) else { continue };
        assert!(form.changes.is_empty(), "{command} became {} by {:?}", form.command, form.changes);
        assert_eq!(form.command, *command);
    }
}

#[test]
fn lines_that_are_ordered_by_a_language_stay() {
    assert!(optimize("sort a.txt | uniq", &Locale::named("en_US.UTF-8")).unwrap().changes.is_empty());
}

#[test]
fn what_is_not_understood_is_told() {
    assert!(optimize("cat 'a", &bytes()).is_err());
}

/// Lines among which everything happens that rules look at: repeated ones, empty ones, matches, many columns, no end.
fn lines() -> impl Strategy<Value = String> {
    let line =
        prop_oneof![Just(String::new()), "[abx ]{1,6}", "[a-cxA-CX0-9.*/ \\t]{0,12}", Just("a x".to_owned())];
    (proptest::collection::vec(line, 0..12), any::<bool>()).prop_map(|(lines, ends)| {
        let mut text = lines.join("\n");
        if ends && !text.is_empty() {
            text.push('\n');
        }
        text
    })
}

fn ran(command: &str, folder: &Path) -> Output {
    Command::new("bash")
        .args(["--norc", "--noprofile", "-c", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

/// What both forms of a command do to two files of their own.
fn both(before: &str, after: &str, files: &[String; 2]) -> [(String, Option<i32>); 2] {
    [before, after].map(|command| {
        let folder = tempfile::tempdir().unwrap();
        // Times and inodes would differ in a listing.
        let command = command.replace("ls -l", "stat -c '%A %n' *");
        for (name, text) in ["a.txt", "b.txt"].into_iter().zip(files) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let output = ran(&command, folder.path());
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    })
}

/// Runs all forms on the same files.
fn all_forms_agree(cases: u32) {
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let found = runner.run(&[lines(), lines()], |files| {
        for (before, after, rules) in FORMS {
            let [first, second] = both(before, after, &files);
            prop_assert_eq!(&first.0, &second.0, "{} and {}", before, after);
            let may_differ = rules::ALL
                .iter()
                .any(|rule| rules.contains(&rule.name) && rule.status == rules::Status::Changed);
            prop_assert!(
                may_differ || first.1 == second.1,
                "{} {:?} and {} {:?}",
                before,
                first.1,
                after,
                second.1
            );
        }
        Ok(())
    });
    found.unwrap();
}

#[test]
fn both_forms_give_the_same_on_generated_files() {
    all_forms_agree(6);
}

#[test]
fn the_comparison_sees_a_rewrite_that_changes_the_meaning() {
    let files = ["a\nb\na\n".to_owned(), String::new()];
    for (before, after) in
        [("sort a.txt | uniq", "uniq a.txt"), ("ls | wc -l", "wc -l a.txt"), ("true", "false")]
    {
        let [first, second] = both(before, after, &files);
        assert_ne!(first, second, "{before}");
    }
}
