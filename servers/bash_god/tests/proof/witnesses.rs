//! What notices effects that leave no file: processes, connections, names and settings of the namespaces.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

use crate::ground::Ground;

/// The port that listens, for streams and for datagrams.
pub const PORT: u16 = 4444;
/// The name that listens among the abstract sockets.
const ABSTRACT: &[u8] = b"canary";
/// Listeners and a sleeping process beside the commands.
pub struct Witnesses {
    stream: TcpListener,
    datagrams: UdpSocket,
    daemon: UnixListener,
    named: UnixListener,
    socket: PathBuf,
    sleeper: Child,
    settings: Vec<(&'static str, String)>,
}

/// Settings of the namespaces that commands could change.
const SETTINGS: [&str; 8] = [
    "/proc/self/mountinfo",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sysvipc/shm",
    "/proc/sysvipc/sem",
    "/proc/sysvipc/msg",
];

fn settings() -> Vec<(&'static str, String)> {
    SETTINGS.iter().map(|&path| (path, fs::read_to_string(path).unwrap_or_default())).collect()
}

/// Whether a process has a signal that ends it and that it has not taken yet, as happens where the processors are busy.
fn is_dying(process: u32) -> io::Result<bool> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let pending =
        status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    let kill = 1_u64 << (Signal::KILL.as_raw() - 1);
    Ok(pending.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok()).any(|mask| mask & kill != 0))
}

fn sleeper() -> io::Result<Child> {
    Command::new("sleep").arg("86400").stdin(Stdio::null()).spawn()
}

impl Witnesses {
    /// Starts them; the socket of a daemon lies in `/run` of the ground.
    pub fn start(ground: &Ground) -> io::Result<Self> {
        let stream = TcpListener::bind(("127.0.0.1", PORT))?;
        stream.set_nonblocking(true)?;
        let datagrams = UdpSocket::bind(("127.0.0.1", PORT))?;
        datagrams.set_nonblocking(true)?;
        let socket = ground.path("/run/daemon.sock");
        fs::create_dir_all(ground.path("/run"))?;
        let daemon = UnixListener::bind(&socket)?;
        daemon.set_nonblocking(true)?;
        let named = UnixListener::bind_addr(&SocketAddr::from_abstract_name(ABSTRACT)?)?;
        named.set_nonblocking(true)?;
        Ok(Self { stream, datagrams, daemon, named, socket, sleeper: sleeper()?, settings: settings() })
    }

    /// What has happened since the last time, one line each. What is no more is started again. Processes may still be
    /// seen for as long as `patience`.
    pub fn effects(&mut self, patience: Duration) -> io::Result<Vec<String>> {
        let mut effects = Vec::new();
        if is_dying(self.sleeper.id())? {
            self.sleeper.wait()?;
        }
        if self.sleeper.try_wait()?.is_some() {
            effects.push("the sleeping process was killed".to_owned());
            self.sleeper = sleeper()?;
        }
        let own = BTreeSet::from([1, self.sleeper.id().cast_signed()]);
        let left = staying(&own, patience);
        if !left.is_empty() {
            effects.push(format!("{} processes are left: {}", left.len(), left.join(", ")));
        }
        let connections = std::iter::from_fn(|| self.stream.accept().ok()).count()
            + std::iter::from_fn(|| self.daemon.accept().ok()).count()
            + std::iter::from_fn(|| self.named.accept().ok()).count()
            + std::iter::from_fn(|| self.datagrams.recv(&mut [0; 64]).ok()).count();
        if connections > 0 {
            effects.push(format!("{connections} connections or datagrams"));
        }
        if !self.socket.exists() {
            effects.push("the socket of the daemon is gone".to_owned());
            self.daemon = UnixListener::bind(&self.socket)?;
            self.daemon.set_nonblocking(true)?;
        }
        let now = settings();
        for ((path, before), (_, after)) in self.settings.iter().zip(&now) {
            if before != after {
                effects.push(format!("{path} is another: {after:?}"));
            }
        }
        self.settings = now;
        Ok(effects)
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        // Whoever is the first process of a namespace takes the others along in any case.
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

/// The processes besides `own` that stay, by name; those are killed then.
fn staying(own: &BTreeSet<i32>, patience: Duration) -> Vec<String> {
    let deadline = Instant::now() + patience;
    let mut left = others(own);
    // A process that was orphaned was not waited for by whoever started it, so it counts even if it has ended.
    while !left.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
        left = others(own);
    }
    let names = left.iter().map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default());
    let names = names.map(|name| name.trim().to_owned()).collect();
    end(own);
    names
}

fn others(own: &BTreeSet<i32>) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| !own.contains(pid)).collect()
}

/// Ends all processes but `own`, also those that go on forking.
pub fn end(own: &BTreeSet<i32>) {
    for _ in 0..200 {
        let left = others(own);
        if left.is_empty() {
            return;
        }
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in left.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                let _ = kill_process(pid, signal);
            }
        }
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
}
