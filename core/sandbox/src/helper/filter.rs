//! The seccomp filters.
//!
//! A list of what is refused, because a list of what is allowed breaks programs with every new C library; so two
//! doors that lists of refusals leave open are shut as well: other numberings of system calls (32 bit and x32, which
//! kill the process) and calls newer than this list (which do not exist here). Arguments of 32 bits are compared as
//! 32 bits: the kernel ignores the upper half of the register, and so must the filter. Where arguments decide (kinds of
//! sockets, requests of `ioctl`, modes), it is what is allowed that is listed.

mod arguments;
mod calls;

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpOp, SeccompFilter, SeccompRule, sock_filter};

use crate::helper::filter::arguments::{bits, dword, unless};
use crate::helper::filter::calls::{
    ONLY_ONESELF, REFUSED, REFUSED_HERE, REFUSED_IN_SHARED_VIEW, REFUSED_IN_SHARED_VIEW_HERE,
};
use crate::protection::Protection;

/// The last system call that these lists were checked against (removexattrat, Linux 6.13); later ones do not exist.
const LAST_KNOWN: u32 = 466;

/// Numbers from here on are the x32 calls of x86-64.
const X32: u32 = 0x4000_0000;

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

fn refusals(protection: &Protection, network: bool) -> Built<Rules> {
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
    let clone = NAMESPACES
        .into_iter()
        .map(|flag| SeccompRule::new(vec![dword(0, SeccompCmpOp::MaskedEq(bits(flag)), bits(flag))?]));
    rules.insert(libc::SYS_clone, clone.collect::<Built<_>>()?);
    // 0xffffffff asks, 0 is what every process has.
    rules.insert(libc::SYS_personality, vec![unless(0, &[0, 0xffff_ffff])?]);
    // The limits of another process of the same user could be set so low that it dies.
    rules.insert(libc::SYS_prlimit64, vec![unless(0, &[0])?]);
    arguments::sockets(&mut rules, protection, network)?;
    arguments::modes(&mut rules)?;
    arguments::leases(&mut rules)?;
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
        // Their flags and modes lie in memory that a filter cannot read; programs fall back to `clone` and `openat`
        // when they are absent.
        let absent = Rules::from([(libc::SYS_clone3, Vec::new()), (libc::SYS_openat2, Vec::new())]);
        let absent = compiled(absent, SeccompAction::Errno(libc::ENOSYS.cast_unsigned()))?;
        let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
        // What a file that knows no such request answers.
        let unknown = SeccompAction::Errno(libc::ENOTTY.cast_unsigned());
        let requests = compiled(arguments::requests()?, unknown)?;
        Ok(vec![numbers(), absent, requests, compiled(refusals(protection, network)?, refused)?])
    };
    build().map_err(|error| error.to_string())
}
