//! Every verb runs, and its JSON is JSON.

use crate::lab::{Record, alone, command, json, lab, lab_in, stderr, stdout, suite};

#[test]
fn every_verb_has_help() {
    for verb in [
        "run",
        "doctor",
        "verify",
        "plan",
        "build",
        "measure",
        "analyse",
        "report",
        "census",
        "calibrate",
        "gate",
        "baseline",
        "cmp",
        "history",
        "export",
    ] {
        let help = stdout(&lab(0, &[verb, "--help"]));
        assert!(help.contains(&format!("perflab {verb}")) && help.contains("--format"), "{help}");
    }
    let help = stdout(&lab(0, &["--help"]));
    assert!(help.contains("Exit codes: 0 fine") && !help.contains("__exec"), "{help}");
    let version = stdout(&lab(0, &["-V"]));
    assert_eq!(version, format!("perflab {}\n", env!("CARGO_PKG_VERSION")));
    assert!(stdout(&lab(0, &["--version"])).starts_with(&format!("{} (", version.trim_end())));
}

#[test]
fn the_program_is_named_as_it_was_called() {
    let _alone = alone();
    let empty = tempfile::tempdir().unwrap();
    for (package, name) in [(None, "perflab"), (Some("perflab"), "cargo lab"), (Some("xtask"), "perflab")] {
        let said = |args: &[&str]| {
            let mut command = command(empty.path());
            command.envs(package.map(|package| ("CARGO_PKG_NAME", package)));
            let output = command.args(args).output().unwrap();
            stdout(&output) + &stderr(&output)
        };
        let help = said(&["cmp", "commands", "--help"]);
        assert!(help.contains(&format!("Usage: {name} cmp commands ")), "{help}");
        assert!(help.contains(&format!("\n{name} cmp commands 'sort a.txt'")), "{help}");
        let remedy = said(&["baseline", "show"]);
        assert!(remedy.contains(&format!("accept a record with {name} baseline accept")), "{remedy}");
        let record = said(&["cmp", "commands", "true", "true", "--launches", "2", "--format", "json"]);
        assert!(record.contains(&format!("\"{name} cmp commands true true ")), "{record}");
    }
}

#[test]
fn a_plan_tells_what_would_run_and_runs_nothing() {
    let text = stdout(&lab(0, &["plan", "--suite", &suite("effects")]));
    assert!(text.contains("candidate   slower: perflab-fixtures (x86-64 + slower), release"), "{text}");
    assert!(text.contains("control     x86-64 (A/A)"), "{text}");
    let plan = json(&lab(0, &["plan", "--suite", &suite("effects"), "--full", "--format", "json"]));
    assert_eq!((&plan["suite"], &plan["budget"]["launches"]), (&"effects".into(), &16.into()));
}

#[test]
fn the_doctor_looks_at_the_machine() {
    let findings = json(&lab(0, &["doctor", "--format", "json"]));
    let findings = findings.as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["what"].as_str().is_some_and(|what| !what.is_empty())));
    assert!(findings.len() > 3 && stdout(&lab(0, &["doctor"])).lines().count() > 3);
}

#[test]
fn answers_are_verified_without_times() {
    let _alone = alone();
    let text = stdout(&lab(0, &["verify", "--suite", &suite("stopped")]));
    assert!(text.contains("slower             3 of 3 answers are right"), "{text}");
    let output =
        lab(1, &["verify", "--suite", &suite("failures"), "--flagsets", "wrong", "--format", "json"]);
    let says = json(&output);
    assert_eq!(says["arms"][1], serde_json::json!({ "arm": "wrong", "right": 2, "of": 3 }));
    assert_eq!(says["failures"][0]["reason"]["kind"], "wrong_answer", "{}", stderr(&output));
}

#[test]
fn a_build_tells_the_artifacts_and_their_instructions() {
    let _alone = alone();
    let table = stdout(&lab(0, &["build", "--suite", &suite("stopped")]));
    assert!(table.contains("x86-64") && table.contains("slower") && table.contains("KiB"), "{table}");
    let facts = json(&lab(0, &["build", "--suite", &suite("stopped"), "--format", "json"]));
    assert!(facts[0]["text_bytes"].as_u64() > Some(1000), "{facts:#}");
    assert_ne!(facts[0]["digest"], facts[1]["digest"], "each arm has an executable of its own");
}

#[test]
fn a_census_counts_the_instructions_of_any_file() {
    let workspace = crate::workspace::Workspace::new();
    let source = workspace.root().join("wide.rs");
    let wide = "#![crate_type = \"lib\"]\n#[unsafe(no_mangle)]\npub fn wide(a: &mut [u32; 64]) { for x in a { *x = x.wrapping_mul(3) } }\n";
    std::fs::write(&source, wide).unwrap();
    let object = workspace.root().join("wide.o");
    let mut rustc = std::process::Command::new("rustc");
    rustc
        .args(["--edition", "2024", "-O", "--emit", "obj", "-C", "target-cpu=x86-64-v4", "-o"])
        .arg(&object)
        .arg(&source);
    assert!(rustc.status().unwrap().success());
    let shown = object.to_str().unwrap();
    let says = json(&lab(0, &["census", shown, "--format", "json"]));
    let ymm = says[0]["census"]["width"]["ymm"].as_u64().unwrap();
    assert!(ymm > 0, "{says:#}");
    assert!(stdout(&lab(0, &["census", shown])).contains(&format!("ymm {ymm}")));
    let said = stderr(&lab(2, &["census", source.to_str().unwrap()]));
    assert!(said.starts_with("error: ") && said.contains("wide.rs"), "{said}");
    let said = stderr(&lab(2, &["census", "no-such-file"]));
    assert!(said.starts_with("error: cannot read no-such-file: "), "{said}");
}

#[test]
fn a_record_is_reported_spliced_checked_and_compared() {
    let _alone = alone();
    let record = Record::of(0, "effects", &["--launches", "2"]);
    let folder = record.folder.to_str().unwrap();
    for file in ["report.md", "report.html", "verdicts.json", "commands.txt", "charts/forest.svg"] {
        assert!(record.folder.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    std::fs::remove_file(record.folder.join("report.md")).unwrap();
    assert_eq!(json(&lab(0, &["report", folder, "--format", "json"]))["analysis"], record.says["analysis"]);
    assert!(record.folder.join("report.md").is_file(), "written again");
    let png = record.folder.join("charts/forest.png");
    assert!(!png.exists(), "SVG alone, unless somebody asks");
    lab(0, &["report", folder, "--png"]);
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    let same = json(&lab(0, &["cmp", folder, folder, "--format", "json"]));
    assert_eq!(same["arms"][0]["same_artifact"], true);
    assert!(stdout(&lab(0, &["cmp", folder, folder])).contains("different runs: not judged"));

    let document = record.folder.parent().unwrap().join("README.md");
    let shown = document.to_str().unwrap();
    std::fs::write(&document, "before\n").unwrap();
    let said = stderr(&lab(2, &["report", folder, "--splice", shown]));
    assert!(said.contains("the marker `<!-- perflab:begin record -->` is missing"), "{said}");
    std::fs::write(&document, "before\n<!-- perflab:begin record -->\n<!-- perflab:end record -->\nafter\n")
        .unwrap();
    assert!(stdout(&lab(1, &["report", folder, "--check", shown])).contains("differs from"));
    lab(0, &["report", folder, "--splice", shown]);
    let text = std::fs::read_to_string(&document).unwrap();
    assert!(text.starts_with("before\n") && text.ends_with("after\n") && text.contains("| chain"), "{text}");
    lab(0, &["report", folder, "--check", shown]);
    std::fs::write(&document, text.replacen("| chain", "| chains", 1)).unwrap();
    let said = stdout(&lab(1, &["report", folder, "--check", shown]));
    assert!(said.contains("  stands: | chains"), "{said}");

    // The markers of the record's own name come before those of its suite and of any record, and say how much is shown.
    let name = record.folder.file_name().unwrap().to_str().unwrap();
    let block = |name: &str, form: &str| {
        format!("<!-- perflab:begin {name}{form} -->\n<!-- perflab:end {name} -->\n")
    };
    std::fs::write(&document, block("record", "") + &block(name, " rows=2")).unwrap();
    lab(0, &["report", folder, "--splice", shown]);
    let text = std::fs::read_to_string(&document).unwrap();
    assert!(text.starts_with(&block("record", "")), "{text}");
    assert!((1..=2).contains(&text.lines().filter(|line| line.starts_with("| ")).skip(2).count()), "{text}");
    lab(0, &["report", folder, "--check", shown]);
    std::fs::write(&document, block(name, " some")).unwrap();
    let said = stderr(&lab(2, &["report", folder, "--splice", shown]));
    assert!(said.contains("asks for `some`"), "{said}");

    // A document of Windows keeps its line ends, and a record is read outside of a workspace too.
    let lines = block("record", "").replace('\n', "\r\n");
    std::fs::write(&document, &lines).unwrap();
    let outside = record.folder.parent().unwrap();
    lab_in(outside, 0, &["report", folder, "--splice", shown]);
    lab_in(outside, 0, &["report", folder, "--check", shown]);
    let text = std::fs::read_to_string(&document).unwrap();
    assert!(text.len() > lines.len(), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
}
