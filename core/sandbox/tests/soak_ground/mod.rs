//! Many short runs that end in every way there is; afterwards nothing may be left.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mcp_sandbox::{Capabilities, Job, Layer, Profile, Reason, Sandbox, SandboxError};

/// A small generator (xorshift64*, Vigna 2016): the same runs for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// How often a run ended in each way.
#[derive(Debug, Default)]
pub struct Tally {
    pub exited: u64,
    pub timed_out: u64,
    pub cancelled: u64,
    pub dropped: u64,
    pub supervisor_killed: u64,
}

/// Where the runs take place.
struct Ground {
    base: tempfile::TempDir,
    namespaces: bool,
    /// How long the sleepers of these runs sleep: a number that no other process carries.
    sleep: String,
}

impl Ground {
    fn path(&self, name: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(name)
    }

    fn sandbox(&self, helper: &Path, capabilities: &Capabilities) -> Sandbox {
        let mut capabilities = capabilities.clone();
        capabilities.namespaces &= self.namespaces;
        capabilities.own_pid_max &= self.namespaces;
        let unbounded = capabilities.root && !capabilities.own_pid_max;
        let sandbox = Sandbox::new(&[self.path("root")], capabilities).unwrap().with_helper(helper);
        let sandbox = sandbox.with_scratch(&self.path("scratch")).unwrap();
        if unbounded { sandbox.accept(Layer::ProcessLimit) } else { sandbox }
    }

    /// Names in the directory of the runs, but for what they were allowed to write.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![self.base.path().to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(entry.path());
                }
                found.push(entry.path());
            }
        }
        found.sort();
        found
    }
}

/// Processes that hold `word` among their arguments.
fn carrying(word: &str) -> usize {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(word)
        })
        .count()
}

/// Does `count` runs, with namespaces and without. Panics if a process or a file is left behind.
pub fn soak(count: u64, seed: u64, helper: &Path, capabilities: &Capabilities) -> Tally {
    let mut random = Random(seed | 1);
    let mut tally = Tally::default();
    let views: &[bool] = if capabilities.namespaces { &[true, false] } else { &[false] };
    for namespaces in views {
        let fraction = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let ground = Ground {
            base: tempfile::tempdir().unwrap(),
            namespaces: *namespaces,
            sleep: format!("86400.{}{}", std::process::id(), fraction.as_nanos()),
        };
        for folder in ["root", "outside", "scratch"] {
            std::fs::create_dir(ground.path(folder)).unwrap();
        }
        std::fs::write(ground.path("outside/canary"), "canary").unwrap();
        std::fs::write(ground.path("root/new"), "").unwrap();
        let sandbox = ground.sandbox(helper, capabilities);
        let before = ground.files();
        for _ in 0..count.div_ceil(views.len() as u64) {
            one(&ground, &sandbox, &mut random, &mut tally);
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while carrying(&ground.sleep) > 0 {
            assert!(Instant::now() < deadline, "{} processes are left", carrying(&ground.sleep));
            std::thread::sleep(Duration::from_millis(10));
        }
        // A supervisor that is killed cannot remove its directory; the next start of a server does.
        drop(ground.sandbox(helper, capabilities));
        assert_eq!(ground.files(), before, "files are left, namespaces {namespaces}");
        assert_eq!(std::fs::read_to_string(ground.path("outside/canary")).unwrap(), "canary");
    }
    tally
}

fn one(ground: &Ground, sandbox: &Sandbox, random: &mut Random, tally: &mut Tally) {
    let killed = random.below(8) == 0;
    let sleep = &ground.sleep;
    let mut script =
        format!("echo x > new\necho x > \"$TMPDIR/x\"\necho x > ../outside/x\nsleep {sleep} &\n");
    script += &format!("(setsid sleep {sleep} &)\n");
    if random.below(2) == 0 {
        script += &format!("sleep {sleep}\n");
    }
    let mut job = Job::script(Profile::Workspace, ["sh"], script);
    job.limits.time = Duration::from_millis(1 + random.below(150));
    let running = sandbox.start(&job).unwrap();
    std::thread::sleep(Duration::from_millis(random.below(60)));
    if killed {
        let supervisor = rustix::process::Pid::from_raw(running.supervisor().cast_signed()).unwrap();
        let _ = rustix::process::kill_process(supervisor, rustix::process::Signal::KILL);
        tally.supervisor_killed += 1;
        // It may have given its answer just before.
        let found = running.wait();
        assert!(matches!(found, Ok(_) | Err(SandboxError::SupervisorLost(_))), "{found:?}");
        return;
    }
    match random.below(4) {
        0 => {
            tally.dropped += 1;
            drop(running);
            return;
        }
        1 => running.cancel(),
        _ => {}
    }
    let outcome = running.wait().unwrap();
    assert_eq!(outcome.leftover, 0);
    match outcome.reason {
        Reason::Exited => tally.exited += 1,
        Reason::TimedOut => tally.timed_out += 1,
        Reason::Cancelled => tally.cancelled += 1,
        Reason::Limits => panic!("{outcome:?}"),
    }
}
