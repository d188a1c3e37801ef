//! A system of its own for one command that no sandbox holds back.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, unmount};

use crate::ground::{Ground, HOME, PROJECT};

/// Where the output of a command is kept.
const OUTPUT: &str = "/run/output";

/// A root in memory with the programs of the machine in it, read-only. It vanishes when this is dropped.
pub struct Place {
    base: PathBuf,
    pub ground: Ground,
}

/// What came of a command.
pub struct Run {
    pub end: String,
    pub output: Vec<u8>,
}

impl Place {
    /// Makes one at `base`, with the canaries.
    pub fn make(base: &Path, template: &Path) -> io::Result<Self> {
        fs::create_dir_all(base)?;
        fs::create_dir_all("/run")?;
        mount("canary", base, "tmpfs", MountFlags::empty(), c"size=64m,mode=755")?;
        for name in ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let (from, to) = (Path::new("/").join(name), base.join(name));
            if let Ok(target) = fs::read_link(&from) {
                symlink(target, to)?;
            } else if from.is_dir() {
                fs::create_dir(&to)?;
                mount_bind_recursive(&from, &to)?;
            }
        }
        let games = base.join("usr/local/games");
        if games.is_dir() {
            mount("canary", &games, "tmpfs", MountFlags::empty(), c"size=1m,mode=755")?;
        }
        fs::create_dir_all(base.join("dev"))?;
        for device in ["null", "zero", "full", "random", "urandom"] {
            let to = base.join("dev").join(device);
            File::create(&to)?;
            mount_bind(Path::new("/dev").join(device), &to)?;
        }
        // Opening a socket fails with ENXIO, as the terminal of a process that has none does.
        UnixListener::bind(base.join("dev/tty"))?;
        symlink("/proc/self/fd", base.join("dev/fd"))?;
        fs::create_dir(base.join("proc"))?;
        mount_bind_recursive("/proc", base.join("proc"))?;
        let status = Command::new("cp").arg("-a").args([Path::new("/etc"), base]).status()?;
        if !status.success() {
            return Err(io::Error::other("/etc cannot be copied"));
        }
        let ground = Ground::make(base, template)?;
        Ok(Self { base: base.to_owned(), ground })
    }

    /// Runs a command in the project, as root of these files but without any other right.
    pub fn run(&self, command: &str, time: Duration) -> io::Result<Run> {
        let drop_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
        let bounds = ["prlimit", "--fsize=4194304", "--cpu=2", "--as=1073741824"];
        let seconds = time.as_secs_f64().to_string();
        let time = ["timeout", "--kill-after=1", &seconds, "env", "-C", PROJECT, "bash", "-c", command];
        // In a file: a process that goes on would hold a pipe open.
        let written = File::create(OUTPUT)?;
        let mut chroot = Command::new("chroot");
        chroot.arg(&self.base).args(drop_rights).args(bounds).args(time).env_clear();
        for (name, value) in [
            ("HOME", HOME),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("USER", "user"),
            ("TERM", "dumb"),
            ("LC_ALL", "C.UTF-8"),
            // As the sandbox sets it.
            ("GIT_OPTIONAL_LOCKS", "0"),
        ] {
            chroot.env(name, value);
        }
        let status =
            chroot.stdin(Stdio::null()).stdout(written.try_clone()?).stderr(written).spawn()?.wait()?;
        let mut output = Vec::new();
        File::open(OUTPUT)?.take(1 << 20).read_to_end(&mut output)?;
        Ok(Run { end: status.to_string(), output })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = unmount(&self.base, UnmountFlags::DETACH);
    }
}
