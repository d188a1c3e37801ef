//! The gate, from the command line to the exit code: in a small repository of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::lab::{command, lab, lab_in, stderr, stdout};
use crate::repository::{Repository, verdict};
use crate::workspace::Workspace;

#[test]
fn a_slow_down_fails_and_names_its_row_and_without_it_the_gate_passes() {
    let repository = Repository::new();
    identical(&repository);

    repository.slow_down();
    let (says, said) = repository.gate(1, &["--against", "main"]);
    assert_eq!(verdict(&says, "bits"), "regressed");
    let row = &says["report"]["rows"][0];
    assert!(row["confirmation"]["shown"]["ratio"].as_f64() > Some(1.05), "{row:#}");
    assert!(row["why"].as_str().unwrap().starts_with("confirmed: at least "), "{row:#}");
    assert_eq!(says["candidate"]["changed"], 1, "what is not committed is what is measured");
    let page = fs::read_to_string(
        repository.0.root().join("results").join(says["name"].as_str().unwrap()).join("gate.md"),
    );
    assert!(page.unwrap().contains(" and 1 changed file) against main ("));
    assert!(said.contains("screen") && said.contains("confirm"), "{said}");

    // The record says the same again, for a person and without measuring.
    let record = repository.0.root().join("results").join(says["name"].as_str().unwrap());
    exported(&repository, &record);
    let text = stdout(&lab_in(repository.0.root(), 1, &["gate", record.to_str().unwrap()]));
    // A regression stays one when nobody reads it to its end, as in `gate … | head -1` under pipefail.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut unread = command(repository.0.root());
    let unread = unread.args(["gate", record.to_str().unwrap()]).stdout(writer).status().unwrap();
    assert_eq!(unread.code(), Some(1));
    assert!(text.contains("REGRESSED     bits: confirmed: at least "), "{text}");
    let page = fs::read_to_string(record.join("gate.md")).unwrap();
    assert!(
        page.starts_with("## perflab gate: REGRESSION: 1 regressed") && page.contains("| bits"),
        "{page}"
    );
    // Its samples were looked at repeatedly: no verb judges them as those of a run.
    for verb in ["analyse", "report"] {
        let shown = stdout(&lab_in(repository.0.root(), 1, &[verb, record.to_str().unwrap()]));
        assert_eq!(shown, text, "{verb}");
    }
    assert!(!record.join("report.md").exists());
    // One that was killed has the samples, and no answer.
    let answer = fs::read(record.join("gate.json")).unwrap();
    fs::remove_file(record.join("gate.json")).unwrap();
    let said = stderr(&lab_in(repository.0.root(), 2, &["gate", record.to_str().unwrap()]));
    let again = "holds the samples of a gate that was interrupted before its answer; gate again: perflab gate --against main";
    assert!(said.contains(again), "{said}");
    fs::write(record.join("gate.json"), answer).unwrap();

    repository.git(&["checkout", "--quiet", "--", "."]);
    let (says, _) = repository.gate(0, &["--against", "main", "--no-identity"]);
    assert_eq!(verdict(&says, "bits"), "passed");
    assert!(says["launches"][0]["screening"].as_array().unwrap().len() >= 16);
}

/// The same code is found to be the same, and costs nothing.
fn identical(repository: &Repository) {
    let (says, said) = repository.gate(0, &["--against", "HEAD"]);
    assert_eq!(verdict(&says, "bits"), "identical");
    assert!(!said.contains("screen"), "{said}");
    let identical = repository.0.root().join("results").join(says["name"].as_str().unwrap());
    let identical_shown = identical.to_str().unwrap();
    for args in
        [["gate", identical_shown, "--export", "junit"].as_slice(), &["export", "junit", identical_shown]]
    {
        let junit = stdout(&lab_in(repository.0.root(), 0, args));
        assert!(junit.contains("<skipped message=\"identical code: not measured\"/>"), "{junit}");
    }
    let said =
        stderr(&lab_in(repository.0.root(), 0, &["export", "github-action-benchmark", identical_shown]));
    assert!(
        said.contains("1 row of identical code was not measured") && said.contains("--no-identity"),
        "{said}"
    );
    let exported = |kind: &str| stdout(&lab_in(repository.0.root(), 0, &["export", kind, identical_shown]));
    let unchanged = serde_json::json!([{
        "name": "bits (plain), change", "unit": "%", "value": 0, "extra": "identical code: not measured"
    }]);
    assert_eq!(serde_json::from_str::<Value>(&exported("github-action-benchmark")).unwrap(), unchanged);
    let bencher: Value = serde_json::from_str(&exported("bencher")).unwrap();
    assert_eq!(bencher["bits (plain)"]["change-percent"]["value"], 0);
    assert!(exported("go").ends_with("\nBenchmarkBits/cpu=plain-1\t1\t0 change-%\n"), "{}", exported("go"));
    assert_eq!(
        serde_json::from_str::<Value>(&exported("hyperfine")).unwrap(),
        serde_json::json!({ "results": [] })
    );
    narrow(repository, identical_shown);
    assert!(!identical.join("charts").exists(), "nothing to draw");
    let shown = stdout(&lab_in(repository.0.root(), 0, &["report", identical_shown]));
    assert_eq!(shown, stdout(&lab_in(repository.0.root(), 0, &["gate", identical_shown])));
}

/// Header, stages and table of a gate in a terminal of 40 columns.
fn narrow(repository: &Repository, record: &str) {
    for args in [&["gate", record][..], &["gate", "--suite", "s.toml", "--against", "HEAD"]] {
        let output = command(repository.0.root()).env("COLUMNS", "40").args(args).output().unwrap();
        let said = stderr(&output);
        // Notes and where the record is are read by programs too, and stay lines.
        let stages = said.lines().filter(|line| !line.starts_with("note: ") && !line.starts_with(" record "));
        let wide: Vec<String> = stdout(&output)
            .lines()
            .chain(stages)
            .filter(|line| line.chars().count() > 40)
            .map(str::to_owned)
            .collect();
        assert_eq!(wide, [""; 0], "{said}{}", stdout(&output));
        assert!(stdout(&output).contains("identical"), "{said}");
    }
}

/// The chart of a gate's record, and the record for other tools.
fn exported(repository: &Repository, record: &std::path::Path) {
    let chart = fs::read_to_string(record.join("charts/gate.svg")).unwrap();
    assert!(chart.contains("REGRESSED") && chart.contains("bits"), "{chart}");
    let export = |kind: &str| {
        let args = ["gate", record.to_str().unwrap(), "--export", kind];
        stdout(&lab_in(repository.0.root(), 1, &args))
    };
    let junit = export("junit");
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("<failure message=\"confirmed: at least"),
        "{junit}"
    );
    // The record for other tools says the same by whatever verb.
    let shown = record.to_str().unwrap();
    for (code, args) in
        [(0, ["export", "junit", shown].as_slice()), (1, &["report", shown, "--export", "junit"])]
    {
        assert_eq!(stdout(&lab_in(repository.0.root(), code, args)), junit, "{args:?}");
    }
    // A series over commits is one series.
    let series = stdout(&lab_in(repository.0.root(), 0, &["export", "github-action-benchmark", shown]));
    let names: Vec<String> = serde_json::from_str::<Vec<Value>>(&series)
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        names.contains(&"bits (plain)".into()) && names.contains(&"bits (plain @ reference)".into()),
        "{names:?}"
    );
    let history = stdout(&lab_in(repository.0.root(), 0, &["history", shown]));
    assert!(history.contains("plain @ reference"), "{history}");
    // benchstat compares both sides by their launches.
    let go = export("go");
    let lines =
        |arm: &str| go.lines().filter(|line| line.starts_with("Benchmark") && line.contains(arm)).count();
    assert!(lines("/arm=plain-1") >= 16 && lines("/arm=plain_@_") >= 16, "{go}");
    assert!(export("summary=-").starts_with("## perflab gate: REGRESSION: 1 regressed"));
    let said =
        stderr(&lab_in(repository.0.root(), 2, &["gate", record.to_str().unwrap(), "--export", "go="]));
    assert!(said.contains("names no file"), "{said}");
}

#[test]
fn what_cannot_be_compared_is_said_in_a_sentence() {
    let repository = Repository::below("");
    for name in ["Cargo.toml", "src/main.rs"] {
        fs::rename(
            repository.0.root().join(name),
            repository.0.root().join(name.replace('/', "_") + ".kept"),
        )
        .unwrap();
    }
    let nothing = repository.commit("before there was anything");
    for name in ["Cargo.toml", "src/main.rs"] {
        fs::rename(
            repository.0.root().join(name.replace('/', "_") + ".kept"),
            repository.0.root().join(name),
        )
        .unwrap();
    }
    repository.edit("fn main() {", "fn main() { no such thing");
    let broken = repository.commit("does not compile");
    repository.edit("fn main() { no such thing", "fn main() {");
    repository.commit("subject");
    let error = |args: &[&str]| {
        let (_, said) = repository.gate(2, args);
        let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{said}");
        errors[0].to_owned()
    };
    let said = error(&["--against", "no-such-branch"]);
    assert!(said.starts_with("error: unknown revision \"no-such-branch\": name a commit"), "{said}");
    assert!(error(&["--against=--help"]).contains("unknown revision \"--help\""));
    let said = error(&["--against", &broken]);
    assert!(
        said.contains(&format!("revision {}", &broken[..10])) && said.contains("cannot be built"),
        "{said}"
    );
    let (_, said) = repository.gate(2, &["--against", &broken]);
    assert_eq!(said.matches("no such thing").count(), 1, "once: {said}");
    let said = error(&["--against", "HEAD", "--benchmarks", "bitz"]);
    assert!(said.contains("unknown benchmark \"bitz\""), "{said}");
    let said = error(&["--against", "HEAD", "--flagsets", "plian"]);
    assert!(said.contains("unknown arm \"plian\"; known: plain"), "{said}");
    assert!(error(&[]).contains("what to compare with?"));
    assert!(stderr(&lab(2, &["gate", "--against", "HEAD", "--budget", "soon"])).contains("90s, 5m or 1h"));
    // A change that introduces the lab has nothing to be compared with, and everything in it is new.
    for (code, args) in [(2, &[][..]), (3, &["--allow-unmatched=new"])] {
        let (says, _) = repository.gate(code, &[&["--against", &nothing], args].concat());
        let row = &says["report"]["rows"][0];
        assert_eq!((&row["benchmark"], &row["how"]), (&"bits".into(), &"new".into()), "{says:#}");
        assert!(row["why"].as_str().unwrap().contains("has no Cargo.toml here"), "{row:#}");
    }
    let outside = Workspace::new();
    outside.suite("s", &["plain"]);
    let said = stderr(&lab_in(outside.root(), 2, &["gate", "--suite", "s.toml", "--against", "HEAD"]));
    assert!(said.contains("is not a git repository"), "{said}");
}

#[test]
fn benchmarks_of_one_side_alone_never_pass_in_silence() {
    let repository = Repository::new();
    repository.edit("\\\"name\\\":\\\"bits\\\"", "\\\"name\\\":\\\"bytes\\\"");
    let (says, _) = repository.gate(2, &["--against", "main"]);
    let row = |name: &str| {
        says["report"]["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["benchmark"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!((&row("bits")["how"], &row("bytes")["how"]), (&"gone".into(), &"new".into()), "{says:#}");
    // A benchmark that is gone was not added.
    let record = repository.0.root().join("results").join(says["name"].as_str().unwrap());
    let (says, _) = repository.gate_of(2, &record, &["--allow-unmatched=new"]);
    assert_eq!(says["report"]["fold"], "broken");
    // Where the difference is meant, and nothing else was compared, nothing is known.
    let (says, _) = repository.gate(3, &["--against", "main", "--allow-unmatched"]);
    assert_eq!(says["report"]["fold"], "inconclusive");
    repository.git(&["checkout", "--quiet", "--", "."]);
    repository.edit("(0..2000)", "(0..2001)");
    let (says, _) = repository.gate(2, &["--against", "main"]);
    assert_eq!(says["report"]["rows"][0]["how"], "another_task");
    let why = says["report"]["rows"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("it declares the answer ") && why.ends_with("not the same task"), "{why}");
    a_side_that_breaks_its_own_word_is_wrong(&repository);
}

/// Whatever is allowed: a wrong answer is no other task, and neither is a declaration that the code does not keep.
fn a_side_that_breaks_its_own_word_is_wrong(repository: &Repository) {
    let everything = ["--against", "main", "--allow-unmatched"];
    let declared = ("let answer = bits(&numbers);", "let answer = bits(&numbers) + 1;");
    let computed =
        ("sum.wrapping_add(bits(black_box(numbers)))", "sum.wrapping_add(bits(black_box(numbers)) + 1)");
    let renamed = ("\\\"name\\\":\\\"bits\\\"", "\\\"name\\\":\\\"bytes\\\"");
    for (edits, benchmark) in
        [([declared].as_slice(), "bits"), (&[computed], "bits"), (&[computed, renamed], "bytes")]
    {
        repository.git(&["checkout", "--quiet", "--", "."]);
        edits.iter().for_each(|(from, to)| repository.edit(from, to));
        let (says, said) = repository.gate(1, &everything);
        assert_eq!(verdict(&says, benchmark), "failed", "{edits:?}: {said}");
        let rows = says["report"]["rows"].as_array().unwrap();
        let why = rows.iter().find(|row| row["benchmark"] == benchmark).unwrap()["why"].as_str().unwrap();
        assert!(why.starts_with("expected "), "{why}");
    }
    // A reference that breaks its own, beside other code and beside its own.
    repository.git(&["checkout", "--quiet", "--", "."]);
    repository.edit(declared.0, declared.1);
    repository.commit("a wrong declaration");
    for edited in [false, true] {
        if edited {
            repository.edit(declared.1, declared.0);
        }
        let (says, said) = repository.gate(3, &everything);
        assert_eq!(verdict(&says, "bits"), "inconclusive", "{edited}: {said}");
    }
}

#[test]
fn a_candidate_that_fails_is_no_pass() {
    let repository = Repository::new();
    repository.edit(
        "let iters = field(&line, \"iters\");",
        "let iters = field(&line, \"iters\"); if std::process::id() > 0 { panic!(\"no turn today\") }",
    );
    let (says, _) = repository.gate(1, &["--against", "main"]);
    assert_eq!(verdict(&says, "bits"), "failed");
}

#[test]
fn references_gate_sizes_and_are_strict_both_ways() {
    let repository = Repository::new();
    let (_, said) = repository.gate(2, &["--references"]);
    assert!(said.contains("no reference of suite s in "), "{said}");
    let record = repository.record();
    let path = repository.accept(&record);
    let text = fs::read_to_string(&path).unwrap();
    for row in
        ["benchmark = \"bits\"", "measure = \"file_size\"", "measure = \"code_size\"", "measure = \"memory\""]
    {
        assert!(text.contains(row), "{row}: {text}");
    }
    let shown = stdout(&lab_in(repository.0.root(), 0, &["baseline", "show"]));
    assert!(shown.contains("suite s at ") && shown.contains("bits "), "{shown}");
    repository.commit("references");

    let (says, said) = repository.gate(0, &["--references"]);
    assert_eq!(verdict(&says, "bits"), "identical", "{said}");
    let passed = says["report"]["rows"].as_array().unwrap().iter().filter(|row| row["verdict"] == "passed");
    assert!(passed.count() >= 2, "sizes are compared with what is stored: {says:#}");

    // A hundred kilobytes more code than was accepted.
    repository
        .edit("fn main() {", "static PAD: [u8; 100_000] = [7; 100_000];\nfn main() {\n    black_box(&PAD);");
    let (says, _) = repository.gate(1, &["--references", "--budget", "1s"]);
    let grown = |row: &&Value| row["measure"] == "file_size";
    let row = says["report"]["rows"].as_array().unwrap().iter().find(grown).unwrap();
    assert_eq!(row["verdict"], "regressed", "{row:#}");
    repository.git(&["checkout", "--quiet", "--", "src"]);

    // A benchmark without a reference, and a reference without a benchmark.
    repository.edit("\\\"name\\\":\\\"bits\\\"", "\\\"name\\\":\\\"bytes\\\"");
    let (says, _) = repository.gate(2, &["--references"]);
    let how = |name: &str| {
        let rows = says["report"]["rows"].as_array().unwrap();
        rows.iter().find(|row| row["benchmark"] == name).unwrap()["how"].clone()
    };
    assert_eq!((how("bytes"), how("bits")), ("new".into(), "gone".into()), "{says:#}");
    let renamed = repository.record();
    let (says, _) = repository.gate(2, &[&renamed, "--references"]);
    assert_eq!(says["report"]["fold"], "broken");
}

#[test]
fn another_machines_reference_is_refused_with_what_differs() {
    let repository = Repository::new();
    let record = repository.record();
    let path = repository.accept(&record);
    let text = fs::read_to_string(&path).unwrap();
    let there = text.replacen("family = ", "family = 9", 1).replacen("stepping = ", "stepping = 7", 1);
    let body = there.split_once("\ndigest = ").unwrap().1.split_once('\n').unwrap().1.to_owned();
    let stated = text.split_once("digest = \"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let other = path.parent().unwrap().with_file_name("another-machine");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("s.toml"), there.replacen(&stated, &sha256(&body), 1)).unwrap();
    fs::remove_file(&path).unwrap();
    let (says, said) = repository.gate(3, &["--references"]);
    assert!(
        said.contains("another machine's") && said.contains("CPU family/model/stepping: accepted on 9"),
        "{said}"
    );
    assert_eq!(verdict(&says, "bits"), "inconclusive");
    let sizes = says["report"]["rows"].as_array().unwrap().iter().filter(|row| row["measure"] == "file_size");
    assert!(sizes.into_iter().all(|row| row["verdict"] == "passed"), "sizes travel: {says:#}");
    // A finished record is refused as well.
    let (says, said) = repository.gate(3, &[&record, "--references"]);
    assert!(said.contains("differs: CPU family/model/stepping"), "{said}");
    assert_eq!(verdict(&says, "bits"), "inconclusive");
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn references_that_cannot_be_trusted_are_refused() {
    let repository = Repository::new();
    let dirty = {
        // What the lab itself leaves does not count as a change, and everything else does.
        repository.0.write(".gitignore", "/target\n/Cargo.lock\n");
        repository.commit("nothing of the lab's is ignored");
        repository.record();
        for name in ["1", "2", "3"] {
            repository.0.write(name, "");
        }
        repository.edit("fn main() {", "fn main() { ");
        repository.record()
    };
    let said = stderr(&lab_in(repository.0.root(), 2, &["baseline", "accept", &dirty]));
    assert!(said.contains("4 files (1, 2, 3 and more) differed from commit"), "{said}");
    assert!(said.contains("measure again"), "{said}");
    repository.git(&["checkout", "--quiet", "--", "."]);
    for name in ["1", "2", "3"] {
        fs::remove_file(repository.0.root().join(name)).unwrap();
    }
    let record = repository.record();
    let path = repository.accept(&record);
    let good = fs::read_to_string(&path).unwrap();
    for (from, to, says) in [
        ("launches = 2", "launches = 3", "was edited by hand"),
        ("schema = 1", "schema = 99", "has schema 99, and this perflab reads 1"),
    ] {
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let (_, said) = repository.gate(2, &["--references"]);
        assert!(said.contains(says), "{said}");
        let said = stderr(&lab_in(repository.0.root(), 2, &["baseline", "show"]));
        assert!(said.contains(says) && said.lines().count() == 1, "{said}");
    }
    fs::write(&path, &good).unwrap();
    fs::write(format!("{record}/gate.json"), "{}").unwrap();
    let said = stderr(&lab_in(repository.0.root(), 2, &["baseline", "accept", &record]));
    assert!(said.contains("it is a gate's"), "{said}");
    fs::remove_file(format!("{record}/gate.json")).unwrap();
    let unfinished = fs::read_to_string(format!("{record}/run.json")).unwrap();
    fs::write(format!("{record}/run.json"), unfinished.replacen("\"finished\"", "\"stopped\"", 1)).unwrap();
    let said = stderr(&lab_in(repository.0.root(), 2, &["baseline", "accept", &record]));
    assert!(said.contains("it is not finished"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), good);
}

#[test]
fn a_kill_or_a_full_disk_in_mid_accept_leaves_the_old_reference() {
    let repository = Repository::new();
    let path = repository.accept(&repository.record());
    let good = fs::read_to_string(&path).unwrap();
    // Another commit, so that the new text would differ.
    repository.commit("another");
    let record = repository.record();
    for (trap, code) in [("", None), ("trap '' XFSZ;", Some(2))] {
        // Writing the 513th byte ends the program, or fails where the signal is ignored.
        let script = format!("{trap} ulimit -f 1; exec \"$0\" baseline accept \"$1\"");
        let mut shell = Command::new("bash");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_perflab"), &record]).current_dir(repository.0.root());
        let output = shell.output().unwrap();
        assert_eq!(output.status.code(), code, "{}", stderr(&output));
        if code.is_some() {
            let said = stderr(&output);
            assert!(said.contains("cannot write") && said.contains("stay as they are"), "{said}");
            assert!(said.contains("File too large"), "{said}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), good, "the old reference, whole");
    }
    let beside = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = beside.map(|name| name.into_string().unwrap()).collect();
    let known =
        |name: &String| *name == path.file_name().unwrap().to_str().unwrap() || name.starts_with(".partial-");
    assert!(names.iter().all(known), "{names:?}");
    let next = repository.accept(&record);
    assert_ne!(fs::read_to_string(next).unwrap(), good);
}
