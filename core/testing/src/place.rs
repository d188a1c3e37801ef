//! A place for a server of its own: a root with files, a state directory, something outside; and what is looked at there.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::client::{PATIENCE, Process, text};

/// Directories that go when it does.
pub struct Place {
    base: tempfile::TempDir,
    program: &'static str,
}

impl Place {
    /// A place for a program.
    pub fn new(program: &'static str) -> Self {
        let place = Self { base: tempfile::tempdir().unwrap(), program };
        for directory in ["root/sub", "outside", "state"] {
            std::fs::create_dir_all(place.path(directory)).unwrap();
        }
        for (file, text) in
            [("root/a.txt", "one\ntwo\nthree\n"), ("root/sub/b.txt", "b\n"), ("outside/secret", "canary")]
        {
            std::fs::write(place.path(file), text).unwrap();
        }
        place
    }

    /// Where something in it is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(name)
    }

    /// What a file in it says; nothing where there is none.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The command of the server.
    pub fn command(&self) -> Command {
        let mut command = self.bare();
        command.arg("--state").arg(self.path("state"));
        command
    }

    /// The command of a server that remembers nothing.
    pub fn forgetful(&self) -> Command {
        let mut command = self.bare();
        command.args(["--state", "none"]);
        command
    }

    /// The command with no more than the root.
    pub fn bare(&self) -> Command {
        let mut command = Command::new(self.program);
        command.arg("--root").arg(self.path("root"));
        command
    }

    /// The server with further arguments, and a client that can be asked.
    pub fn server(&self, arguments: &[&str]) -> Process {
        let mut process = Process::start(self.command().args(arguments));
        process.open();
        process
    }

    /// The lines of the audit log.
    pub fn audit(&self) -> Vec<Value> {
        self.text("state/audit.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// All files below, with their contents: to see whether anything changed.
    pub fn everything(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        let mut waiting = vec![self.path("")];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let content = std::fs::read(&path).ok();
            found.push((path, content));
        }
        found.sort();
        found
    }
}

/// The structured content of an answer that is not an error.
pub fn structured(answer: &Value) -> &Value {
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    &answer["result"]["structuredContent"]
}

/// The sentence of an answer that is an error.
pub fn refusal(answer: &Value) -> &str {
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    text(answer)
}

/// Processes whose arguments hold `word`, but for this one.
pub fn carrying(word: &str) -> Vec<u32> {
    let own = std::process::id();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != own)
        .filter(|pid| {
            let arguments = std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline"));
            String::from_utf8_lossy(&arguments.unwrap_or_default()).contains(word)
        })
        .collect()
}

/// Waits until something holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "it never came to: {what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A number of seconds that no other test sleeps for, to know its processes by.
pub fn odd_seconds() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}.{:03}", 100_000 + std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A number of kibibytes that the kernel says of a process, such as `VmRSS`.
pub fn kibibytes(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()).unwrap().parse().unwrap()
}
