//! Processes that are killed in the middle of a write.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{note, open};

const DIRECTORY: &str = "MCP_STATE_TEST_DIRECTORY";

/// Appends and forgets without end, and says each number once it is confirmed. Does nothing unless a test
/// below starts it as a process of its own.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let log = open(Path::new(&directory));
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        let id = log.append(note(number, &format!("note {number} {}", "x".repeat(500)))).unwrap();
        writeln!(out, "id {id}").unwrap();
        if number % 50 == 49 {
            let text = format!("note {} ", number - 1);
            log.forget(|record| record.entry.text.starts_with(&text)).unwrap();
            writeln!(out, "forgot {}", id - 1).unwrap();
        }
        out.flush().unwrap();
    }
}

fn spawn_writer(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writer", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_kill_in_the_middle_of_writing_loses_nothing_that_was_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut confirmed, mut forgotten) = (Vec::new(), Vec::new());
    // Each round ends at another place of a write.
    for round in 0..6_usize {
        let mut child = spawn_writer(directory.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let number = |rest: &str| rest.parse::<u64>().unwrap();
            match line.split_once(' ') {
                Some(("id", rest)) => confirmed.push(number(rest)),
                Some(("forgot", rest)) => forgotten.push(number(rest)),
                _ => {}
            }
        };
        lines.by_ref().take(30 + round * 17).for_each(&mut read);
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(&mut read);
        let log = open(directory.path());
        let kept: Vec<u64> = log.all().unwrap().iter().map(|record| record.id).collect();
        let lost: Vec<&u64> =
            confirmed.iter().filter(|id| !forgotten.contains(id) && !kept.contains(id)).collect();
        // One forget may have been done but not yet said.
        assert!(lost.len() <= 1, "round {round}: {lost:?}");
        assert!(forgotten.iter().all(|id| !kept.contains(id)), "round {round}: what was forgotten came back");
        assert!(kept.len() as u64 == log.stats().unwrap().records);
        assert!(log.append(note(0, "a")).unwrap() > *confirmed.last().unwrap());
    }
    assert!(confirmed.len() > 200);
}
