//! A throw-away tree with canaries, sandboxes over it, and eyes on the processes that must not stay.
#![expect(dead_code, reason = "each file of tests uses a part of it")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mcp_sandbox::{Capabilities, Job, Layer, Outcome, Profile, Sandbox, offered_by};

pub const HELPER: &str = env!("CARGO_BIN_EXE_mcp-sandbox");
pub const PROBE: &str = env!("CARGO_BIN_EXE_sandbox-probe");

/// What this host offers, asked once.
pub fn host() -> &'static Capabilities {
    static HOST: OnceLock<Capabilities> = OnceLock::new();
    HOST.get_or_init(|| offered_by(Path::new(HELPER)).unwrap())
}

/// With namespaces and without: both are tried where the host can do both.
pub fn views() -> Vec<bool> {
    if host().namespaces { vec![true, false] } else { vec![false] }
}

pub struct Tree {
    pub base: tempfile::TempDir,
    pub namespaces: bool,
}

impl Tree {
    pub fn new(namespaces: bool) -> Self {
        let base = tempfile::tempdir().unwrap();
        let tree = Self { base, namespaces };
        for folder in ["root/dir", "outside/dir", "home/.ssh", "scratch"] {
            std::fs::create_dir_all(tree.path(folder)).unwrap();
        }
        for file in ["root/file", "root/dir/file", "outside/secret", "outside/victim", "home/.ssh/id_canary"]
        {
            std::fs::write(tree.path(file), format!("canary of {file}")).unwrap();
        }
        for (name, target) in [("leak", "outside/secret"), ("exit", "outside")] {
            std::os::unix::fs::symlink(tree.path(target), tree.path("root").join(name)).unwrap();
        }
        std::os::unix::fs::symlink("dir", tree.path("root/inner")).unwrap();
        tree
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The host, without namespaces if that is tried.
    pub fn capabilities(&self) -> Capabilities {
        let mut capabilities = host().clone();
        if !self.namespaces {
            capabilities.namespaces = false;
            capabilities.own_pid_max = false;
        }
        capabilities
    }

    pub fn sandbox_with(&self, capabilities: Capabilities) -> Sandbox {
        let unbounded = capabilities.root && !capabilities.own_pid_max;
        let sandbox = Sandbox::new(&[self.path("root")], capabilities)
            .unwrap()
            .with_helper(Path::new(HELPER))
            .with_scratch(&self.path("scratch"))
            .unwrap()
            .also_read(Path::new(PROBE).parent().unwrap())
            .unwrap();
        if unbounded { sandbox.accept(Layer::ProcessLimit) } else { sandbox }
    }

    pub fn sandbox(&self) -> Sandbox {
        self.sandbox_with(self.capabilities())
    }

    /// Everything below the canary directories: content, mode, owner and time of change.
    pub fn canaries(&self) -> BTreeMap<PathBuf, (u32, u32, i64, i64, Option<String>)> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.path("outside"), self.path("home")];
        while let Some(path) = waiting.pop() {
            let status = path.symlink_metadata().unwrap();
            if status.is_dir() {
                waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let content = std::fs::read_to_string(&path).ok();
            found.insert(path, (status.mode(), status.uid(), status.ctime(), status.ctime_nsec(), content));
        }
        found
    }
}

/// A job of the probe.
pub fn probe<S: AsRef<str>>(profile: Profile, attempts: &[S]) -> Job {
    let program = [OsString::from(PROBE)];
    Job::argv(profile, program.into_iter().chain(attempts.iter().map(|attempt| attempt.as_ref().into())))
}

/// The lines that the probe wrote, one for each attempt.
pub fn answers(outcome: &Outcome) -> Vec<String> {
    outcome.stdout.text().lines().map(str::to_owned).collect()
}

/// Runs attempts and gives what came of each.
pub fn tried<S: AsRef<str>>(sandbox: &Sandbox, profile: Profile, attempts: &[S]) -> Vec<String> {
    let outcome = sandbox.run(&probe(profile, attempts)).unwrap();
    let found = answers(&outcome);
    assert_eq!(found.len(), attempts.len(), "{outcome:?}");
    found
}

/// A word that no other process carries.
pub fn marker() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("marker-{}-{}-{}", std::process::id(), started.as_nanos(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Processes whose arguments hold `word`.
pub fn carrying(word: &str) -> Vec<i32> {
    let own = std::process::id();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| pid.unsigned_abs() != own)
        .filter(|pid| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(word)
        })
        .collect()
}

/// Waits until `condition` holds; fails after a time that no healthy machine needs.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came to: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
