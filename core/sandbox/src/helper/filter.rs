//! The seccomp filters.
//!
//! A list of what is refused, because a list of what is allowed breaks programs with every new C library; so two
//! doors that lists of refusals leave open are shut as well: other numberings of system calls (32 bit and x32, which
//! kill the process) and calls newer than this list (which do not exist here). Arguments of 32 bits are compared as
//! 32 bits: the kernel ignores the upper half of the register, and so must the filter.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};

use crate::protection::Protection;

/// The last system call that these lists were checked against (removexattrat, Linux 6.13); later ones do not exist.
const LAST_KNOWN: u32 = 466;

/// Numbers from here on are the x32 calls of x86-64.
const X32: u32 = 0x4000_0000;

const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;

/// Leads out of the sandbox, into other processes, or into parts of the kernel that no command needs.
const REFUSED: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS__sysctl,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_modify_ldt,
    libc::SYS_sysfs,
    libc::SYS_uselib,
    libc::SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// Without an own view of the file system: what Landlock does not cover, because it changes no content. And what
/// reaches objects that lie in no file: shared memory, semaphores and message queues of other programs.
const REFUSED_IN_SHARED_VIEW: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_ioprio_set,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_removexattr,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_setpriority,
    libc::SYS_setxattr,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    libc::SYS_utimensat,
    SETXATTRAT,
    REMOVEXATTRAT,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_IN_SHARED_VIEW_HERE: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_futimesat,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_IN_SHARED_VIEW_HERE: &[c_long] = &[];

/// Calls that take a process (0: the caller) as their first argument and would change another one.
const ONLY_ONESELF: &[c_long] = &[
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];

const NAMESPACES: [libc::c_int; 8] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    0x80, // CLONE_NEWTIME
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

fn dword(argument: u8, comparison: SeccompCmpOp, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
}

fn bits(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

/// Refused unless argument `argument` is one of `allowed`.
fn unless(argument: u8, allowed: &[u64]) -> Built<SeccompRule> {
    let conditions: Built<Vec<_>> =
        allowed.iter().map(|value| dword(argument, SeccompCmpOp::Ne, *value)).collect();
    SeccompRule::new(conditions?)
}

fn refusals(protection: &Protection, network: bool) -> Built<Rules> {
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
    let clone = NAMESPACES
        .into_iter()
        .map(|flag| SeccompRule::new(vec![dword(0, SeccompCmpOp::MaskedEq(bits(flag)), bits(flag))?]));
    rules.insert(libc::SYS_clone, clone.collect::<Built<_>>()?);
    // Keystrokes pushed into a terminal are run by whoever reads it (TIOCLINUX pastes a selection).
    let terminal = [libc::TIOCSTI, libc::TIOCLINUX]
        .into_iter()
        .map(|request| SeccompRule::new(vec![dword(1, SeccompCmpOp::Eq, u64::from(request as u32))?]));
    rules.insert(libc::SYS_ioctl, terminal.collect::<Built<_>>()?);
    // 0xffffffff asks, 0 is what every process has.
    rules.insert(libc::SYS_personality, vec![unless(0, &[0, 0xffff_ffff])?]);
    // The limits of another process of the same user could be set so low that it dies.
    rules.insert(libc::SYS_prlimit64, vec![unless(0, &[0])?]);
    let mut families = Vec::new();
    if protection.unix_sockets {
        families.push(bits(libc::AF_UNIX));
    }
    if network {
        families.extend([bits(libc::AF_INET), bits(libc::AF_INET6)]);
    }
    let socket = if families.is_empty() { Vec::new() } else { vec![unless(0, &families)?] };
    rules.insert(libc::SYS_socket, socket);
    rules.insert(libc::SYS_socketpair, vec![unless(0, &[bits(libc::AF_UNIX)])?]);
    if !protection.namespaces {
        let shared = REFUSED_IN_SHARED_VIEW.iter().chain(REFUSED_IN_SHARED_VIEW_HERE);
        rules.extend(shared.map(|call| (*call, Vec::new())));
        for call in ONLY_ONESELF {
            rules.insert(*call, vec![unless(0, &[0])?]);
        }
    }
    Ok(rules)
}

fn compiled(rules: Rules, action: SeccompAction) -> Built<BpfProgram> {
    SeccompFilter::new(rules, SeccompAction::Allow, action, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// Kills on x32 numbers; numbers that are not known here do not exist.
fn numbers() -> BpfProgram {
    let instruction = |code: u32, jt: u8, jf: u8, k: u32| sock_filter { code: code as u16, jt, jf, k };
    let allow = libc::SECCOMP_RET_ALLOW;
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    vec![
        // The number of the call is the first word of what a filter sees.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        instruction(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 0, 1, LAST_KNOWN),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, absent),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, allow),
    ]
}

/// The filters of one run, in the order in which they are to be installed; of several answers the kernel takes the
/// severest. Another architecture's calls (`int 0x80`) kill the process: the compiled filters begin with that.
pub(crate) fn filters(protection: &Protection, network: bool) -> Result<Vec<BpfProgram>, String> {
    let build = || -> Built<Vec<BpfProgram>> {
        // Its flags lie in memory that a filter cannot read; programs fall back to `clone` when it is absent.
        let absent = Rules::from([(libc::SYS_clone3, Vec::new())]);
        let absent = compiled(absent, SeccompAction::Errno(libc::ENOSYS.cast_unsigned()))?;
        let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
        Ok(vec![numbers(), absent, compiled(refusals(protection, network)?, refused)?])
    };
    build().map_err(|error| error.to_string())
}
