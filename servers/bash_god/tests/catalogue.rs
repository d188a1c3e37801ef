//! The catalogue as it is shipped: enough of it, each entry sound, and each tried where nothing can break.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped and how much was tried")]

mod namespaces;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use bash_god::analysis::{Context, analyse};
use bash_god::catalogue::{Catalogue, Entry, Exit};
use namespaces::Etc;

fn entries() -> &'static [Entry] {
    Catalogue::shipped().entries()
}

#[test]
fn there_are_enough_entries_in_enough_areas() {
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    entries().iter().for_each(|entry| *areas.entry(&entry.area).or_insert(0) += 1);
    assert!(entries().len() >= 300 && areas.len() >= 12, "{} entries in {areas:?}", entries().len());
    assert!(areas.values().all(|count| *count >= 10), "{areas:?}");
    let said = entries().iter().filter(|entry| entry.says.len() >= 2).count();
    assert_eq!(said, entries().len(), "every entry is described in more than one way");
}

#[test]
fn every_example_is_a_line_that_bash_can_parse() {
    for entry in entries() {
        let output = Command::new("bash").args(["--norc", "-n", "-c", &entry.example()]).output().unwrap();
        assert!(output.status.success(), "{}: {}", entry.id, String::from_utf8_lossy(&output.stderr));
    }
    let broken = Command::new("bash").args(["--norc", "-n", "-c", "ls | | wc"]).output().unwrap();
    assert!(!broken.status.success(), "bash -n tells a broken line");
}

#[test]
fn every_example_is_read_alike_by_both_parsers_and_its_programs_are_found() {
    let context = Context::new("/srv/project", "/home/person");
    let mut wrong = Vec::new();
    for entry in entries() {
        let analysis = analyse(&entry.example(), &context);
        let found: BTreeSet<&str> = analysis.commands.iter().map(|command| command.program()).collect();
        // A word of bash itself, which runs the command after it.
        let programs = entry.programs().iter().map(String::as_str).filter(|program| *program != "time");
        let missing: Vec<&str> = programs.filter(|program| !found.contains(program)).collect();
        if !analysis.parsed || !missing.is_empty() {
            wrong.push(format!("{}: {}: {missing:?}: {:?}", entry.id, entry.example(), analysis.reasons));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), entries().len(), wrong.join("\n"));
}

#[test]
fn every_parameter_changes_the_command_and_cannot_break_out_of_its_word() {
    let hostile = "x'; zzz-escaped; $(zzz-escaped) `zzz-escaped` \"";
    for entry in entries() {
        for (name, parameter) in &entry.parameters {
            let mut values: BTreeMap<String, String> = entry
                .parameters
                .iter()
                .map(|(name, parameter)| (name.clone(), parameter.example.clone()))
                .collect();
            let before = entry.render(&values).unwrap();
            values.insert(name.clone(), hostile.to_owned());
            // Types with a strict form refuse it; what takes any text must quote it.
            let Ok(command) = entry.render(&values) else { continue };
            assert_ne!(command, before, "{} {name}", entry.id);
            let removed = without_quoted(&command);
            assert!(
                !removed.contains("zzz-escaped"),
                "{} {name} ({:?}): {command}",
                entry.id,
                parameter.kind
            );
            assert!(entry.render(&values.into_keys().map(|n| (n, "a\0b".to_owned())).collect()).is_err());
        }
    }
}

/// What a shell would act on: the line without what is in single quotes or escaped.
fn without_quoted(command: &str) -> String {
    let mut rest = String::new();
    let (mut single, mut double) = (false, false);
    let mut characters = command.chars();
    while let Some(c) = characters.next() {
        match c {
            '\'' if !double => single = !single,
            _ if single => {}
            '"' => double = !double,
            '\\' => drop(characters.next()),
            _ => rest.push(c),
        }
    }
    rest
}

#[test]
fn values_that_look_like_options_are_refused() {
    let mut tried = 0;
    for entry in entries() {
        for (name, parameter) in &entry.parameters {
            let mut values: BTreeMap<String, String> = entry
                .parameters
                .iter()
                .map(|(name, parameter)| (name.clone(), parameter.example.clone()))
                .collect();
            values.insert(name.clone(), "-rf".to_owned());
            if let Ok(command) = entry.render(&values) {
                let bare = command.split_whitespace().position(|word| word == "-rf");
                let words: Vec<&str> = command.split_whitespace().collect();
                let safe = bare.is_none_or(|at| words[..at].contains(&"--") || words[at - 1] == "-e");
                assert!(safe, "{} {name} ({:?}): {command}", entry.id, parameter.kind);
            }
            tried += 1;
        }
    }
    assert!(tried > 300);
}

#[test]
fn risk_says_what_a_command_can_do() {
    use bash_god::catalogue::Risk;
    let risk = |id: &str| Catalogue::shipped().get(id).unwrap().risk;
    for (id, expected) in [
        ("list-long", Risk::None),
        ("make-folder", Risk::Low),
        ("replace-in-place", Risk::Medium),
        ("delete-folder", Risk::High),
        ("format-ext4", Risk::Critical),
    ] {
        assert_eq!(risk(id), expected, "{id}");
    }
    for entry in entries() {
        let deletes = ["rm", "shred", "mkfs.ext4", "dd", "kill", "pkill", "userdel", "truncate"];
        let harmless = ["make-sized-file", "git-untrack", "read-speed", "write-zeros"];
        if deletes.contains(&entry.program()) && !harmless.contains(&entry.id.as_str()) {
            assert!(entry.risk >= Risk::High, "{}", entry.id);
        }
        if entry.template.text().contains(" -delete") {
            assert!(entry.risk >= Risk::Medium, "{}", entry.id);
        }
    }
}

/// Seconds for what does not end by itself.
const SHORT: u32 = 2;
/// Seconds for what does, on however busy a machine.
const LONG: u32 = 120;

/// The examples that run without rights, services, devices, a network and a person, each in a fresh copy of
/// a fixture, in namespaces where nothing of the machine can be changed.
#[test]
fn examples_end_as_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let canary = folder.path().join("canary");
    fs::create_dir(&canary).unwrap();
    fs::write(canary.join("file"), "alive").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = canary.display();
    let probes = [
        ("probe-run", "echo x > /canary/new && test -s /canary/new".to_owned(), true),
        ("probe-canary", format!("test -e {place}"), false),
        ("probe-write", format!("mkdir -p {place} && echo x > {place}/file; test -w /usr"), false),
        ("probe-usr", "touch /usr/bin/x || touch /etc/x".to_owned(), false),
        ("probe-network", format!("exec 3<> /dev/tcp/127.0.0.1/{port}"), false),
        ("probe-root", "chroot / true".to_owned(), false),
        (
            "probe-kernel",
            "test -w /proc/sys/kernel/core_pattern || test -w /proc/sysrq-trigger".to_owned(),
            false,
        ),
        ("probe-others", "test \"$(ls -d /proc/[0-9]* | wc -l)\" -gt 30".to_owned(), false),
        ("probe-time", "sleep 60".to_owned(), false),
    ];
    let mut cases = String::new();
    for (id, command, _) in &probes {
        cases.push_str(&format!("{id}\tprobe\tbash\t{SHORT}\t{command}\n"));
    }
    let runnable: Vec<&Entry> = entries().iter().filter(|entry| entry.needs.nothing()).collect();
    for entry in &runnable {
        let seconds = if entry.exit == Exit::Endless { SHORT } else { LONG };
        let (id, area, programs) = (&entry.id, &entry.area, entry.programs().join(" "));
        cases.push_str(&format!("{id}\t{area}\t{programs}\t{seconds}\t{}\n", entry.example()));
    }
    let Some(results) = in_namespaces(folder.path(), &cases) else { return };
    for (id, _, succeeds) in &probes {
        let (status, errors) = &results[*id];
        assert_eq!(status == "0", *succeeds, "{id}: {status} {errors}");
    }
    assert_eq!(results["probe-time"].0, "124", "time is bounded");
    assert_eq!(fs::read_to_string(canary.join("file")).unwrap(), "alive");
    report(&runnable, &results);
}

fn report(runnable: &[&Entry], results: &BTreeMap<String, (String, String)>) {
    let mut absent = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut executed = 0;
    for entry in runnable {
        let (status, errors) = &results[&entry.id];
        let expected = match entry.exit {
            Exit::Status(status) => status.to_string(),
            Exit::Endless => "124".to_owned(),
        };
        if status == "absent" {
            absent.insert(entry.id.as_str());
        } else {
            executed += 1;
            if *status != expected {
                wrong.push(format!("{}: {status}, not {expected}: {}: {errors}", entry.id, entry.example()));
            }
        }
    }
    println!(
        "{} entries: {executed} executed, {} without their program here, {} that need rights, a service, a device, \
         a network or a person",
        entries().len(),
        absent.len(),
        entries().len() - runnable.len()
    );
    assert!(wrong.is_empty(), "{} of {executed} ended otherwise:\n{}", wrong.len(), wrong.join("\n"));
    assert!(executed >= 150, "too few to say anything: {executed}");
}

/// The status and the errors of each case, or None where the system does not allow the namespaces.
fn in_namespaces(folder: &Path, cases: &str) -> Option<BTreeMap<String, (String, String)>> {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let given = folder.join("given");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("cases"), cases).unwrap();
    for script in ["tree.sh", "examples.sh"] {
        fs::copy(scripts.join(script), given.join(script)).unwrap();
    }
    let program = ["bash", "/given/examples.sh"];
    let output = match namespaces::output(&mut namespaces::command(folder, &given, Etc::Bound, &program)) {
        Ok(output) => output,
        Err(why) => {
            println!("skipped, nothing was executed: {why}");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let results: BTreeMap<String, (String, String)> = text
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            Some((parts.next()?.to_owned(), (parts.next()?.to_owned(), parts.next()?.to_owned())))
        })
        .collect();
    assert_eq!(
        results.len(),
        cases.lines().count(),
        "every case has a result: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(results)
}
