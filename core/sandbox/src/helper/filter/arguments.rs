//! System calls that are refused by their arguments: what is allowed is listed, the rest is refused.

use libc::c_long;
use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use crate::helper::filter::{Built, Rules};
use crate::protection::Protection;

/// The types of sockets, without the flags that share the argument (`SOCK_TYPE_MASK` of the kernel).
const TYPE_MASK: u64 = 0xf;

/// Set-user-id and set-group-id.
const SET_ID: [u64; 2] = [0o4000, 0o2000];

/// `O_TMPFILE` without `O_DIRECTORY`, which libc's constant includes.
const TMPFILE: u64 = 0o20_000_000;

/// Requests of `<linux/fs.h>` on targets of 64 bits.
mod fs {
    pub const FIGETBSZ: u64 = 0x0002;
    pub const GETFLAGS: u64 = 0x8008_6601;
    pub const GETVERSION: u64 = 0x8008_7601;
    pub const FSGETXATTR: u64 = 0x801c_581f;
    pub const FIEMAP: u64 = 0xc020_660b;
    pub const CLONE: u64 = 0x4004_9409;
    pub const CLONE_RANGE: u64 = 0x4020_940d;
}

/// Requests of `ioctl` that commands make: they ask, change the terminal or descriptor that the command holds, or copy
/// between files that it may read and write. Others reach into file systems and devices, where an open file is enough:
/// `FS_IOC_SETFLAGS` and `FS_IOC_FSSETXATTR` change files that can only be read, `FS_IOC_ENABLE_VERITY` makes them
/// unchangeable, `TIOCSTI` and `TIOCLINUX` push keystrokes into a terminal, which whoever reads it runs.
const IOCTL: &[u64] = &[
    request(libc::TCGETS),
    request(libc::TCSETS),
    request(libc::TCSETSW),
    request(libc::TCSETSF),
    request(libc::TCGETA),
    request(libc::TCSBRK),
    request(libc::TCXONC),
    request(libc::TCFLSH),
    request(libc::TCGETS2),
    request(libc::TCSETS2),
    request(libc::TCSETSW2),
    request(libc::TCSETSF2),
    request(libc::TIOCGPGRP),
    request(libc::TIOCSPGRP),
    request(libc::TIOCGSID),
    request(libc::TIOCGWINSZ),
    request(libc::TIOCOUTQ),
    request(libc::FIONREAD),
    request(libc::FIONBIO),
    request(libc::FIOCLEX),
    request(libc::FIONCLEX),
    fs::FIGETBSZ,
    fs::GETFLAGS,
    fs::GETVERSION,
    fs::FSGETXATTR,
    fs::FIEMAP,
    fs::CLONE,
    fs::CLONE_RANGE,
];

/// Protocols of IPv4 and IPv6 that Landlock's rules for ports know (TCP), or that listen nowhere (UDP, echo requests).
/// Multipath TCP is a TCP that those rules do not see, and falls back to it.
const PROTOCOLS: [u64; 5] = [
    0,
    bits(libc::IPPROTO_TCP),
    bits(libc::IPPROTO_UDP),
    bits(libc::IPPROTO_ICMP),
    bits(libc::IPPROTO_ICMPV6),
];

/// The bits of a C int, as the kernel sees the lower half of a register.
pub(super) const fn bits(value: libc::c_int) -> u64 {
    value.cast_unsigned() as u64
}

/// A request, as the kernel sees it: libc's type for it depends on the C library.
const fn request(value: libc::Ioctl) -> u64 {
    value as u32 as u64
}

pub(super) fn dword(argument: u8, comparison: SeccompCmpOp, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
}

/// Bits of an argument are set.
fn has(argument: u8, value: u64) -> Built<SeccompCondition> {
    dword(argument, SeccompCmpOp::MaskedEq(value), value)
}

/// Refused unless argument `argument` is one of `allowed`.
pub(super) fn unless(argument: u8, allowed: &[u64]) -> Built<SeccompRule> {
    let conditions: Built<Vec<_>> =
        allowed.iter().map(|value| dword(argument, SeccompCmpOp::Ne, *value)).collect();
    SeccompRule::new(conditions?)
}

/// Refused unless the type in `argument` is one of `allowed`: one rule a type, since the kernel's filters cannot say
/// "unequal under a mask" here.
fn unless_type(argument: u8, allowed: &[libc::c_int]) -> Built<Vec<SeccompRule>> {
    let refused = (0..=TYPE_MASK).filter(|kind| !allowed.iter().any(|allowed| bits(*allowed) == *kind));
    refused
        .map(|kind| SeccompRule::new(vec![dword(argument, SeccompCmpOp::MaskedEq(TYPE_MASK), kind)?]))
        .collect()
}

/// Sockets: of the families that are allowed, and of those only types and protocols that other rules cover.
pub(super) fn sockets(rules: &mut Rules, protection: &Protection, network: bool) -> Built<()> {
    let mut families = Vec::new();
    if protection.unix_sockets {
        families.push(bits(libc::AF_UNIX));
    }
    if network {
        families.extend([bits(libc::AF_INET), bits(libc::AF_INET6)]);
    }
    let mut socket = Vec::new();
    if !families.is_empty() {
        socket.push(unless(0, &families)?);
        socket.extend(unless_type(1, &[libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET])?);
        socket.push(unless(2, &PROTOCOLS)?);
        for family in [libc::AF_INET, libc::AF_INET6] {
            // SCTP, by the protocol that belongs to the type.
            let sequenced = dword(1, SeccompCmpOp::MaskedEq(TYPE_MASK), bits(libc::SOCK_SEQPACKET))?;
            socket.push(SeccompRule::new(vec![dword(0, SeccompCmpOp::Eq, bits(family))?, sequenced])?);
        }
    }
    rules.insert(libc::SYS_socket, socket);
    // A pair of datagram sockets can send to any path: only pairs that stay connected to one another.
    let mut pair = vec![unless(0, &[bits(libc::AF_UNIX)])?];
    pair.extend(unless_type(1, &[libc::SOCK_STREAM, libc::SOCK_SEQPACKET])?);
    rules.insert(libc::SYS_socketpair, pair);
    // A socket that listens without an address gets a port from the kernel, which Landlock does not ask about.
    if network {
        rules.insert(libc::SYS_listen, Vec::new());
    }
    Ok(())
}

/// A system call, and which of its arguments is meant.
type Argument = (c_long, u8);

/// Modes with set-id bits: a program with them would run as the server's user for whoever starts it.
pub(super) fn modes(rules: &mut Rules) -> Built<()> {
    // The argument that is the mode.
    let always: &[Argument] = &[
        (libc::SYS_fchmod, 1),
        (libc::SYS_fchmodat, 2),
        (libc::SYS_fchmodat2, 2),
        (libc::SYS_mkdirat, 2),
        (libc::SYS_mknodat, 2),
    ];
    // The argument that is the flags, with the mode behind it, which counts where a file is created.
    let created: &[Argument] = &[(libc::SYS_openat, 2)];
    #[cfg(target_arch = "x86_64")]
    let (always, created): (&[Argument], &[Argument]) = (
        &[always, &[(libc::SYS_chmod, 1), (libc::SYS_mkdir, 1), (libc::SYS_mknod, 1), (libc::SYS_creat, 1)]]
            .concat(),
        &[created, &[(libc::SYS_open, 1)]].concat(),
    );
    for (call, mode) in always {
        let refused: Built<Vec<_>> =
            SET_ID.iter().map(|bit| SeccompRule::new(vec![has(*mode, *bit)?])).collect();
        rules.insert(*call, refused?);
    }
    for (call, flags) in created {
        let mut refused = Vec::new();
        for creating in [bits(libc::O_CREAT), TMPFILE] {
            for bit in SET_ID {
                refused.push(SeccompRule::new(vec![has(*flags, creating)?, has(*flags + 1, bit)?])?);
            }
        }
        rules.insert(*call, refused);
    }
    Ok(())
}

/// Requests to devices and file systems by an open file.
pub(super) fn requests() -> Built<Rules> {
    Ok(Rules::from([(libc::SYS_ioctl, vec![unless(1, IOCTL)?])]))
}

/// A lease on a file that is only readable makes whoever opens it wait for the command.
pub(super) fn leases(rules: &mut Rules) -> Built<()> {
    let lease = dword(1, SeccompCmpOp::Eq, bits(libc::F_SETLEASE))?;
    rules.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![lease])?]);
    Ok(())
}
