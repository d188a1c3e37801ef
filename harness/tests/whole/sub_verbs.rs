//! `cmp` and `counts` are verbs of several ways, each with its own help; what they were called before goes on working.

use crate::lab::{alone, command, lab, root, stderr, stdout, suite};

#[test]
fn each_way_has_a_help_of_its_own_and_the_old_options_are_in_none() {
    for (verb, ways) in
        [("cmp", &["commands", "records"][..]), ("counts", &["steps", "callgrind", "summaries", "record"])]
    {
        let help = stdout(&lab(0, &[verb, "--help"]));
        for way in ways {
            assert!(help.contains(&format!("\n  {way} ")), "{help}");
            let help = stdout(&lab(0, &[verb, way, "--help"]));
            assert!(help.contains(&format!("perflab {verb} {way}")), "{help}");
            assert!(!help.contains("--commands") && !help.contains("--callgrind"), "{help}");
        }
        assert!(!help.contains("--commands") && !help.contains("--suite"), "{help}");
    }
    let said = stderr(&lab(2, &["cmp", "records", "a", "b", "--launches", "5"]));
    assert!(said.starts_with("error: unexpected argument '--launches'"), "{said}");
    let said = stderr(&lab(2, &["counts", "summaries", "--patience", "5s"]));
    assert!(said.starts_with("error: unexpected argument '--patience'"), "{said}");
}

#[test]
fn commands_are_compared_by_their_verb_and_by_the_old_option() {
    let _alone = alone();
    let more = ["--launches", "2", "--warmup", "1", "--format", "json"];
    let new = lab(0, &[&["cmp", "commands", "true", "sh -c 'exit 0'"], &more[..]].concat());
    assert!(stdout(&new).contains("\"perflab cmp commands true \\\"sh -c 'exit 0'\\\" --launches 2"));
    assert!(!stderr(&new).contains("is now"), "{}", stderr(&new));
    let old = lab(0, &[&["cmp", "--commands", "true", "true"], &more[..]].concat());
    let said = stderr(&old);
    let notes: Vec<&str> = said.lines().filter(|line| line.contains("is now")).collect();
    assert_eq!(notes, ["note: perflab cmp without a verb is now perflab cmp commands A B"], "{said}");
    let said = stderr(&lab(2, &["cmp", "commands", "true", "cat x | wc"]));
    assert!(said.starts_with("error: B: `|` joins commands in a shell"), "{said}");
}

#[test]
fn counts_are_taken_shown_and_accepted_by_either_name() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let (out, accepted) = (directory.path().join("out"), directory.path().join("accepted"));
    let (out, accepted) = (out.to_str().unwrap(), accepted.to_str().unwrap());
    let suite = suite("counted");
    let what = ["--suite", &suite, "--benchmarks", "nothing", "--flagsets", "x86-64", "--out", out];
    let new = lab(0, &[&["counts", "steps"], &what[..]].concat());
    assert!(!stderr(&new).contains("is now"), "{}", stderr(&new));
    let record = crate::lab::only_folder(std::path::Path::new(out));
    let record = record.to_str().unwrap();
    lab(0, &["counts", "record", record, "--accept", "--accepted", accepted]);
    let gate = stdout(&lab(0, &["counts", "record", record, "--gate", "--accepted", accepted]));
    assert!(gate.contains("0 fail"), "{gate}");
    let outside = crate::lab::lab_in(directory.path(), 0, &["counts", "record", record]);
    assert!(stdout(&outside).contains("nothing"), "a record is read outside of a workspace too");
    for (old, now) in [
        (&["counts", record, "--gate", "--accepted", accepted][..], "counts record RECORD"),
        (&[&["counts"], &what[..]].concat(), "counts steps"),
    ] {
        let said = stderr(&lab(0, old));
        let note = format!("note: perflab counts without a verb is now perflab {now}\n");
        assert!(said.ends_with(&note), "{said}");
    }
    let said = stderr(&lab(2, &["counts", "record", accepted]));
    assert!(said.contains("is not a record of counts"), "{said}");
}

#[test]
fn minutes_are_a_budget_by_now() {
    let args = ["calibrate", "--suite", &suite("effects"), "--inject", "70", "--minutes", "2"];
    let said = stderr(&lab(2, &args));
    assert!(said.starts_with("note: --minutes is now --budget 2m\nerror: --inject 70"), "{said}");
    let said = stderr(&lab(2, &[&args[..], &["--budget", "2m"]].concat()));
    assert!(said.contains("cannot be used with"), "{said}");
}

/// Every verb that builds or measures.
fn working(out: &str) -> Vec<Vec<String>> {
    let suite = suite("effects");
    let with_suite = |verb: &[&str]| {
        let rest = ["--suite", &suite];
        [verb, &rest[..]].concat().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let mut verbs: Vec<Vec<String>> =
        [&["run"][..], &["measure"], &["build"], &["verify"], &["calibrate"], &["counts", "steps"]]
            .map(with_suite)
            .into();
    verbs.push(with_suite(&["gate", "--against", "HEAD"]));
    verbs.push(["cmp", "commands", "true", "true"].map(str::to_owned).into());
    for verb in &mut verbs {
        if !["build", "verify"].contains(&&*verb[0]) {
            verb.extend(["--out".to_owned(), out.to_owned()]);
        }
    }
    verbs.push(["mcp", "closed", "--out", out, "--", "true"].map(str::to_owned).into());
    verbs.push(["mcp", "calibrate"].map(str::to_owned).into());
    verbs
}

#[test]
fn every_verb_that_builds_or_measures_waits_for_the_lab_that_works_there() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    let lab_directory = target.join("perflab");
    std::fs::create_dir_all(&lab_directory).unwrap();
    let lock = std::fs::File::create(lab_directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let note = format!("note: another perflab works in {}: waiting for it", lab_directory.display());
    for verb in working(directory.path().join("out").to_str().unwrap()) {
        let mut waiting = command(&root());
        waiting.env("CARGO_TARGET_DIR", &target).args(&verb);
        waiting.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        let mut waiting = waiting.spawn().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(waiting.stderr.take().unwrap()));
        let mut said = Vec::new();
        for line in lines.map_while(Result::ok) {
            let waits = line == note;
            said.push(line);
            if waits {
                assert!(crate::processes::signal(i32::try_from(waiting.id()).unwrap(), "INT"));
            }
        }
        assert!(said.contains(&note), "{verb:?} does not wait: {said:?}");
        assert_eq!(waiting.wait().unwrap().code(), Some(130), "{verb:?}: {said:?}");
    }
    let left: Vec<_> =
        std::fs::read_dir(&lab_directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"], "nothing was written meanwhile");
    assert!(!directory.path().join("out").exists());
}
