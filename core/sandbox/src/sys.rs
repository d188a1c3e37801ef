//! The system calls that no crate used here offers in a safe form. All `unsafe` of this package is in this file.
#![expect(unsafe_code, reason = "raw system calls: fork, exec, signal dispositions, mount attributes")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::process::Pid;

/// Which side of a [`clone_process`] one is on.
pub(crate) enum Cloned {
    /// The new process.
    Child,
    /// The one that called, with a descriptor of the new process.
    Parent(Pid, OwnedFd),
}

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// `fork` with namespaces (`CLONE_NEW…`) and a descriptor of the child. The caller has one thread.
pub(crate) fn clone_process(namespaces: libc::c_int) -> io::Result<Cloned> {
    let flags = namespaces | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut descriptor: libc::c_int = -1;
    // SAFETY: without CLONE_VM and with a null stack this is a fork: the child has a copy of all memory and returns
    // here. The third argument is where CLONE_PIDFD stores the descriptor on all architectures; it points to a live
    // integer. The process has one thread, so no lock is held by a thread that the child lacks.
    let pid = checked(unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags),
            0_usize,
            &raw mut descriptor,
            0_usize,
            0_usize,
        )
    })?;
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(Cloned::Child);
    };
    // SAFETY: the kernel has just opened this descriptor for us; nothing else owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    Ok(Cloned::Parent(pid, descriptor))
}

/// Ends this process at once, without destructors or buffers: for a child that shares them with its parent.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// Marks all descriptors from 3 on to be closed by an `exec`.
pub(crate) fn close_on_exec_from_three() -> io::Result<()> {
    // SAFETY: only flags of descriptors change; none is closed.
    checked(unsafe {
        libc::syscall(libc::SYS_close_range, 3_u32, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    })
    .map(drop)
}

/// Closes all descriptors from 3 on. Only for the start of a process, before it has opened any itself.
pub(crate) fn close_inherited() -> io::Result<()> {
    // SAFETY: called first in the supervisor, whose process has not opened a descriptor above 2 itself yet.
    checked(unsafe { libc::syscall(libc::SYS_close_range, 3_u32, libc::c_uint::MAX, 0_u32) }).map(drop)
}

/// Gives every signal its default disposition and lets none be blocked, as a fresh program expects it.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL installs no handler; numbers that may not be changed are refused with an error.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: an all-zero set is a valid value, which `sigemptyset` then makes empty; it outlives both calls.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Ignores the signals by which a terminal or a session manager ends programs; the supervisor ends by itself.
pub(crate) fn ignore_endings() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGPIPE] {
        // SAFETY: SIG_IGN installs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Replaces this process. Returns only if that failed.
pub(crate) fn execute(program: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: all three are null-terminated and live until the call returns.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Sets attributes (`MOUNT_ATTR_…`) on the mount that `mount` refers to, on those below it too if `recursive`.
pub(crate) fn mount_attributes(mount: impl AsFd, set: u64, recursive: bool) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string, the structure lives through the call, and its size is given with it.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}

/// Removes every capability from the bounding set, so that no program can gain one, whoever runs it.
pub(crate) fn empty_bounding_set() -> io::Result<()> {
    for capability in 0..64_u64 {
        // SAFETY: takes a number and changes a flag of this thread.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } < 0 {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::EINVAL) { Ok(()) } else { Err(error) };
        }
    }
    Ok(())
}

/// The version of Landlock's interface that the running kernel offers; 0 if it is absent or switched off.
pub(crate) fn landlock_abi() -> u32 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with a null attribute of size 0 and this flag the call only answers with a number.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    u32::try_from(version).unwrap_or(0)
}

/// True if the running kernel can end a process by a seccomp filter.
pub(crate) fn seccomp_offered() -> bool {
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: reads the number behind the pointer, which lives through the call.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    answer == 0
}
