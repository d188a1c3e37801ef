//! Random system calls inside of the sandbox, and nothing outside that notices.
//!
//! `SANDBOX_FUZZ_CALLS=1000000 cargo test -p mcp-sandbox --test fuzz` makes more of them, `SANDBOX_FUZZ_SEED=N` others.
#![cfg(target_arch = "x86_64")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(unsafe_code, reason = "a view of the thread's own has no safe call")]

mod common;

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{PROBE, Tree, answers, marker, probe, views};
use mcp_sandbox::{Limits, Profile};

/// Calls that are made in each view under each profile, where nothing else is asked for.
const CALLS: u64 = 20_000;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

const DEVICES: [(&str, u32); 5] = [("full", 7), ("null", 3), ("random", 8), ("urandom", 9), ("zero", 5)];

/// Root's calls could reach the machine through a hole, so this thread and what it starts get a view in which only
/// temporary files can be changed: everything is read-only but a new `/tmp` and new devices.
fn apart() -> std::io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
    // SAFETY: takes no descriptors away from other threads.
    unsafe {
        rustix::thread::unshare_unsafe(
            rustix::thread::UnshareFlags::NEWNS | rustix::thread::UnshareFlags::FS,
        )?
    };
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let read_only =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: the path is a C string, and the structure as long as is said.
    let set = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            c"/".as_ptr(),
            libc::AT_RECURSIVE,
            &raw const read_only,
            size_of::<libc::mount_attr>(),
        )
    };
    if set < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // User namespaces are set up there, and only below one that can be seen whole.
    mount("proc", "/proc", "proc", MountFlags::empty(), None)?;
    for place in [std::env::temp_dir().as_path(), std::path::Path::new("/dev")] {
        mount("tmpfs", place, "tmpfs", MountFlags::empty(), Some(c"mode=1777"))?;
    }
    for (name, minor) in DEVICES {
        let device = format!("/dev/{name}");
        mknodat(CWD, &device, FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, minor))?;
        rustix::fs::chmod(&device, Mode::from_raw_mode(0o666))?;
    }
    Ok(())
}

/// A process outside, which ends with its handle.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        let hold = format!("hold|{}", marker());
        Self(Command::new(PROBE).arg(hold).stdout(Stdio::null()).spawn().unwrap())
    }

    /// What another process could have changed of it.
    fn state(&mut self) -> (bool, String, String) {
        let alive = self.0.try_wait().unwrap().is_none();
        let read =
            |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap_or_default();
        // Priority, nice value and policy of scheduling are the fields 18, 19 and 41 of proc_pid_stat(5).
        let stat = read("stat");
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let scheduled = [15, 16, 38].map(|field| fields.get(field).copied().unwrap_or("gone"));
        (alive, read("limits"), scheduled.join(" "))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_call_has_an_effect_outside() {
    if common::host().root
        && let Err(error) = apart()
    {
        println!("skipped: root here cannot make a view that keeps the machine safe from a hole ({error})");
        return;
    }
    let (calls, seed) = (number("SANDBOX_FUZZ_CALLS", CALLS), number("SANDBOX_FUZZ_SEED", 1));
    for (index, namespaces) in views().into_iter().enumerate() {
        for (turn, profile) in
            [Profile::Read, Profile::Workspace, Profile::WorkspaceNet].into_iter().enumerate()
        {
            let tree = Tree::new(namespaces);
            let daemon = UnixDatagram::bind(tree.path("outside/daemon")).unwrap();
            daemon.set_nonblocking(true).unwrap();
            let mut victim = Victim::new();
            let (files, process) = (tree.canaries(), victim.state());
            let before = system();
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
            let inside = |name: &str| std::fs::read(tree.path(name)).ok();
            let root = inside("root/file");
            let own = seed.wrapping_mul(31).wrapping_add((index * 3 + turn) as u64);
            let attempt = format!(
                "fuzz|{own}|{calls}|{}|{}|{}",
                tree.text("root"),
                tree.text("outside"),
                victim.0.id()
            );
            let mut job = probe(profile, &[attempt]);
            // A process that hangs is ended after seconds, of hundreds of calls.
            job.limits = Limits { time: Duration::from_secs(120 + calls / 50), ..Limits::default() };
            let outcome = tree.sandbox().run(&job).unwrap();
            let what = format!("{profile:?}, namespaces {namespaces}, seed {own}");
            let made =
                answers(&outcome).first().and_then(|line| line.strip_prefix("ok ")?.parse::<u64>().ok());
            assert!(made.is_some_and(|made| made >= calls), "{what}: {outcome:?}");
            assert_eq!(tree.canaries(), files, "{what}");
            assert_eq!(victim.state(), process, "{what}");
            assert_eq!(system(), before, "{what}");
            assert!(daemon.recv(&mut [0; 9]).is_err(), "{what}: the daemon was reached");
            assert_eq!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), host, "{what}");
            if profile == Profile::Read {
                assert_eq!(inside("root/file"), root, "{what}");
                assert_eq!(std::fs::read_dir(tree.path("root")).unwrap().count(), 5, "{what}");
            }
            assert_eq!(set_id(&tree), 0, "{what}");
        }
    }
}

/// Mode and owner of what a command sees of the system and does not own.
fn system() -> Vec<(u32, u32, u32)> {
    let devices = DEVICES.iter().map(|(name, _)| format!("/dev/{name}"));
    let seen = devices.chain(["/usr", "/etc", "/etc/passwd", "/"].map(str::to_owned));
    let status: Vec<_> = seen.map(|path| std::fs::metadata(path).unwrap()).collect();
    status.iter().map(|status| (status.mode(), status.uid(), status.gid())).collect()
}

/// Files with set-id bits below the root.
fn set_id(tree: &Tree) -> usize {
    let mut waiting = vec![tree.path("root")];
    let mut found = 0;
    while let Some(path) = waiting.pop() {
        let Ok(status) = path.symlink_metadata() else { continue };
        if status.is_dir() {
            waiting.extend(std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()));
        }
        found += usize::from(status.mode() & 0o6000 != 0 && !status.is_symlink());
    }
    found
}
