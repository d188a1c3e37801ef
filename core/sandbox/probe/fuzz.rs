//! Random system calls with arguments that mean something: `fuzz|SEED|CALLS|ROOT|OUTSIDE|VICTIM`.
//!
//! Processes of their own make them, a few hundred each, so that one that breaks or hangs takes no others along.

use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd;

use crate::{Attempt, malformed};

/// Calls that one process makes.
const BATCH: u64 = 200;

/// After this time a process that hangs is ended.
const LONGEST: libc::timeval = libc::timeval { tv_sec: 0, tv_usec: 300_000 };

/// The last number of a call that is tried; higher ones do not exist.
const LAST: u64 = 470;

/// Calls that end, stop or copy the process that makes them, or wait: they would say nothing of what is outside, and
/// cost the time of the others. Of `futex` there are three younger forms without a name in libc.
const LEFT_OUT: &[libc::c_long] = &[
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_pause,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_alarm,
    libc::SYS_setitimer,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_clone,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_munmap,
    libc::SYS_brk,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_mmap,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_select,
    libc::SYS_pselect6,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_msgrcv,
    libc::SYS_io_getevents,
    libc::SYS_flock,
    libc::SYS_restart_syscall,
    libc::SYS_seccomp,
    libc::SYS_prctl,
    libc::SYS_arch_prctl,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    454,
    455,
    456,
];

/// Calls that change something by a path, a descriptor, a number of a process or an address: half of all that are made.
const LIKELY: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_creat,
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_rmdir,
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_chown,
    libc::SYS_fchown,
    libc::SYS_lchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_setxattr,
    libc::SYS_fsetxattr,
    libc::SYS_fremovexattr,
    libc::SYS_ioctl,
    libc::SYS_fcntl,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_sendto,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_prlimit64,
    libc::SYS_setpriority,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_memfd_create,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
];

/// Numbers that mean something as flags, modes, requests, signals or sizes.
const NUMBERS: [i64; 30] = [
    0,
    1,
    2,
    3,
    5,
    7,
    9,
    15,
    16,
    0o100,
    0o102,
    0o1101,
    0o2000,
    0o4755,
    0o6777,
    0o777,
    0o644,
    0o020_200_002,
    0x1000,
    0x40,
    4096,
    65_536,
    0x4008_6602,
    0x401c_5820,
    0x4080_6685,
    0x5412,
    -1,
    -100,
    0x1_0000_0001,
    0x7fff_ffff_ffff_ffff,
];

/// xorshift64* (Vigna 2016): the same calls for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap_or_default()]
    }
}

/// What arguments point at.
struct Ground {
    paths: Vec<CString>,
    /// The address of a socket outside, and one of the network.
    addresses: Vec<Vec<u8>>,
    block: Vec<u8>,
    victim: i64,
}

impl Ground {
    fn new(root: &str, outside: &str, victim: &str) -> io::Result<Self> {
        let below = |place: &str, names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("{place}/{name}")).collect()
        };
        let mut names =
            below(root, &["file", "dir", "dir/file", "leak", "exit/victim", "new", "../outside/victim"]);
        names.extend(below(outside, &["secret", "victim", "dir", "new", "daemon"]));
        let others =
            ["/proc/self/fd/3", "/proc/self/root", "/proc/1/root", "/dev/null", "/etc/passwd", "/usr", "."];
        names.extend(others.map(str::to_owned));
        let mut addresses = Vec::new();
        let mut unix = vec![1, 0];
        unix.extend(format!("{outside}/daemon").as_bytes());
        unix.resize(110, 0);
        addresses.push(unix);
        // 127.0.0.1, port 9.
        addresses.push(vec![2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        Ok(Self {
            paths: names.into_iter().map(CString::new).collect::<Result<_, _>>().map_err(|_| malformed())?,
            addresses,
            block: vec![0; 1 << 16],
            victim: victim.parse().map_err(|_| malformed())?,
        })
    }

    fn argument(&mut self, random: &mut Random) -> i64 {
        match random.below(12) {
            0..4 => {
                let at = usize::try_from(random.below(self.paths.len() as u64)).unwrap_or_default();
                self.paths[at].as_ptr() as i64
            }
            4 => {
                let at = usize::try_from(random.below(self.addresses.len() as u64)).unwrap_or_default();
                self.addresses[at].as_ptr() as i64
            }
            5 => self.block.as_mut_ptr() as i64,
            // Descriptors: what is open in the process, the three of the terminal left out.
            6..8 => 3 + random.below(8).cast_signed(),
            8 => self.victim,
            9 => i64::from(libc::AT_FDCWD),
            _ => random.of(&NUMBERS),
        }
    }
}

/// How many calls were made.
pub fn fuzz(words: &[&str]) -> Attempt {
    let [seed, calls, root, outside, victim] = words else { return Err(malformed()) };
    let number = |word: &str| word.parse::<u64>().map_err(|_| malformed());
    let (seed, calls) = (number(seed)?, number(calls)?);
    let mut ground = Ground::new(root, outside, victim)?;
    for batch in 0..calls.div_ceil(BATCH) {
        let mut random = Random((seed ^ batch.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        // SAFETY: the process has one thread, and the child returns from nowhere but its end.
        match unsafe { libc::fork() } {
            0 => {
                make(&mut ground, &mut random, root);
                // SAFETY: ends the child without what its parent would do at its end.
                unsafe { libc::_exit(0) };
            }
            child if child > 0 => {
                // SAFETY: the status is not asked for.
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            }
            _ => return Err(io::Error::last_os_error()),
        }
    }
    Ok(Some(calls.div_ceil(BATCH).cast_signed() * BATCH.cast_signed()))
}

/// The calls of one process.
fn make(ground: &mut Ground, random: &mut Random, root: &str) {
    // SAFETY: the alarm ends this process alone; what is opened stays open to be named by the calls.
    unsafe {
        let timer = libc::itimerval { it_interval: LONGEST, it_value: LONGEST };
        libc::syscall(libc::SYS_setitimer, libc::ITIMER_REAL, &raw const timer, 0);
        libc::setpgid(0, 0);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for descriptor in 0..3 {
            libc::dup2(null, descriptor);
        }
    }
    let opened = [format!("{root}/file"), root.to_owned(), "/usr".to_owned(), "/etc/passwd".to_owned()];
    for path in opened {
        if let Ok(file) = std::fs::File::open(path) {
            let _ = file.as_raw_fd();
            std::mem::forget(file);
        }
    }
    for _ in 0..BATCH {
        let number = if random.below(2) == 0 { random.of(LIKELY) } else { random.below(LAST).cast_signed() };
        let arguments: [i64; 6] = std::array::from_fn(|_| ground.argument(random));
        let everybody = matches!(number, libc::SYS_kill | libc::SYS_tkill | libc::SYS_tgkill);
        if LEFT_OUT.contains(&number) || everybody && arguments[0] != ground.victim {
            continue;
        }
        let [a, b, c, d, e, f] = arguments;
        // SAFETY: whatever happens happens to this process, which is there for that.
        unsafe { libc::syscall(number, a, b, c, d, e, f) };
    }
}
